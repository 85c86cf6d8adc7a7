"""Where mails go: a mail server, or a folder where none is set. An outbox may stand between this and who sends."""

import logging
import os
import smtplib
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from engine.errors import EngineError
from engine.mail.message import Mail, message_of

__all__ = ["FolderMailer", "MailFailed", "Mailer", "SmtpMailer", "open_mailer"]

TIMEOUT_S = 15
PORTS = {"smtp": 587, "smtp+plain": 25, "smtps": 465}
# Other refusals (a wrong password, a sender that may not send) are of all mails, and are mended at the server or here.
OF_ONE_MAIL = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)
log = logging.getLogger("fieldstone.mail")


class MailFailed(EngineError):
    """The mail server did not take a mail. `may_succeed_later`: it was not refused for good."""

    code = "mail.failed"

    def __init__(self, message: str, *, may_succeed_later: bool) -> None:
        super().__init__(message, fix="look at FIELDSTONE_SMTP_URL and at the mail server, then try again")
        self.may_succeed_later = may_succeed_later


class Mailer(Protocol):
    def send(self, mail: Mail) -> None:
        """Returns when it was taken over. Never called within a transaction, which could still be undone.

        Raises BadInput for an address that is none, MailFailed.
        """


class SmtpMailer:
    """One connection for each mail."""

    def __init__(
        self, url: str, sender: str, *, trust: ssl.SSLContext | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:  # fmt: skip
        parts = urlsplit(url)
        self.scheme, self.host = parts.scheme, parts.hostname or ""
        self.port = parts.port or PORTS[parts.scheme]
        self.user, self.password = unquote(parts.username or ""), unquote(parts.password or "")
        self.sender, self.timeout_s = sender, timeout_s
        self.trust = trust or ssl.create_default_context()

    def send(self, mail: Mail) -> None:
        message = message_of(mail, self.sender, datetime.now(UTC))
        try:
            with self.connect() as server:
                if self.scheme == "smtp":
                    server.starttls(context=self.trust)
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            # Not the error's own text: a server may quote what was sent to it.
            code = getattr(error, "smtp_code", None) or next(iter(refusals(error)), None)
            told = f"{type(error).__name__}{f' {code}' if code else ''}"
            raise MailFailed(
                f"the mail server {self.host}:{self.port} did not take a mail ({told})",
                may_succeed_later=not (isinstance(error, OF_ONE_MAIL) and code and code >= 500),
            ) from error

    def connect(self) -> smtplib.SMTP:
        if self.scheme == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=self.trust)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)


def refusals(error: Exception) -> list[int]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in error.recipients.values()]
    return []


class FolderMailer:
    """Each mail is a file that mail programs open. For trying out, and for installations without a mail server."""

    def __init__(self, folder: Path, sender: str, clock: Callable[[], datetime] | None = None) -> None:
        self.folder, self.sender = folder, sender
        self.clock = clock or (lambda: datetime.now(UTC))

    def send(self, mail: Mail) -> None:
        now = self.clock()
        path = self.write(message_of(mail, self.sender, now), now)
        log.warning("no mail server is set (FIELDSTONE_SMTP_URL): a mail was written to %s", path)

    def write(self, message: EmailMessage, now: datetime) -> Path:
        """Whole or not at all; for its owner only, as a mail may hold a link that lets somebody in."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=f"{now:%Y%m%d-%H%M%S}-", suffix=".part")
        with open(descriptor, "wb") as file:
            file.write(bytes(message))
        path = Path(name).with_suffix(".eml")
        os.replace(name, path)
        return path


def open_mailer(smtp_url: str, mail_from: str, data: Path) -> Mailer:
    return SmtpMailer(smtp_url, mail_from) if smtp_url else FolderMailer(data / "mail", mail_from)

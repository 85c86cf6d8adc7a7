"""Mail to a real SMTP server, and to a folder."""

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from engine.errors import BadInput
from engine.mail.message import Mail, message_of
from engine.mail.port import FolderMailer, MailFailed, SmtpMailer, open_mailer

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
SENDER = "Fieldstone <crm@example.com>"
HELLO = Mail("ada@example.com", "Grüße 您好", "Ein Link:\nhttps://crm.example.com/x?link=ab_c-d\n")


class Inbox:
    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], Any]] = []
        self.answer = "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, parsed))
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    kept, port = Inbox(), free_port()
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    yield kept, port
    server.stop()


def test_a_mail_arrives_as_it_was_written(inbox: tuple[Inbox, int]) -> None:
    kept, port = inbox
    SmtpMailer(f"smtp+plain://127.0.0.1:{port}", SENDER).send(HELLO)
    [(sender, to, parsed)] = kept.mails
    assert (sender, to) == ("crm@example.com", ["ada@example.com"])
    assert (parsed["Subject"], parsed["To"], parsed["From"]) == ("Grüße 您好", "ada@example.com", SENDER)
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed.get_content().replace("\r\n", "\n") == HELLO.text


def test_a_line_break_in_a_subject_makes_no_header(inbox: tuple[Inbox, int]) -> None:
    kept, port = inbox
    mail = Mail("ada@example.com", "Hello\r\nBcc: eve@example.com\n\nsurprise", "text")
    SmtpMailer(f"smtp+plain://127.0.0.1:{port}", SENDER).send(mail)
    [(_, to, parsed)] = kept.mails
    assert (to, parsed["Bcc"]) == (["ada@example.com"], None)
    assert parsed["Subject"] == "Hello Bcc: eve@example.com surprise"


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "ada@", "@example.com", "ada@example.com\r\nBcc: eve@example.com", "ada@example.com\n",
        "ada@example.com, eve@example.com", "ada@exam ple.com", "a" * 250 + "@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_gets_no_mail(inbox: tuple[Inbox, int], address: str) -> None:
    kept, port = inbox
    with pytest.raises(BadInput):
        SmtpMailer(f"smtp+plain://127.0.0.1:{port}", SENDER).send(Mail(address, "Hello", "text"))
    assert kept.mails == []


def test_without_tls_no_password_and_no_mail_is_sent_to_a_server_that_has_none(inbox: tuple[Inbox, int]) -> None:
    kept, port = inbox
    with pytest.raises(MailFailed):
        SmtpMailer(f"smtp://ada:secret@127.0.0.1:{port}", SENDER).send(HELLO)
    assert kept.mails == []


def certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for localhost, signed by itself."""
    from datetime import timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate_file, key_file = folder / "c.pem", folder / "k.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


def test_starttls_and_sign_in_work_and_a_wrong_certificate_or_password_does_not(tmp_path: Path) -> None:
    certificate_file, key_file = certificate(tmp_path)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate_file, key_file)

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"ada", b"p@ss word"), handled=False)

    kept, port = Inbox(), free_port()
    server = Controller(
        kept, hostname="localhost", port=port, tls_context=server_side, authenticator=check, auth_required=True
    )
    server.start()
    try:
        trust = ssl.create_default_context(cafile=str(certificate_file))
        url = f"smtp://ada:p%40ss%20word@localhost:{port}"
        SmtpMailer(url, SENDER, trust=trust).send(HELLO)
        assert len(kept.mails) == 1
        with pytest.raises(MailFailed):
            SmtpMailer(url, SENDER).send(HELLO)
        with pytest.raises(MailFailed) as refusal:
            SmtpMailer(url.replace("p%40ss", "wrong"), SENDER, trust=trust).send(HELLO)
        assert "wrong" not in str(refusal.value)
        assert refusal.value.may_succeed_later  # of all mails: they wait until somebody has mended it
        assert len(kept.mails) == 1
    finally:
        server.stop()


def test_a_refused_recipient_is_told_with_the_code_and_whether_to_try_again(inbox: tuple[Inbox, int]) -> None:
    kept, port = inbox
    for answer, may in (("451 later", True), ("550 nobody here", False)):
        kept.answer = answer
        with pytest.raises(MailFailed, match=answer[:3]) as refusal:
            SmtpMailer(f"smtp+plain://127.0.0.1:{port}", SENDER).send(HELLO)
        assert refusal.value.may_succeed_later is may


def test_a_server_that_is_down_or_says_nothing_is_given_up() -> None:
    with pytest.raises(MailFailed, match=r"ConnectionRefusedError") as refusal:
        SmtpMailer(f"smtp+plain://127.0.0.1:{free_port()}", SENDER).send(HELLO)
    assert refusal.value.may_succeed_later
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = SmtpMailer(f"smtp+plain://127.0.0.1:{silent.getsockname()[1]}", SENDER, timeout_s=0.2)
        began = time.monotonic()
        with pytest.raises(MailFailed) as refusal:
            mailer.send(HELLO)
    assert refusal.value.may_succeed_later
    assert time.monotonic() - began < 20


def test_without_a_mail_server_mails_are_files_that_only_their_owner_reads(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    mailer = open_mailer("", SENDER, tmp_path)
    assert isinstance(mailer, FolderMailer)
    mailer.send(HELLO)
    [path] = (tmp_path / "mail").iterdir()
    assert (path.suffix, path.stat().st_mode & 0o777) == (".eml", 0o600)
    assert message_from_bytes(path.read_bytes(), policy=policy.default)["Subject"] == "Grüße 您好"
    assert str(path) in caplog.text
    assert "link=" not in caplog.text


def test_no_line_of_a_message_is_longer_than_mail_servers_take() -> None:
    message = message_of(Mail("ada@example.com", "s" * 3000, "x" * 5000), SENDER, NOW)
    assert max(len(line) for line in bytes(message).split(b"\r\n")) <= 998  # RFC 5322, 2.1.1

"""One mail as text: what is sent and what is written to a folder are the same bytes."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, make_msgid

from engine.errors import BadInput

__all__ = ["Mail", "address_of", "message_of"]

NOBODY = "Fieldstone <fieldstone@localhost>"
LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, without the brackets


@dataclass(frozen=True, slots=True)
class Mail:
    to: str  # one address, without a name
    subject: str
    text: str
    html: str = ""  # the same for programs that show it
    id: str = ""  # of the job that sends it: a mail that comes twice is known by it


def message_of(mail: Mail, sender: str, now: datetime) -> EmailMessage:
    """Raises BadInput for an address that is none. Whatever stands in a subject stays in that header."""
    message = EmailMessage(policy=SMTP)
    message["From"] = address_of(sender or NOBODY)
    message["To"] = address_of(mail.to)
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(now)
    domain = message["From"].addresses[0].domain or "localhost"
    message["Message-ID"] = f"<{mail.id}@{domain}>" if mail.id else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: an out-of-office reply is not wanted
    message.set_content(mail.text)
    if mail.html:
        message.add_alternative(mail.html, subtype="html")
    return message


def address_of(text: str) -> Address:
    """`ada@example.com` or `Ada <ada@example.com>`. Raises BadInput."""
    found = getaddresses([text])
    name, address = found[0] if len(found) == 1 else ("", "")
    user, _, domain = address.rpartition("@")
    # `in`: the reader mends what it is given, such as a blank in the domain.
    is_one = text.isprintable() and user and domain and len(address) <= LONGEST_ADDRESS and address in text
    if is_one:
        try:
            return Address(name, user, domain)
        except (ValueError, IndexError):
            pass
    raise BadInput(f"'{text[:80]}' is not a mail address", code="mail.address", fix="write it as ada@example.com")

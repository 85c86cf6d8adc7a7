"""A mail address."""

import re

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, wrong_type

LONGEST = 254  # RFC 5321, 4.5.3.1.3: a path has 256 octets with its angle brackets
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+"
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
PATTERN = rf"^{ATOM}(?:\.{ATOM})*@(?:{LABEL}\.)+{LABEL}$"
ADDRESS = re.compile(PATTERN[1:-1])


def parser(field: Field) -> Parse:
    return parse


def parse(value: object) -> str | None:
    """The address with its domain in small letters: only the part before the @ may tell them apart."""
    if not isinstance(value, str):
        raise wrong_type(value, "a mail address")
    if value == "":
        return None
    if len(value) > LONGEST or not ADDRESS.fullmatch(value):
        message = f"'{brief(value)}' is not a mail address"
        raise BadValue("value.email", message, "write it as name@example.com", value=brief(value))
    name, _, domain = value.rpartition("@")
    return f"{name}@{domain.lower()}"


EMAIL = FieldType(
    name="email",
    label={"en": "Email", "zh-CN": "邮箱"},
    value="text",
    widget="email",
    cell="email",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {"type": "string", "format": "email", "maxLength": LONGEST, "pattern": PATTERN},
    is_searchable=True,
    may_be_title=True,
    good=(
        ({}, "lin@example.com"),
        ({}, "Lin.Yue+sales@mail.example.COM"),
        ({}, "o'neil@xn--fiqs8s.example"),
        ({}, "a@b.co"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, "lin", "value.email"),
        ({}, "lin@localhost", "value.email"),
        ({}, "a b@example.com", "value.email"),
        ({}, "lin@example.com\n", "value.email"),
        ({}, "a@" + "b" * 64 + ".com", "value.email"),
        ({}, "a" * 250 + "@b.co", "value.email"),
    ),
)

"""A web address: http or https, never a script."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from engine.sdk import BadValue, Field, FieldType, Parse, Text, brief, wrong_type

LONGEST = 2048
PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\u0000-\u0020\u007f/?#@\\\"<>`{|}]+(?:[/?#][^\u0000-\u0020\u007f\\\"<>`]*)?$"
ADDRESS = re.compile(PATTERN[1:-1])
BARE = re.compile(r"[\w-]+(?:\.[\w-]+)+(?:[/?#].*)?")


def parser(field: Field) -> Parse:
    return parse


def parse(value: object) -> str | None:
    if not isinstance(value, str):
        raise wrong_type(value, "a web address")
    if value == "":
        return None
    if len(value) > LONGEST:
        message = f"'{brief(value)}' has {len(value)} characters; at most {LONGEST} are allowed"
        raise BadValue("value.text.long", message, length=len(value), max=LONGEST)
    if not ADDRESS.fullmatch(value):
        raise refusal(value)
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018 - raises when it is no port
    except ValueError:
        raise refusal(value) from None
    if not parts.hostname or any("\ud800" <= c <= "\udfff" for c in value):
        raise refusal(value)
    return parts.scheme + value[len(parts.scheme) :]


def refusal(value: str) -> BadValue:
    scheme, colon, rest = value.partition(":")
    if colon and rest.startswith("//") and "@" in re.split(r"[/?#]", rest[2:], maxsplit=1)[0]:
        message = f"'{brief(value)}' holds a user name or password"
        return BadValue("value.url.credentials", message, "leave out what stands before the @", value=brief(value))
    if colon and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme) and scheme.lower() not in ("http", "https"):
        message = f"'{brief(value)}' begins with '{brief(scheme)}:'; only http and https are taken"
        return BadValue("value.url.scheme", message, "write https://…", value=brief(value), scheme=brief(scheme))
    message = f"'{brief(value)}' is not a web address"
    return BadValue("value.url", message, "write it as https://example.com/page", value=brief(value))


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """People type "example.com"."""
    text = sent[-1].strip() if sent else ""
    return f"https://{text}" if BARE.fullmatch(text) else text or None


URL = FieldType(
    name="url",
    label={"en": "Web address", "zh-CN": "网址"},
    value="text",
    widget="url",
    cell="url",
    column=lambda field: Text(),
    parser=parser,
    schema=lambda field: {"type": "string", "maxLength": LONGEST, "pattern": PATTERN},
    from_form=from_form,
    is_searchable=True,
    good=(
        ({}, "https://example.com"),
        ({}, "HTTP://example.com:8080/a?b=c#d"),
        ({}, "https://例子.中国/路径?q=值"),
        ({}, "https://[2001:db8::1]/"),
        ({}, "https://example.com/@lin"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, "example.com", "value.url"),
        ({}, "https://", "value.url"),
        ({}, "https://:80/", "value.url"),
        ({}, "https://exa mple.com", "value.url"),
        ({}, "https://example.com:99999/", "value.url"),
        ({}, "javascript:alert(1)", "value.url.scheme"),
        ({}, "ftp://example.com", "value.url.scheme"),
        ({}, "data:text/html,<script>", "value.url.scheme"),
        ({}, "https://lin:secret@example.com", "value.url.credentials"),
        ({}, "https://example.com/" + "a" * 2048, "value.text.long"),
    ),
)

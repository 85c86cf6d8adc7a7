"""Read one value that came from outside: what field types share. Strict, exact, and refusing in one voice."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.errors import BadValue

__all__ = [
    "brief", "local_text", "read_date", "read_datetime", "read_text", "read_time", "utc_from_local", "wrong_type",
]  # fmt: skip

YEAR_MIN = 1000  # "0026-01-01" is a slip of the keyboard

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339, 5.6: date-time; "T" and "Z" may be lower case.
DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,30}))?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
BARRED = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL stores no NUL, UTF-8 no half of a pair
BARRED_FROM_LINE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
KINDS = (
    (bool, "true or false"),
    (int | float | Decimal, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "an object"),
)


def brief(value: object) -> str:
    """The value as a message quotes it: short, on one line, without what would break a log or a screen."""
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, str):
        text = value
    elif isinstance(value, list | tuple | dict):
        text = "{…}" if isinstance(value, dict) else "[…]"
    else:
        text = str(value)
    text = "".join(c if c.isprintable() else "�" for c in text[:41])
    return text if len(text) <= 40 else text[:39] + "…"


def wrong_type(value: object, expected: str, fix: str = "") -> BadValue:
    """Another kind of JSON value than the field takes: "7 is a number; text is expected"."""
    kind = next((name for types, name in KINDS if isinstance(value, types)), "of another kind")
    quoted = {True: "true", False: "false"}[value] if isinstance(value, bool) else brief(value)
    if isinstance(value, str):
        quoted = f"'{quoted}'"
    message = f"{quoted} is {kind}; {expected} is expected"
    return BadValue("value.type", message, fix, value=brief(value), expected=expected)


def read_text(value: object, longest: int, *, has_lines: bool = False) -> str | None:
    """Text with its ends trimmed; None when blank. The length counts before trimming, as the published schema does."""
    if not isinstance(value, str):
        raise wrong_type(value, "text", f'write "{brief(value)}"' if isinstance(value, int | float) else "")
    if len(value) > longest:
        message = f"'{brief(value)}' has {len(value)} characters; at most {longest} are allowed"
        raise BadValue("value.text.long", message, f"leave out {len(value) - longest}", length=len(value), max=longest)
    if found := (BARRED if has_lines else BARRED_FROM_LINE).search(value):
        raise barred(value, found[0])
    if has_lines and "\r" in value:  # browsers send CRLF, whatever was typed
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return value.strip() or None


def barred(value: str, character: str) -> BadValue:
    if character in "\r\n":
        message = f"'{brief(value)}' has a line break; this text is one line"
        return BadValue("value.text.line", message, "write it in one line")
    code = f"U+{ord(character):04X}"
    message = f"'{brief(value)}' has the character {code}, which cannot be stored"
    return BadValue("value.text.character", message, "leave it out", character=code)


def read_date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        found = value
    elif not isinstance(value, str):
        raise wrong_type(value, "a date as YYYY-MM-DD")
    else:
        try:
            found = date.fromisoformat(DATE.fullmatch(value)[0])  # type: ignore[index]
        except (TypeError, ValueError):
            message = f"'{brief(value)}' is not a date"
            raise BadValue("value.date", message, "write it as YYYY-MM-DD", value=brief(value)) from None
    check_year(found, value)
    return found


def check_year(found: date, value: object) -> None:
    if found.year < YEAR_MIN:
        message = f"{brief(value)} is before the year {YEAR_MIN}"
        raise BadValue("value.date.year", message, "write the year with four digits", value=brief(value), min=YEAR_MIN)


def read_datetime(value: object) -> datetime:
    """A moment, in UTC, to the millisecond: finer digits are cut off. The text must say its offset, or Z."""
    found = value if isinstance(value, datetime) else parse_datetime(value)
    if found.utcoffset() is None:
        message = f"'{brief(value)}' does not say its time zone"
        raise BadValue("value.datetime.zone", message, "add Z for UTC or an offset such as +08:00", value=brief(value))
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        message = f"'{brief(value)}' is outside the years {YEAR_MIN} to 9999"
        raise BadValue("value.date.year", message, value=brief(value), min=YEAR_MIN) from None
    check_year(found, value)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def parse_datetime(value: object) -> datetime:
    if not isinstance(value, str):
        raise wrong_type(value, "a date and time such as 2026-11-22T10:15:00+08:00")
    parts = DATETIME.fullmatch(value)
    if parts:
        day, clock, fraction, offset = parts.groups()
        offset = "+00:00" if offset in ("Z", "z") else offset or ""
        try:
            return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{offset}")
        except ValueError:
            pass  # the thirteenth month: refused below
    message = f"'{brief(value)}' is not a date and time"
    raise BadValue("value.datetime", message, "write it as 2026-11-22T10:15:00+08:00", value=brief(value))


def read_time(value: object) -> time:
    """A time of day, to the second, of no zone."""
    if isinstance(value, time) and value.tzinfo is None:
        return value.replace(microsecond=0)
    if not isinstance(value, str):
        raise wrong_type(value, "a time as HH:MM or HH:MM:SS")
    if not TIME.fullmatch(value):
        message = f"'{brief(value)}' is not a time of day"
        raise BadValue("value.time", message, "write it as HH:MM, from 00:00 to 23:59", value=brief(value))
    return time.fromisoformat(value)


def utc_from_local(text: str, zone: ZoneInfo) -> str | None:
    """A browser's local date and time -> the moment as "…Z"; None if it is not one.

    RFC 5545, 3.3.5: a time that occurs twice is the first; one that the clocks skip is read with the offset before.
    """
    try:
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None or "T" not in text.replace(" ", "T"):
            return None
        moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_text(moment: datetime, zone: ZoneInfo) -> str:
    """What an input of type datetime-local holds: no seconds where there are none, so that the picker stays short."""
    local = moment.astimezone(zone).replace(tzinfo=None)
    if local.microsecond:
        return local.isoformat(timespec="milliseconds")
    return local.isoformat(timespec="seconds" if local.second else "minutes")

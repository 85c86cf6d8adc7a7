"""Read one value that came from outside: what field types share. Strict, exact, and refusing in one voice."""

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import orjson

from engine.errors import BadValue
from metadata.model import Field

__all__ = [
    "INTEGER_MAX", "INTEGER_MIN", "brief", "local_text", "number_from_form", "number_json", "number_schema", "number_text",
    "option_number", "read_date", "read_datetime", "read_decimal", "read_integer", "read_text", "read_time",
    "utc_from_local", "wrong_type",
]  # fmt: skip

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
FLOAT_DIGITS = 15  # what a JSON number keeps exactly, whoever reads it: IEEE 754 double
YEAR_MIN = 1000  # "0026-01-01" is a slip of the keyboard

DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339, 5.6: date-time; "T" and "Z" may be lower case.
DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,30}))?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
KINDS = ((bool, "true or false"), (int | float | Decimal, "a number"), (str, "text"), (list, "a list"), (dict, "an object"))


def brief(value: object) -> str:
    """The value as a message quotes it: short, on one line, without what would break a log or a screen."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, int | float | Decimal | date) else repr(value)
    text = "".join(c if c.isprintable() else "�" for c in text[:41])
    return text if len(text) <= 40 else text[:39] + "…"


def wrong_type(value: object, expected: str, fix: str = "") -> BadValue:
    """Another kind of JSON value than the field takes: "7 is a number; text is expected"."""
    kind = next((name for types, name in KINDS if isinstance(value, types)), "of another kind")
    quoted = {True: "true", False: "false"}[value] if isinstance(value, bool) else brief(value)
    if isinstance(value, str):
        quoted = f"'{quoted}'"
    return BadValue("value.type", f"{quoted} is {kind}; {expected} is expected", fix, value=brief(value), expected=expected)


def read_text(value: object, longest: int, *, has_lines: bool = False) -> str | None:
    """Text with its ends trimmed; None when blank. The length counts before trimming, as the published schema does."""
    if not isinstance(value, str):
        raise wrong_type(value, "text", f"write \"{brief(value)}\"" if isinstance(value, int | float) else "")
    if len(value) > longest:
        message = f"'{brief(value)}' has {len(value)} characters; at most {longest} are allowed"
        raise BadValue("value.text.long", message, f"leave out {len(value) - longest}", length=len(value), max=longest)
    for character in value:
        if character < " " or "\ud800" <= character <= "\udfff" or character == "\x7f":
            check_character(value, character, has_lines)
    if has_lines and "\r" in value:  # browsers send CRLF, whatever was typed
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return value.strip() or None


def check_character(value: str, character: str, has_lines: bool) -> None:
    if character in "\r\n\t" and has_lines:
        return
    if character in "\r\n":
        message = f"'{brief(value)}' has a line break; this text is one line"
        raise BadValue("value.text.line", message, "write it in one line")
    if character == "\x00" or "\ud800" <= character <= "\udfff" or not has_lines:
        code = f"U+{ord(character):04X}"
        message = f"'{brief(value)}' has the character {code}, which cannot be stored"
        raise BadValue("value.text.character", message, "leave it out", character=code)


def read_integer(value: object, least: int = INTEGER_MIN, most: int = INTEGER_MAX) -> int:
    """A whole number; 3.0 is one, as in JSON Schema, true and "3" are not."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise wrong_type(value, "a whole number")
    if isinstance(value, float | Decimal):
        check_finite(value)
        if value != int(value):
            message = f"{brief(value)} is not a whole number"
            raise BadValue("value.integer", message, f"write {int(value)}?", value=brief(value))
    number = int(value)
    if not INTEGER_MIN <= number <= INTEGER_MAX:
        message = f"{brief(number)} is too large; a whole number has at most 64 bits"
        raise BadValue("value.integer.size", message, value=brief(number))
    check_range(Decimal(number), Decimal(least), Decimal(most))
    return number


def read_decimal(value: object, precision: int, scale: int, least: Decimal | None, most: Decimal | None) -> Decimal:
    """An exact number from a JSON number or from text such as "12.50". Refuses what it would have to round."""
    number = exact(value, scale)
    front, places = digits(value, number)
    if places > scale:
        message = f"{brief(value)} has {places} decimal places; at most {scale} are allowed"
        raise BadValue("value.number.scale", message, value=brief(value), max=scale)
    if front > precision - scale and (front > 1 or number <= -1 or number >= 1):
        message = f"{brief(value)} has {front} digits before the point; at most {precision - scale} are allowed"
        raise BadValue("value.number.digits", message, value=brief(value), max=precision - scale)
    check_range(number, least, most)
    if number.is_zero():
        number = abs(number)  # no "-0.00"
    return number.quantize(Decimal(1).scaleb(-scale))


def digits(value: object, number: Decimal) -> tuple[int, int]:
    """How many stand before and after the point: of text as written, of a number without closing zeros."""
    if isinstance(value, str):
        front, _, places = value.removeprefix("-").partition(".")
        return len(front), len(places)
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    return max(number.adjusted() + 1, 1), max(-exponent, 0)


def exact(value: object, scale: int) -> Decimal:
    if isinstance(value, bool):
        raise wrong_type(value, "a number")
    if isinstance(value, int):
        if value.bit_length() > 200:
            raise BadValue("value.number.digits", f"{brief_int(value)} has too many digits", value=brief_int(value))
        return Decimal(value)
    if isinstance(value, float | Decimal):
        check_finite(value)
        if isinstance(value, Decimal):
            if abs(value.adjusted()) > 60:
                raise BadValue("value.number.digits", f"{brief(value)} has too many digits", value=brief(value))
            return value
        return exact_float(value, scale)
    if isinstance(value, str):
        if not DECIMAL.fullmatch(value):
            message = f"'{brief(value)}' is not a number"
            raise BadValue("value.number", message, "write digits and a point, such as 1234.50", value=brief(value))
        return Decimal(value)
    raise wrong_type(value, "a number")


def exact_float(value: float, scale: int) -> Decimal:
    """What the sender meant by a double: 0.1 is 1/10, and 19.990000000000002, which sums leave behind, is 19.99."""
    if abs(value) >= 1e60:
        raise BadValue("value.number.digits", f"{value!r} has too many digits", value=repr(value))
    short = Decimal(format(value, f".{FLOAT_DIGITS}g"))
    meant = Decimal(repr(value))
    if meant == short or value.is_integer() and abs(value) < 2**53:
        return meant
    noise = Decimal(math.ulp(value)) * 8
    exponent = short.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= scale < -int(meant.as_tuple().exponent) and abs(meant - short) <= noise:
        return short
    if -int(meant.as_tuple().exponent) > scale:
        return meant  # too many places: the caller says so
    message = f"{value!r} has more digits than a JSON number keeps exactly"
    raise BadValue("value.number.exact", message, f'send it as text: "{meant:f}"', value=repr(value))


def brief_int(value: int) -> str:
    return f"a number of {value.bit_length()} bits"


def number_json(value: Decimal) -> object:
    """A JSON number that says every digit. Beyond what a double keeps it is written out; read it with a decimal reader."""
    return float(value) if len(value.as_tuple().digits) <= FLOAT_DIGITS else orjson.Fragment(f"{value:f}")


def number_text(value: Decimal | None) -> str:
    """What an input holds: "1234.5", without closing zeros."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number_schema(precision: int, scale: int, least: Decimal | None, most: Decimal | None) -> dict[str, object]:
    """A number, or the same as text where all digits count. What JSON Schema cannot say (decimal places) is in words."""
    number: dict[str, object] = {"type": "number"}
    limit = 10 ** (precision - scale)
    number |= {"exclusiveMinimum": -limit} if least is None else {"minimum": plain_number(least)}
    number |= {"exclusiveMaximum": limit} if most is None else {"maximum": plain_number(most)}
    places = f"(?:\\.[0-9]{{1,{scale}}})?" if scale else ""
    text = {"type": "string", "pattern": f"^-?[0-9]{{1,{max(precision - scale, 1)}}}{places}$"}
    return {"anyOf": [number, text], "description": f"at most {scale} decimal places"}


def plain_number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def check_finite(value: float | Decimal) -> None:
    if not math.isfinite(value):
        raise BadValue("value.number.finite", f"{value} is not a number that can be stored", value=str(value))


def check_range(number: Decimal, least: Decimal | None, most: Decimal | None) -> None:
    if least is not None and number < least:
        message = f"{number:f} is less than {least:f}, the least allowed"
        raise BadValue("value.number.min", message, f"write {least:f} or more", value=f"{number:f}", min=f"{least:f}")
    if most is not None and number > most:
        message = f"{number:f} is more than {most:f}, the most allowed"
        raise BadValue("value.number.max", message, f"write {most:f} or less", value=f"{number:f}", max=f"{most:f}")


def option_number(field: Field, name: str) -> Decimal | None:
    """A number among the field's options, exactly as it was written; None if it is not there."""
    value = field.options.get(name)
    return None if value is None else Decimal(str(value))


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
        raise BadValue("value.time", message, "write it as HH:MM or HH:MM:SS, from 00:00 to 23:59:59", value=brief(value))
    return time.fromisoformat(value)


def number_from_form(sent: Sequence[str], *, signs: str = "") -> str | None:
    """Digits as people type them -> plain digits: "１,２３４.５ " is "1234.5". What is no number stays as it is."""
    text = unicodedata.normalize("NFKC", sent[-1]).strip(" \t\u2212" + signs) if sent else ""
    if sent and sent[-1].strip().startswith("\u2212"):  # the minus sign that typography uses
        text = "-" + text
    if GROUPED.fullmatch(text):
        return text.replace(",", "")
    return text or None


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



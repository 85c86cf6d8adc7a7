"""Exact numbers: read from JSON and forms, limited in digits and range, written back without loss."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import orjson

from engine.errors import BadValue
from engine.store.types import Decimal as DecimalColumn
from engine.values import brief, wrong_type
from metadata.model import Field

__all__ = [
    "INTEGER_MAX", "INTEGER_MIN", "ExactNumber", "number_from_form", "number_json", "number_text", "read_decimal",
    "read_integer",
]  # fmt: skip

INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
FLOAT_DIGITS = 15  # what a JSON number keeps exactly, whoever reads it: IEEE 754 double
DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class ExactNumber:
    """All that a field type of decimal numbers needs; `precision` and `scale` are the defaults of its options."""

    precision: int
    scale: int

    @property
    def options(self) -> Mapping[str, Mapping[str, object]]:
        return {
            "precision": {"type": "integer", "minimum": 1, "maximum": 18, "default": self.precision},
            "scale": {"type": "integer", "minimum": 0, "maximum": 18, "default": self.scale},
            "min": {"type": "number"},
            "max": {"type": "number"},
        }

    def digits(self, field: Field) -> tuple[int, int]:
        options = field.options
        return int(str(options.get("precision", self.precision))), int(str(options.get("scale", self.scale)))

    def column(self, field: Field) -> DecimalColumn:
        return DecimalColumn(*self.digits(field))

    def parser(self, field: Field) -> Callable[[object], Decimal | None]:
        (precision, scale), (least, most) = self.digits(field), bounds(field)
        return lambda value: None if value == "" else read_decimal(value, precision, scale, least, most)

    def schema(self, field: Field) -> dict[str, object]:
        """A number, or the same as text where all digits count. What JSON Schema cannot say is in words."""
        (precision, scale), (least, most) = self.digits(field), bounds(field)
        limit = 10 ** (precision - scale)
        number: dict[str, object] = {"type": "number"}
        number |= {"exclusiveMinimum": -limit} if least is None else {"minimum": plain(least)}
        number |= {"exclusiveMaximum": limit} if most is None else {"maximum": plain(most)}
        places = f"(?:\\.[0-9]{{1,{scale}}})?" if scale else ""
        text = {"type": "string", "pattern": f"^-?[0-9]{{1,{max(precision - scale, 1)}}}{places}$"}
        return {"anyOf": [number, text], "description": f"at most {scale} decimal places"}

    def check(self, field: Field) -> Iterable[tuple[str, str, str, str]]:
        precision, scale = self.digits(field)
        least, most = bounds(field)
        if scale > precision:
            message = f"scale {scale} is more than precision {precision}"
            yield "scale", "field.scale", message, f"write {precision} or less"
        if least is not None and most is not None and least > most:
            yield "min", "field.range", f"min {least} is more than max {most}: no value fits", f"write {most} or less"


def bounds(field: Field) -> tuple[Decimal | None, Decimal | None]:
    least, most = (field.options.get(name) for name in ("min", "max"))
    return None if least is None else Decimal(str(least)), None if most is None else Decimal(str(most))


def plain(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def read_integer(value: object, least: int = INTEGER_MIN, most: int = INTEGER_MAX) -> int:
    """A whole number; 3.0 is one, as in JSON Schema, true and "3" are not."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise wrong_type(value, "a whole number")
    if isinstance(value, float | Decimal):
        check_finite(value)
        if not -(2**64) < value < 2**64:
            raise too_large(value)
        if value != int(value):
            message = f"{brief(value)} is not a whole number"
            raise BadValue("value.integer", message, f"write {int(value)}?", value=brief(value))
    number = int(value)
    if not INTEGER_MIN <= number <= INTEGER_MAX:
        raise too_large(number)
    check_range(Decimal(number), Decimal(least), Decimal(most))
    return number


def too_large(number: object) -> BadValue:
    message = f"{brief(number)} is too large; a whole number has at most 64 bits"
    return BadValue("value.integer.size", message, value=brief(number))


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
            raise BadValue("value.number.digits", f"{brief(value)} has too many digits", value=brief(value))
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
    if meant == short or (value.is_integer() and abs(value) < 2**53):
        return meant
    _, places = digits(value, short)
    _, meant_places = digits(value, meant)
    if places <= scale < meant_places and abs(meant - short) <= 8 * Decimal(math.ulp(value)):
        return short
    if meant_places > scale:
        return meant  # too many places: the caller says so
    message = f"{value!r} has more digits than a JSON number keeps exactly"
    raise BadValue("value.number.exact", message, f'send it as text: "{meant:f}"', value=repr(value))


def check_finite(value: float | Decimal) -> None:
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise BadValue("value.number.finite", f"{value} is not a number that can be stored", value=str(value))


def check_range(number: Decimal, least: Decimal | None, most: Decimal | None) -> None:
    if least is not None and number < least:
        message = f"{number:f} is less than {least:f}, the least allowed"
        raise BadValue("value.number.min", message, f"write {least:f} or more", value=f"{number:f}", min=f"{least:f}")
    if most is not None and number > most:
        message = f"{number:f} is more than {most:f}, the most allowed"
        raise BadValue("value.number.max", message, f"write {most:f} or less", value=f"{number:f}", max=f"{most:f}")


def number_json(value: Decimal) -> object:
    """A JSON number that says every digit: written out where a double would not keep them."""
    return float(value) if len(value.as_tuple().digits) <= FLOAT_DIGITS else orjson.Fragment(f"{value:f}")


def number_text(value: Decimal | None) -> str:
    """What an input holds: "1234.5", without closing zeros."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number_from_form(sent: Sequence[str], *, signs: str = "") -> str | None:
    """Digits as people type them -> plain digits: "１,２３４.５ " is "1234.5". What is no number stays as it is."""
    text = unicodedata.normalize("NFKC", sent[-1]).strip(" \t\u2212" + signs) if sent else ""
    if sent and sent[-1].strip().startswith("\u2212"):  # the minus sign that typography uses
        text = "-" + text
    if GROUPED.fullmatch(text):
        return text.replace(",", "")
    return text or None

"""Read a text literal as a date or time where it stands beside one, and hold literals against choices."""

import re
from datetime import UTC, date, datetime, time

from metadata.formula.errors import FormulaError
from metadata.formula.nodes import Const, FormulaType, Node, Path, field_of
from metadata.model import Field
from metadata.problem import nearest

__all__ = ["as_type", "must_be_choice", "read_moment"]

# Digits are ASCII: date.fromisoformat takes others, which no database reads.
DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
CLOCK = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
DATETIME = re.compile(rf"(\d{{4}}-\d{{2}}-\d{{2}})(?:[T ]({CLOCK})(Z|[+-]\d{{2}}:\d{{2}})?)?", re.ASCII)
TIME = re.compile(r"\d{2}:\d{2}(?::\d{2})?", re.ASCII)
LOOKS = {"date": "2026-11-22", "datetime": "2026-11-22T08:30:00Z", "time": "08:30"}
WORDS = {"date": "a date", "datetime": "a date and time", "time": "a time"}


def as_type(literal: Const, wanted: FormulaType) -> Const:
    """A text literal as a date, datetime (UTC unless it says otherwise) or time; others as they are."""
    if literal.type != "text" or wanted not in LOOKS:
        return literal
    text = str(literal.value)
    value: object = None
    try:
        if wanted == "date" and DATE.fullmatch(text):
            value = date.fromisoformat(text)
        elif wanted == "time" and TIME.fullmatch(text):
            value = time.fromisoformat(text)
        elif wanted == "datetime":
            value = read_moment(text)
    except ValueError:
        value = None
    if value is None:
        message = f"'{text[:40]}' is not {WORDS[wanted]}"
        raise FormulaError("formula.type", message, f"write it like '{LOOKS[wanted]}'", literal.column)
    return Const(value, wanted, literal.column)


def read_moment(text: str) -> datetime | None:
    """A date with a time, if wanted, in UTC unless it says otherwise; to the millisecond, as all are stored."""
    if not (found := DATETIME.fullmatch(text)):
        return None
    zone = (found[3] or "Z").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def must_be_choice(literal: Node, other: Node) -> None:
    """A text beside a field with choices is one of them."""
    field = field_of(other)
    if field is None or other.type not in ("choice", "choices"):
        return
    choices = [choice.value for choice in field.choices]
    if isinstance(literal, Const) and literal.type == "text" and choices and literal.value not in choices:
        name = other.key if isinstance(other, Path) else field.name
        guess = called(str(literal.value), field) or nearest(str(literal.value), choices)
        shown = ", ".join(f"'{choice}'" for choice in choices[:6])
        fix = f"write '{guess}'?" if guess else f"write one of {shown}"
        raise FormulaError("formula.type", f"'{literal.value}' is not a choice of '{name}'", fix, literal.column)


def called(label: str, field: Field) -> str:
    """The choice with this label: people write what they see."""
    wanted = label.casefold()
    return next((choice.value for choice in field.choices if wanted in map(str.casefold, choice.label.values())), "")

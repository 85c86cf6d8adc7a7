"""All that a plugin may import from Fieldstone. What stands here stays; the modules behind it may change."""

from typing import Any

import sqlalchemy as sa

from engine.contracts.field import FieldType, Parse, plain_form, plain_text, same
from engine.contracts.function import Function
from engine.errors import BadValue
from engine.formula.moments import days_later, whole
from engine.numbers import (
    INTEGER_MAX,
    INTEGER_MIN,
    ExactNumber,
    number_from_form,
    number_json,
    number_text,
    read_decimal,
    read_integer,
)
from engine.pattern import Pattern, PatternError
from engine.store.types import Boolean, Date, DateTime, Decimal, Id, Integer, Json, JsonText, Text, TextList, Time
from engine.values import brief, local_text, read_date, read_datetime, read_text, read_time, utc_from_local, wrong_type
from metadata.model import Choice, Field, say
from metadata.model import Text as Label

__all__ = [
    # contracts
    "BadValue", "Choice", "Field", "FieldType", "Function", "Label", "Parse",
    # columns
    "Boolean", "Date", "DateTime", "Decimal", "Id", "Integer", "Json", "JsonText", "Text", "TextList", "Time",
    # reading values
    "INTEGER_MAX", "INTEGER_MIN", "ExactNumber", "brief", "number_json", "number_text", "read_date", "read_datetime",
    "read_decimal", "read_integer", "read_text", "read_time", "say", "wrong_type",
    # safe patterns
    "Pattern", "PatternError",
    # browser forms
    "local_text", "number_from_form", "plain_form", "plain_text", "same", "utc_from_local",
    # SQL of functions
    "as_sql", "days_later", "small_letters", "whole",
]  # fmt: skip


def as_sql(value: Any, type_: sa.types.TypeEngine[Any]) -> Any:
    """The value as a bound parameter of that type; what is SQL already stays as it is."""
    return value if isinstance(value, sa.ClauseElement) else sa.literal(value, type_)


def small_letters(context: Any, text: Any) -> Any:
    """A to Z in small letters on both databases: SQLite's lower() knows no others, PostgreSQL's asks the locale."""
    if context.dialect == "sqlite":
        return sa.func.lower(text, type_=Text())
    return sa.func.lower(sa.collate(sa.cast(text, sa.Text), "C"), type_=Text())

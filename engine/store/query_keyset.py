"""Order and paging: where a page begins, as conditions that an index can serve. Opens no connection.

Blanks come last in ascending and first in descending order, on both databases. The record's id is the last key, in the
direction of the key before it, so an order is always total. A cursor holds the sort values of the last record shown.

The records after a cursor are read as segments, one after the other until the page is full. For `a desc, b, id` they
are `a = :a and (b, id) > (:b, :id)`, then `a < :a`. One OR of these would make both databases read from the start.
"""

import base64
import binascii
import datetime as dt
import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
import sqlalchemy as sa

from engine.errors import BadInput, InputProblem
from engine.store import types

__all__ = ["Key", "after", "blanks", "order", "read_cursor", "write_cursor"]

Condition = sa.ColumnElement[bool]

MAX_EXPONENT = 18  # powers of ten that a stored number reaches


@dataclass(frozen=True, slots=True)
class Key:
    """One column of an order."""

    column: sa.ColumnElement[Any]
    is_descending: bool
    is_nullable: bool


def order(keys: Sequence[Key], dialect: str) -> list[sa.ColumnElement[Any]]:
    """What stands in ORDER BY. Only SQLite must be told where blanks go: it would put them first."""
    parts: list[sa.ColumnElement[Any]] = []
    for key in keys:
        part: Any = key.column.desc() if key.is_descending else key.column.asc()
        if key.is_nullable and dialect == "sqlite":
            part = part.nulls_first() if key.is_descending else part.nulls_last()
        parts.append(part)
    return parts


def after(keys: Sequence[Key], is_blank: Sequence[bool], start: int = 0) -> list[Condition]:
    """Conditions whose records, taken one condition after the other, follow the cursor's in this order.

    `is_blank` says which of the cursor's values are None; the others are bound as `c0`, `c1`, ...
    """
    if start == len(keys):
        return []
    first = keys[start]
    if is_blank[start]:
        blank = first.column.is_(None)
        inner = [sa.and_(blank, rest) for rest in after(keys, is_blank, start + 1)]
        return [*inner, first.column.is_not(None)] if first.is_descending else inner
    end = start + 1
    # A nullable column can only begin a comparison of rows: (1, NULL) > (1, 5) is neither true nor false.
    while (
        end < len(keys)
        and keys[end].is_descending == first.is_descending
        and not keys[end].is_nullable
        and not is_blank[end]
    ):
        end += 1
    run = range(start, end)
    values = [sa.bindparam(f"c{index}", type_=keys[index].column.type) for index in run]
    equal = [keys[index].column == value for index, value in zip(run, values, strict=True)]
    found = [sa.and_(*equal, rest) for rest in after(keys, is_blank, end)]
    found.append(_beyond([keys[index].column for index in run], values, first.is_descending))
    if first.is_nullable and not first.is_descending:
        found.append(first.column.is_(None))
    return found


def _beyond(columns: list[sa.ColumnElement[Any]], values: list[Any], is_descending: bool) -> Condition:
    left: Any = columns[0] if len(columns) == 1 else sa.tuple_(*columns)
    right: Any = values[0] if len(columns) == 1 else sa.tuple_(*values)
    beyond: Condition = left < right if is_descending else left > right
    return beyond


def blanks(values: Sequence[Any]) -> tuple[bool, ...]:
    return tuple(value is None for value in values)


def write_cursor(shape: str, values: Sequence[Any]) -> str:
    """Opaque text for `values`, of use only to a query of the same `shape`."""
    plain = [
        None if value is None else value if isinstance(value, bool | int | str) else str(value) for value in values
    ]
    body = orjson.dumps(plain)
    return base64.urlsafe_b64encode(_seal(shape, body) + body).decode().rstrip("=")


def read_cursor(shape: str, keys: Sequence[Key], cursor: str) -> list[Any]:
    """The values that `write_cursor` put in. Raises BadInput for anything else."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        body = raw[8:]
        if raw[:8] != _seal(shape, body):
            raise ValueError("another query's cursor")
        plain = orjson.loads(body)
        return [_stored(value, key.column.type) for key, value in zip(keys, plain, strict=True)]
    except (ValueError, OverflowError, binascii.Error, TypeError, decimal.InvalidOperation) as error:
        problem = InputProblem("cursor", "cursor.bad", "this cursor does not belong to this query")
        raise BadInput(
            problem.message, code="cursor.bad", fix="ask for the first page again, without a cursor", problems=[problem]
        ) from error


def _seal(shape: str, body: bytes) -> bytes:
    return blake2b(body, digest_size=8, key=blake2b(shape.encode("utf-8", "replace"), digest_size=16).digest()).digest()


def _stored(value: Any, column_type: sa.types.TypeEngine[Any]) -> Any:
    """A value as it was before `write_cursor` made it text. Raises ValueError for what no record can hold."""
    if value is None:
        return None
    read, is_right = value, True
    if isinstance(column_type, types.DateTime):
        read = dt.datetime.fromisoformat(value)
        is_right = read.tzinfo is not None
        read = read.astimezone(dt.UTC)
    elif isinstance(column_type, types.Date):
        read = dt.date.fromisoformat(value)
    elif isinstance(column_type, types.Time):
        read = dt.time.fromisoformat(value)
        is_right = read.tzinfo is None
    elif isinstance(column_type, types.Decimal):
        read = decimal.Decimal(str(value))
        is_right = read.is_finite() and abs(read.adjusted()) <= MAX_EXPONENT
    elif isinstance(column_type, types.Boolean | types.Integer):
        kind = bool if isinstance(column_type, types.Boolean) else int
        is_right = type(value) is kind and -(2**63) <= value < 2**63
    elif isinstance(column_type, types.Id):
        is_right = isinstance(value, str) and types.is_id(value)
    else:
        is_right = isinstance(value, str) and "\0" not in value
    if not is_right:
        raise ValueError("not a value of this column")
    return read

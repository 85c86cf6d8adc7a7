"""What values of references hold, and which fields refer to an object. Opens no connection.

A reference to one object is that record's id. One to several records of an object is a list of ids. One to a record of
one of several objects is "object/id".
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store import types
from metadata.model import SYSTEM_FIELDS, Field

__all__ = ["SEPARATOR", "among", "id_in", "pointed", "referring", "replaced", "written"]

SEPARATOR = "/"


def referring(snapshot: Snapshot, target: str) -> tuple[tuple[str, Field], ...]:
    """(object, field) of all fields that may refer to records of an object, of every kind; `owner` is among them.

    Who created or changed a record holds nobody.
    """
    key = ("referring", target)
    if key not in snapshot.cache:
        snapshot.cache[key] = tuple(
            (name, one)
            for name, definition in snapshot.definitions.objects.items()
            for one in (*definition.fields.values(), SYSTEM_FIELDS["owner"])
            if one.refers_to(target)
        )
    found: tuple[tuple[str, Field], ...] = snapshot.cache[key]
    return found


def written(field: Field, target: str, record_id: str) -> str:
    """What stands in a value of the field for this record."""
    return f"{target}{SEPARATOR}{record_id}" if field.refers_to_any else record_id


def pointed(field: Field, value: Any) -> Iterator[tuple[str, str]]:
    """(object, id) of each record that a stored value refers to."""
    if value is None:
        return
    if field.target:
        yield field.target, value
    elif field.refers_to_many:
        yield from ((field.targets[0], one) for one in value)
    elif field.refers_to_any:
        object_name, _, record_id = value.partition(SEPARATOR)
        yield object_name, record_id


def replaced(field: Field, value: Any, changes: Mapping[str, str | None]) -> Any:
    """The stored value with some records in it (as `written`) replaced by others, or taken out where there is None."""
    if value is None:
        return None
    if not field.refers_to_many:
        return changes.get(value, value)
    return list(dict.fromkeys(new for one in value if (new := changes.get(one, one)) is not None)) or None


def id_in(dialect: str, column: sa.ColumnElement[Any], object_name: str) -> sa.ColumnElement[Any]:
    """The id of the record of this object that a column of "object/id" refers to; NULL where it is another's."""
    start = f"{object_name}{SEPARATOR}"
    size, after = (sa.literal_column(str(number), sa.Integer()) for number in (len(start), len(start) + 1))
    one = sa.literal_column("1", sa.Integer())
    rest: sa.ColumnElement[Any] = sa.func.substr(column, after, type_=types.Text())
    found = sa.type_coerce(rest, types.Id()) if dialect == "sqlite" else sa.cast(rest, types.Id())
    is_of: Any = sa.func.substr(column, one, size, type_=types.Text()) == sa.literal(start, types.Text())
    return sa.type_coerce(sa.case((is_of, found)), types.Id())


def among(field: Field, column: sa.ColumnElement[Any], names: Sequence[str], dialect: str) -> sa.ColumnElement[bool]:
    """Whether a value of the field holds one of what is bound under `names`, as `written`."""
    if not field.refers_to_many:
        values = [sa.bindparam(name, type_=column.type) for name in names]
        return column.in_(values) if len(values) > 1 else column == values[0]
    # An id stands in no other id, so it is found only where it is one of the list.
    values = [sa.bindparam(name, type_=types.Text()) for name in names]
    place = sa.func.instr if dialect == "sqlite" else sa.func.strpos
    return sa.or_(*(place(column, value, type_=sa.Integer()) > 0 for value in values))

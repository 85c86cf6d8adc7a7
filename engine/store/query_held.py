"""How a person holds records besides owning them, as SQL: people below them, shares, membership. Opens no connection.

Ids of people are bound as one list, fetched once per request: PostgreSQL then knows how many rows they have, and takes
the index on the owner for few and the order's for many. Shared records are looked up once per statement.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.snapshot import Snapshot
from engine.store import system, types
from metadata.formula import Held

__all__ = ["held"]

Column = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


def held(snapshot: Snapshot, node: Held, item: Column) -> Condition:
    if node.way == "people":
        return one_of(snapshot.dialect, item, [f"_people_{name}" for name in node.names])
    if node.way == "member":
        return is_member(snapshot, *node.names)
    object_name, *accesses = node.names
    return is_shared(snapshot, object_name, accesses, item)


def one_of(dialect: str, item: Column, names: Sequence[str]) -> Condition:
    """The id at `item` is in one of the lists bound under `names`."""
    if dialect == "sqlite":
        return sa.or_(*(item.in_(listed(dialect, name)) for name in names))
    return sa.or_(*(item == sa.any_(bound_ids(name)) for name in names))


def listed(dialect: str, name: str) -> sa.Select[Any]:
    """A list bound under `name`, as rows. SQLite is given it as JSON."""
    rows = sa.func.json_each(sa.bindparam(name, type_=types.TextList())).table_valued("value")
    return sa.select(rows.c.value)


class Texts(sa.TypeDecorator[Sequence[str]]):
    """Any sequence, bound as an array. PostgreSQL only."""

    impl = sa.ARRAY(sa.Text())
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: sa.Dialect) -> Sequence[str]:
        return list(value or ())


def bound_ids(name: str) -> Column:
    return sa.cast(sa.bindparam(name, type_=Texts()), sa.ARRAY(sa.Uuid(as_uuid=False)))


def is_shared(snapshot: Snapshot, object_name: str, accesses: Sequence[str], item: Column) -> Condition:
    """The record at `item` was shared, by one of these accesses, with what the person is or belongs to."""
    share = system.share.alias()
    dialect = snapshot.dialect
    if dialect == "sqlite":
        to_them: Condition = share.c.to.in_(listed(dialect, "_holders"))
    else:
        to_them = share.c.to == sa.any_(sa.bindparam("_holders", type_=Texts()))
    now = sa.bindparam("_now", type_=types.DateTime())
    found = sa.select(share.c.record).where(
        to_them,
        share.c.object == sa.literal(snapshot.physical.names.tables[object_name], types.Text()),
        *([share.c.access == sa.literal(accesses[0], types.Text())] if len(accesses) == 1 else []),
        sa.or_(share.c.expires_at.is_(None), share.c.expires_at > now),
    )
    if dialect == "sqlite":
        return item.in_(found.correlate(None))
    # As an array it is made once, and beside the owner's index the key's can be used.
    return item == sa.any_(sa.func.array(found.correlate(None).scalar_subquery(), type_=sa.ARRAY(types.Id())))


def is_member(snapshot: Snapshot, object_name: str, *names: str) -> Condition:
    """The person is in a department, or below it, or in a team of one of these names."""
    if object_name not in snapshot.definitions.objects:
        return sa.false()
    table = snapshot.physical.table(object_name).alias()
    mine = one_of(snapshot.dialect, table.c.id, [f"_in_{object_name}"])
    named = table.c.name.in_([sa.literal(name, types.Text()) for name in names])
    return sa.exists(sa.select(sa.literal_column("1")).where(table.c.deleted_at.is_(None), named, mine).correlate(None))

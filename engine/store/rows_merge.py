"""What merges did, so that they can be taken back. Kept by physical names, which no rename touches."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.snapshot import Snapshot
from engine.store import system
from engine.store.database import Connection, new_id
from engine.store.references import among, written
from metadata.model import Field

__all__ = ["Kept", "Moved", "forget_values", "latest", "losers_of", "mark_undone", "pointing", "write"]

KEPT = system.merge.c

Values = Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Moved:
    """A reference that led to losers, and leads to the master since."""

    object: str
    field: str
    record: str
    losers: tuple[str, ...]  # several where it refers to many
    had_master: bool = False  # ... and to the master as well


@dataclass(frozen=True, slots=True)
class Kept:
    """A merge, as far as the definitions still have what it touched."""

    id: str
    at: datetime
    losers: tuple[str, ...]
    values: Values  # field of the master -> (before, after), JSON-ready
    moved: tuple[Moved, ...]
    shares: tuple[tuple[str, str], ...] = ()  # (share, the loser whose it was)


def pointing(
    connection: Connection, snapshot: Snapshot, object_name: str, field: Field, target: str, ids: Sequence[str],
    limit: int,
) -> list[tuple[str, Any]]:  # fmt: skip
    """(record, stored value) of the records whose field refers to one of `ids` of `target`, in the trash or not."""
    table = snapshot.physical.table(object_name)
    names = [f"_i{index}" for index in range(len(ids))]
    holds = among(field, table.c[field.name], names, snapshot.dialect)
    chosen = sa.select(table.c.id, table.c[field.name]).where(holds).order_by(table.c.id).limit(limit)
    params = {name: written(field, target, one) for name, one in zip(names, ids, strict=True)}
    return [(row[0], row[1]) for row in connection.sa.execute(chosen, params)]


def write(
    ctx: Context, connection: Connection, object_name: str, master: str, losers: Sequence[str], values: Values,
    moved: Sequence[Moved], shares: Sequence[tuple[str, str]] = (),
) -> None:  # fmt: skip
    names = ctx.snapshot.physical.names
    columns = names.columns[object_name]
    references = [
        (names.tables[one.object], names.columns[one.object].get(one.field, one.field), one.record, one.losers,
         one.had_master)
        for one in moved
    ]  # fmt: skip
    references += [(system.share.name, "record", share, (loser,), False) for share, loser in shares]
    row = {
        "id": new_id(ctx.now), "object": names.tables[object_name], "master": master, "at": ctx.now,
        "by": ctx.actor.id or None, "losers": text(list(losers)),
        "values": text({columns.get(name, name): pair for name, pair in values.items()}), "moved": text(references),
        "undone_at": None,
    }  # fmt: skip
    connection.sa.execute(sa.insert(system.merge).values(row))


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def latest(connection: Connection, snapshot: Snapshot, object_name: str, master: str) -> Kept | None:
    """The last merge into a record that was not taken back."""
    names = snapshot.physical.names
    wanted = (
        sa.select(KEPT.id, KEPT.at, KEPT.losers, KEPT["values"], KEPT.moved)
        .where(KEPT.master == master, KEPT.object == names.tables[object_name], KEPT.undone_at.is_(None))
        .order_by(KEPT.id.desc())
        .limit(1)
    )
    row = connection.sa.execute(wanted).first()
    if row is None:
        return None
    fields = fields_of(snapshot, object_name)
    read = json.loads(row[3], parse_float=Decimal)  # no digit is lost
    values = {fields[name]: (pair[0], pair[1]) for name, pair in read.items() if name in fields}
    objects = names.objects
    moved, shares = [], []
    for table, column, record, losers, had_master in orjson.loads(row[4]):
        if table == system.share.name:
            shares.append((record, losers[0]))
        name = objects.get(table, "")
        field = fields_of(snapshot, name).get(column) if name else None
        if field is not None:
            moved.append(Moved(name, field, record, tuple(losers), had_master))
    return Kept(row[0], row[1], tuple(orjson.loads(row[2])), values, tuple(moved), tuple(shares))


def fields_of(snapshot: Snapshot, object_name: str) -> dict[str, str]:
    """Column -> field."""
    columns = snapshot.physical.names.columns[object_name]
    return {**{column: name for name, column in columns.items()}, "owner": "owner"}


def mark_undone(ctx: Context, connection: Connection, merge: str) -> None:
    connection.sa.execute(sa.update(system.merge).where(KEPT.id == merge).values(undone_at=ctx.now))


def losers_of(connection: Connection, master: str) -> list[str]:
    """Records that were merged into this one, in merges that were taken back, too."""
    found = connection.sa.scalars(sa.select(KEPT.losers).where(KEPT.master == master))
    return list(dict.fromkeys(one for text in found for one in orjson.loads(text)))


def forget_values(connection: Connection, ids: Sequence[str], columns: Sequence[str]) -> None:
    """What these columns of the masters held before and after; of merges in which one of `ids` took part."""
    wanted = sa.select(KEPT.id, KEPT.master, KEPT.losers, KEPT["values"])
    gone = set(columns)
    for key, master, losers, text in connection.sa.execute(wanted).all():
        if not {master, *orjson.loads(losers)} & set(ids):
            continue
        values = orjson.loads(text)
        left = {name: pair for name, pair in values.items() if name not in gone}
        if len(left) < len(values):
            change = sa.update(system.merge).where(KEPT.id == key)
            connection.sa.execute(change.values({"values": orjson.dumps(left).decode()}))

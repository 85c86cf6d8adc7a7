"""Everything that one person holds goes to another, in one transaction, with a report of what went and what did not.

What can be held comes in kinds, each of which moves its own part: a new one is a function in KINDS.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Context
from engine.errors import BadInput, EngineError, InputProblem, NotFound
from engine.people import sessions
from engine.people.guards import may_manage
from engine.people.handover_parts import EXAMPLES, PIECE, Handover, Kind, Left, Moved, Report
from engine.process.handing_over import named, returned, standing_in, tasks
from engine.service import Records
from engine.service_deletion import change_references
from engine.service_rows import may_not, need, not_found
from engine.store import rows
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.references import among, replaced
from metadata.model import SYSTEM_FIELDS, Field
from metadata.problem import nearest

__all__ = ["KINDS", "Handover", "Kind", "Left", "Moved", "Report", "hand_over", "holdings"]


def owned(move: Handover) -> Iterator[Moved | Left]:
    """Records of all packages' objects. Who owns people's own records means nothing."""
    for name, definition in move.ctx.snapshot.definitions.objects.items():
        if definition.package != "system" and move.concerns(name):
            yield from _references(move, "owned", name, SYSTEM_FIELDS["owner"])


PLACES = (
    ("user", "manager"), ("department", "head"), ("department", "deputies"), ("team", "lead"), ("team", "members"),
    ("queue", "members"),
)  # fmt: skip


def places(move: Handover) -> Iterator[Moved | Left]:
    """What the person is to other people: manager, head, deputy, member."""
    for name, field_name in PLACES:
        if move.concerns(name):
            yield from _references(move, "place", name, field_of(move.ctx.snapshot, name, field_name))


KINDS: Sequence[Kind] = (owned, places, tasks, returned, standing_in, named)


def hand_over(
    ctx: Context, giver: str, taker: str, *, objects: Iterable[str] | None = None, is_dry_run: bool = False,
    deactivates: bool = False,
) -> Report:  # fmt: skip
    """Raises NotFound, Forbidden, BadInput with a problem at `to` or `objects`, and Conflict past the limit.

    `deactivates`: the giver is refused from then on.
    """
    need(ctx.scope, "update", "user")
    with ctx.tenant.database.together() as connection:
        _check_giver(ctx, connection, giver)
        _check_taker(ctx, connection, giver, taker)
        wanted = None if objects is None else frozenset(_known(ctx, objects))
        report = _report(Handover(ctx, connection, giver, taker, is_dry_run, wanted))
        if not is_dry_run:
            if deactivates:
                Records(ctx).update("user", giver, {"is_active": False})
                sessions.end_all(ctx.tenant, giver)
            told: dict[str, int] = {}
            for one in report.moved:
                told[f"{one.object}.{one.field}"] = told.get(f"{one.object}.{one.field}", 0) + one.count
            note(
                connection, "people.handover", actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name="user",
                record=giver,
                details={"to": taker, "moved": told, "left": sum(one.count for one in report.left),
                         "deactivated": deactivates},
            )  # fmt: skip
    return report


def holdings(ctx: Context, giver: str) -> Report:
    """What a person would hand over, whoever takes it. Raises NotFound and Forbidden."""
    need(ctx.scope, "update", "user")
    with ctx.tenant.database.read() as connection:
        _check_giver(ctx, connection, giver)
        return _report(Handover(ctx, connection, giver, "", is_dry_run=True))


def _report(move: Handover) -> Report:
    found = [part for kind in KINDS for part in kind(move)]
    return Report([one for one in found if isinstance(one, Moved)], [one for one in found if isinstance(one, Left)])


def _check_giver(ctx: Context, connection: Connection, giver: str) -> None:
    found = rows.current(ctx, connection, "user", giver, "update")
    if found is None:
        raise not_found("user", giver)
    if not found.is_allowed:
        raise may_not("update", "user")
    may_manage(ctx, connection, [giver])


def _check_taker(ctx: Context, connection: Connection, giver: str, taker: str) -> None:
    other = rows.current(ctx, connection, "user", taker, "read")
    code, message = "", ""
    if giver == taker:
        code, message = "handover.same", "nobody hands over to themselves"
    elif other is None:
        code, message = "reference.unknown", f"no user has the id '{taker[:60]}'"
    elif not other.stored(["is_active"])["is_active"]:
        code, message = "reference.inactive", "this user is not active any more"
    if code:
        fix = "choose another"
        raise BadInput(message, code=code, fix=fix, problems=[InputProblem("to", code, message, fix)])


def _known(ctx: Context, objects: Iterable[str]) -> Iterator[str]:
    known = ctx.scope.objects()
    for name in objects:
        if name not in known:
            guess = nearest(name, known)
            message, fix = f"no object '{name[:60]}'", f"write '{guess}'?" if guess else ""
            problem = InputProblem("objects", "object.unknown", message, fix)
            raise NotFound(message, code="object.unknown", fix=fix, problems=[problem])
        yield name


def _references(move: Handover, kind: str, object_name: str, reference: Field) -> Iterator[Moved | Left]:
    """One person for the other in this field of all living records."""
    held = _held(move, object_name, reference)
    if not held:
        return
    if not move.may_move(object_name):
        message = f"you may not change all records of '{object_name}'"
        yield Left(kind, object_name, reference.name, len(held), "handover.forbidden", message)
        return
    move.take(len(held))
    changes = {one: (old, _new(move, reference, old)) for one, old in held}
    if (object_name, reference.name) == ("user", "manager"):
        changes |= _around(move, changes)
    refused: dict[tuple[str, str], int] = {}
    gone = dict(changes)
    if not move.is_dry_run:
        gone = {}
        ids = list(changes)
        for start in range(0, len(ids), PIECE):
            piece = {one: changes[one] for one in ids[start : start + PIECE]}
            gone |= _write(move, object_name, reference, piece, refused)
    if gone:
        first = list(gone)[:EXAMPLES]
        titles = Records(move.ctx).titles(object_name, first)
        yield Moved(kind, object_name, reference.name, len(gone), tuple((one, titles.get(one, "")) for one in first))
    for (code, message), count in refused.items():
        yield Left(kind, object_name, reference.name, count, code, message)


def _held(move: Handover, object_name: str, reference: Field) -> list[tuple[str, Any]]:
    """(record, stored value), locked where others could change them meanwhile."""
    snapshot = move.ctx.snapshot
    table = snapshot.physical.table(object_name)
    column = table.c[reference.name]
    wanted = (
        sa.select(table.c.id, column)
        .where(table.c.deleted_at.is_(None), among(reference, column, ["_giver"], snapshot.dialect))
        .order_by(table.c.id)
        .limit(move.room + 1)
    )
    if snapshot.dialect == "postgresql" and not move.is_dry_run:
        wanted = wanted.with_for_update()
    return [(str(row[0]), row[1]) for row in move.connection.sa.execute(wanted, {"_giver": move.giver})]


def _new(move: Handover, reference: Field, old: Any) -> Any:
    return replaced(reference, old, {move.giver: move.taker})


def _around(move: Handover, changes: Iterable[str]) -> dict[str, tuple[Any, Any]]:
    """Who takes over, and those between them and the giver, come to stand below the giver's own manager: nobody is
    below themselves."""
    table = move.ctx.snapshot.physical.table("user")
    pairs = move.connection.sa.execute(sa.select(table.c.id, table.c.manager)).all()
    above: dict[str, Any] = {row[0]: row[1] for row in pairs}
    way = [move.taker]
    while (place := above.get(way[-1])) is not None and place not in way:
        way.append(place)
    return {one: (move.giver, above.get(move.giver)) for one in changes if one in way}


def _write(
    move: Handover, object_name: str, reference: Field, piece: dict[str, tuple[Any, Any]],
    refused: dict[tuple[str, str], int],
) -> dict[str, tuple[Any, Any]]:  # fmt: skip
    """Those of a piece that were written; together, or where one of them is refused, one by one."""
    try:
        with rows.savepoint(move.connection):
            change_references(move.ctx, move.connection, object_name, reference, piece)
        return piece
    except EngineError as error:
        if len(piece) == 1:
            refused[error.code, str(error)] = refused.get((error.code, str(error)), 0) + 1
            return {}
    written: dict[str, tuple[Any, Any]] = {}
    for one, pair in piece.items():
        written |= _write(move, object_name, reference, {one: pair}, refused)
    return written

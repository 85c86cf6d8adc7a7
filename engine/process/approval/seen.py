"""What somebody sees of the record now through their steps, and what differs from the submission: through these, or by
their own rights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from engine.context import Context
from engine.errors import NotFound
from engine.process.approval import kept
from engine.process.approval.state import ENDED, State
from engine.process.approval.work import object_at
from engine.process.comparing import Difference, compare, differences, line_object
from engine.process.reading import MOST_DEPTH, Reading, nodes_of, read_as_participant
from engine.process.snapshots import WHOLE, Kept, kept_of, seen_data
from engine.process.waiting import open_request, own_reading
from engine.store import rows
from engine.store.database import Connection
from engine.store.query import Query, find
from metadata.model import SYSTEM_FIELDS

__all__ = ["Seen", "compared", "seen"]

PIECE = 500


@dataclass(frozen=True, slots=True)
class Seen:
    reading: Reading
    differences: tuple[Difference, ...] = ()
    is_own: bool = False  # of a new record, for who entered it: titles are theirs to look up


def seen(ctx: Context, instance_id: str) -> Seen | None:
    """None for whoever does not take part by a step now: they see what their own rights show."""
    try:
        reading = read_as_participant(ctx, instance_id)
    except NotFound:
        return of_own(ctx, instance_id)
    with ctx.tenant.database.read() as connection:
        state = kept.load(connection, instance_id)
        nodes = nodes_of(ctx, connection, state) if state is not None else []
        sent = [one for one in kept_of(connection, ctx, instance_id) if not one.task]
        if state is None or not nodes or not sent or sent[-1].object != object_at(ctx.snapshot, state.instance.object):
            return Seen(reading)
        request = open_request(ctx, connection, state)
        now = request.draft["shown"] if request is not None and request.action == "create" else None
        return Seen(reading, tuple(compare(ctx, connection, sent[-1], nodes, now=now)))


def of_own(ctx: Context, instance_id: str) -> Seen | None:
    with ctx.tenant.database.read() as connection:
        state = kept.load(connection, instance_id)
        found = own_reading(ctx, connection, state) if state is not None else None
    return Seen(found, is_own=True) if found is not None else None


def compared(ctx: Context, instance_id: str) -> tuple[Difference, ...]:
    """What differs from what was submitted last, by the person's own rights: fields, records referred to and lines that
    they may read. Of an approval that has ended: at its last decision. () for whoever may not read the record."""
    with ctx.tenant.database.read() as connection:
        state = kept.load(connection, instance_id)
        object_name = object_at(ctx.snapshot, state.instance.object) if state is not None else ""
        if state is None or not ctx.scope.can("read", object_name):
            return ()
        if rows.current(ctx, connection, object_name, state.instance.record, "read") is None:
            return ()
        every = kept_of(connection, ctx, instance_id)
        sent = next((at for at in range(len(every) - 1, -1, -1) if not every[at].task), None)
        if sent is None or every[sent].object != object_name:
            return ()
        found = by_rights(ctx, connection, state, every[sent], every[-1])
        return tuple(without_hidden_lines(ctx, connection, object_name, found))


def by_rights(ctx: Context, connection: Connection, state: State, sent: Kept, last: Kept) -> list[Difference]:
    hidden = list(unseen(ctx, sent.object, ""))

    @cache
    def known(object_name: str, record_id: str) -> bool:
        if object_name not in ctx.snapshot.definitions.objects or not ctx.scope.can("read", object_name):
            return False
        return bool(find(ctx, connection, Query(object_name, ("id",), ids=(record_id,), limit=1)).rows)

    if state.instance.state not in ENDED:
        return compare(ctx, connection, sent, replace(WHOLE, hidden=tuple(hidden)), known)
    before, after = (seen_data(ctx, one.object, one.data, hidden, "") for one in (sent, last))
    return list(differences(ctx, sent.object, before, after, known))


def unseen(ctx: Context, object_name: str, prefix: str) -> Iterator[str]:
    """What the person's rights do not show: "cost", "items", "items.cost"."""
    readable = ctx.scope.readable(object_name)
    for name, field in {**ctx.snapshot.definitions.objects[object_name].fields, **SYSTEM_FIELDS}.items():
        if name not in readable or (field.source == "lines" and not ctx.scope.can("read", field.of)):
            yield f"{prefix}{name}"
        elif field.source == "lines" and prefix.count(".") < MOST_DEPTH:
            yield from unseen(ctx, field.of, f"{prefix}{name}.")


def without_hidden_lines(
    ctx: Context, connection: Connection, object_name: str, found: Sequence[Difference]
) -> Iterator[Difference]:
    """Without those of lines, removed ones too, that the rows of the person's rights do not hold."""
    wanted: dict[str, dict[str, None]] = {}
    for one in found:
        if one.line:
            wanted.setdefault(line_object(ctx, object_name, one), {})[one.line] = None
    visible: set[str] = set()
    for name, ids in wanted.items():
        every = list(ids)
        for start in range(0, len(every), PIECE):
            piece = tuple(every[start : start + PIECE])
            for in_trash in (False, True):
                query = Query(name, ("id",), ids=piece, limit=len(piece), in_trash=in_trash)
                visible |= {str(row[0]) for row in find(ctx, connection, query).rows}
    yield from (one for one in found if not one.line or one.line in visible)

"""The boxes as a person sees them: rows with names, labels and what they may see of the record, page by page."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from engine.context import Context
from engine.process.approval import kept
from engine.process.approval.inbox import Box, Filters, Found, choices_of, cursor_after, rows_of
from engine.process.approval.inbox_seen import Seen, matching, seen
from engine.process.approval.people import names_of
from engine.process.approval.showing import Names, approval_of
from engine.process.approval.views import BoxChoices, InboxRow, Person
from engine.process.approval.work import object_at
from engine.process.waiting import Waiting, waiting_of
from engine.store.database import Connection
from engine.store.query_paths import field_of
from metadata.model import say
from metadata.processes import nodes_in

__all__ = ["choices_view", "page_of"]

LOOKED_AT = 500  # rows at a time, when a text is looked for, and
MOST_LOOKED_AT = 10_000  # for one page: the next one goes on from there


def page_of(
    ctx: Context, connection: Connection, box: Box, filters: Filters, text: str, limit: int, cursor: str
) -> tuple[list[InboxRow], str | None]:  # fmt: skip
    """Rows of a box, and the cursor of what comes after them. With a text: those that show it or whose record is found
    by it. A page with few rows may have a next one all the same."""
    if not text.strip():
        found, more = rows_of(ctx, connection, box, filters, limit, cursor)
        return rows_made(ctx, connection, found, box), more
    rows: list[InboxRow] = []
    for _ in range(MOST_LOOKED_AT // LOOKED_AT):
        piece, more = rows_of(ctx, connection, box, filters, LOOKED_AT, cursor)
        made = dict(zip((one.row for one in piece), rows_made(ctx, connection, piece, box), strict=True))
        hits = matching(ctx, connection, piece, {row: texts(ctx, one) for row, one in made.items()}, text)
        room = limit - len(rows)
        rows += [made[one.row] for one in hits[:room]]
        if len(hits) > room:
            return rows, cursor_after(hits[room - 1], filters, box)
        if more is None or len(rows) == limit:
            return rows, more
        cursor = more
    return rows, cursor


def texts(ctx: Context, row: InboxRow) -> Iterator[str]:
    """What one reads in a row of its record."""
    yield row.title
    for one in row.summary:
        field = field_of(ctx.snapshot, row.object, one.name) if "." not in one.name else None
        if field is not None and (field.target or field.targets):
            continue  # the title of another record, which has rules of its own
        choices = {choice.value: choice.label for choice in field.choices} if field is not None else {}
        for value in one.value if isinstance(one.value, list) else (one.value,):
            if value in choices:
                yield say(choices[value], ctx.language)
            elif isinstance(value, str | int | float) and not isinstance(value, bool):
                yield str(value)


def rows_made(ctx: Context, connection: Connection, found: Sequence[Found], box: Box) -> list[InboxRow]:
    users = [user for one in found for user in (one.submitter, one.user, str(one.task_data.get("instead_of") or ""))]
    named, shown = Names(ctx, connection, users), seen(ctx, connection, found)
    return [row_made(ctx, connection, one, box, named, shown[one.row]) for one in found]


def row_made(ctx: Context, connection: Connection, one: Found, box: Box, named: Names, shown: Seen) -> InboxRow:
    object_name = object_at(ctx.snapshot, one.object)
    approval = approval_of(ctx, one.approval, one.version, one.node)
    node = next((node for node in nodes_in(approval.flow) if node.name == one.node), None) if approval else None
    via = "self"
    if box == "todo" and one.user != ctx.actor.id:
        via = "agent" if one.user else "queue"
    instead = one.user if via == "agent" else str(one.task_data.get("instead_of") or "")
    wanted = approval.summary if approval else ()
    hidden = node.hidden if node else ()
    return InboxRow(
        one.task, one.instance, one.approval, say(approval.label, ctx.language) if approval else one.approval,
        object_name, say(ctx.snapshot.definitions.objects[object_name].label, ctx.language), one.record,
        shown.title, one.node, say(node.label, ctx.language) if node else one.node, one.state,
        one.instance_state, named(one.submitter), one.started_at, one.at, one.due_at,
        one.due_at is not None and one.due_at < ctx.now and box == "todo", one.read_at is not None, via,
        named.maybe(instead), one.round,
        tuple(value for value in shown.summary if value.name in wanted and value.name not in hidden),
        box == "todo" and node is not None and node.type == "approve" and not node.signature and not node.required
        and "approve" not in node.comment, is_urged(one, box),
        waiting_for(ctx, connection, one) if approval and approval.storage == "before_save" else None,
        box == "todo" and via == "self" and bool(one.task_data.get("queue")),
    )  # fmt: skip


def waiting_for(ctx: Context, connection: Connection, one: Found) -> Waiting | None:
    state = kept.load(connection, one.instance)
    return waiting_of(ctx, connection, state) if state is not None else None


def is_urged(one: Found, box: Box) -> bool:
    urged = str(one.data.get("urged") or "")
    return box == "todo" and bool(urged) and datetime.fromisoformat(urged) >= one.at


def choices_view(ctx: Context, connection: Connection, box: Box) -> BoxChoices:
    found = choices_of(ctx, connection, box)
    people = names_of(ctx, connection, [submitter for _, _, submitter, _ in found if submitter])
    approvals, objects = dict[str, str](), dict[str, str]()
    for name, table, _, version in found:
        object_name, approval = object_at(ctx.snapshot, table), approval_of(ctx, name, version, "")
        approvals[name] = say(approval.label, ctx.language) if approval else name
        objects[object_name] = say(ctx.snapshot.definitions.objects[object_name].label, ctx.language)
    return BoxChoices(
        by_label(approvals), by_label(objects), tuple(Person(one, name) for one, name in by_label(people))
    )


def by_label(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items(), key=lambda one: one[1]))

"""New records that wait for their approval: nothing of one stands in its object's table before it is made.

What was entered is tried and taken back, so that all that is wrong with it is told at once. What the record would be
is kept: conditions, approvers and those who take part read that. It is made through the one door when the approval ends
so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from engine.access.scope import full_scope
from engine.context import SYSTEM, Context, context_of
from engine.process import requests
from engine.process.requests import Request, Trial
from engine.rules.values import rules_of
from engine.snapshot import Snapshot
from engine.store import rows
from engine.store.database import Connection, new_id
from engine.store.system_locks import change_request as table
from metadata.model import SYSTEM_FIELDS
from metadata.processes import Approval

if TYPE_CHECKING:
    from engine.process.approval.work import Work

__all__ = ["edit", "held_of", "make", "of_work", "propose", "renew", "standing", "with_values"]

Json = dict[str, Any]
OPEN = ("waiting", "conflict")


def propose(
    ctx: Context, connection: Connection, object_name: str, values: Mapping[str, Any], trial: Trial
) -> Request | None:  # fmt: skip
    """The request that a new record became, in `ctx.requests`, too, unless nobody had to be asked; None where it is to
    be made as usual. `trial` makes it: that is undone again. Raises what speaks against it."""
    found = requests.approvals_of(ctx, object_name, "create")
    if not found or not requests.is_asked(ctx, connection):
        return None
    warned = len(ctx.warnings)
    tried = _tried(ctx, connection, object_name, values, trial, lambda record: _first(ctx, connection, found, record))
    if tried is None:
        del ctx.warnings[warned:]  # it is made now, and finds the same
        return None
    record, chosen, draft = tried
    requests.need_no_secret(ctx, object_name, values)
    from engine.process.approval.submission import propose_in  # approvals write records, whose writing asks here

    made = Request(
        new_id(ctx.now), "", chosen.name, object_name, record, "create", requests.jsonable(values), 0, "waiting",
        ctx.actor.id, ctx.now, draft,
    )  # fmt: skip
    requests.insert(ctx, connection, made)
    done = propose_in(ctx, connection, made, chosen)
    requests.update(connection, made.id, instance=done.instance)
    if done.state == "APPROVED":
        return replace(made, instance=done.instance, state="applied")
    made = replace(made, instance=done.instance)
    ctx.requests.append(made)
    return made


def _first(ctx: Context, connection: Connection, approvals: Sequence[Approval], record: str) -> Approval | None:
    from engine.process.approval.conditions import holds  # it reads records, whose writing asks here

    see_all = replace(ctx, scope=full_scope(ctx.snapshot))
    return next((one for one in approvals if holds(see_all, connection, one.object, record, one.when)), None)


class _Undone(Exception):
    pass


def _tried(
    ctx: Context, connection: Connection, object_name: str, values: Mapping[str, Any], trial: Trial,
    choose: Callable[[str], Approval | None],
) -> tuple[str, Approval, Json] | None:  # fmt: skip
    """The id of what was made and taken back, the approval that is for it, and what it would be."""
    found: tuple[str, Approval, Json] | None = None
    try:
        with rows.savepoint(connection), requests.without_requests(connection):
            record = str(trial()["id"])
            chosen = choose(record)
            if chosen is not None:
                found = record, chosen, _draft(ctx, connection, object_name, record, values)
            raise _Undone
    except _Undone:
        return found


def _draft(
    ctx: Context, connection: Connection, object_name: str, record: str, values: Mapping[str, Any]
) -> Json:  # fmt: skip
    """Of a record that stands. Numbers that are given in turn are those of another one by then: they are left out."""
    from engine.process.snapshots import taken  # it reads records, whose writing asks here

    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot)
    rules = rules_of(ctx.snapshot, object_name)
    definition = ctx.snapshot.definitions.objects[object_name]
    numbers = {rule.field.name for rule in rules.generated if values.get(rule.field.name) is None}
    columns = ctx.snapshot.physical.names.columns[object_name]
    current = rows.current(system, connection, object_name, record, "read")
    assert current is not None  # it was written a moment ago
    stored = {
        columns.get(name, name): value for name, value in current.record().items()
        if name not in numbers and not (name in rules.fields and rules.fields[name].type.is_secret)
    }  # fmt: skip
    shown, _ = taken(ctx, connection, object_name, record)
    for name in numbers:
        shown["values"].pop(columns[name], None)
    if definition.title in numbers:
        shown["title"] = ""
    fields = [*shown["values"], *shown["reckoned"], *(name for name, lines in shown["lines"].items() if lines)]
    kept: Json = orjson.loads(orjson.dumps({"stored": stored, "shown": shown, "fields": fields}, default=str))
    return kept


# -- what waits


def of_work(w: "Work") -> Request | None:
    """The new record that an instance is about; None where it is about one that is there."""
    if w.approval.storage != "before_save" or w.approval.trigger != "create":
        return None
    found = requests.of_instance(w.ctx, w.connection, w.instance.id, w.instance.record, w.approval.name)
    return found if found is not None and found.action == "create" and found.state != "applied" else None


def held_of(ctx: Context, connection: Connection, object_name: str, record_id: str) -> Json | None:
    """Stored Python values by field of a new record that waits, as `subject.record_of` has them of others."""
    if not _is_proposed(ctx.snapshot, object_name):
        return None
    c = table.c
    wanted = sa.select(table).where(c.record == record_id, c.action == "create", c.state.in_(OPEN))
    row = connection.sa.execute(wanted.order_by(c.id.desc()).limit(1)).first()
    return None if row is None else stored_of(ctx.snapshot, object_name, orjson.loads(row.draft)["stored"])


def _is_proposed(snapshot: Snapshot, object_name: str) -> bool:
    key = ("proposed", object_name)
    if key not in snapshot.cache:
        snapshot.cache[key] = any(
            one.object == object_name and one.storage == "before_save" and one.trigger == "create"
            for one in snapshot.definitions.processes.approvals.values()
        )
    return bool(snapshot.cache[key])


def stored_of(snapshot: Snapshot, object_name: str, held: Mapping[str, Any]) -> Json:
    columns, fields = snapshot.physical.names.columns[object_name], rules_of(snapshot, object_name).fields
    found: Json = {}
    for name in rows.columns_of(snapshot, object_name):
        value = held.get(columns.get(name, name))
        if value is not None and name in fields:
            value = fields[name].parse(value)
        elif value is not None and name in SYSTEM_FIELDS and name.endswith("_at"):
            value = datetime.fromisoformat(value)
        found[name] = value
    return found


# -- what becomes of it


def make(ctx: Context, connection: Connection, request: Request) -> None:
    """The record, as `ctx`, then what approvers changed of it, as they did. Raises what speaks against it."""
    from engine.service_writes import create_asked, update_asked  # writing asks here

    create_asked(ctx, connection, request.object, request.values, request.record)
    for one in request.draft.get("edits", ()):
        editor = replace(ctx, scope=full_scope(ctx.snapshot), actor=replace(ctx.actor, id=one["by"]))
        values = requests.by_field(ctx, request.object, one["values"])
        update_asked(editor, connection, request.object, request.record, values, None)


def edit(w: "Work", request: Request, values: Mapping[str, Any]) -> None:
    """What an approver changes of it: the step lets them. Raises what speaks against it."""
    mine = {"by": w.ctx.actor.id, "values": requests.by_column(w.ctx, request.object, requests.jsonable(values))}
    author = replace(requests.author_of(w, request.by), reader=w.ctx.told)
    _try_again(w, author, with_values(request, request.values, mine))


def renew(w: "Work", request: Request, values: Mapping[str, Any]) -> None:
    """What who entered it changes before it is submitted again; what approvers changed of these fields counts no
    more."""
    requests.need_no_secret(w.ctx, request.object, values)
    given = requests.jsonable(values)
    columns = requests.by_column(w.ctx, request.object, given)
    left = [
        {**one, "values": {name: value for name, value in one["values"].items() if name not in columns}}
        for one in request.draft.get("edits", ())
    ]
    kept = replace(request, draft={**request.draft, "edits": left})
    _try_again(w, w.ctx, with_values(kept, {**request.values, **given}))


def with_values(request: Request, values: Mapping[str, Any], *edits: Mapping[str, Any]) -> Request:
    made = [one for one in (*request.draft.get("edits", ()), *edits) if one["values"]]
    return replace(request, values=dict(values), draft={**request.draft, "edits": made})


def _try_again(w: "Work", ctx: Context, request: Request) -> None:
    draft: Json = {}
    with _tentatively(ctx, w.connection, request):
        entered = dict(request.values)
        for one in request.draft["edits"]:
            entered |= requests.by_field(ctx, request.object, one["values"])
        draft = _draft(ctx, w.connection, request.object, request.record, entered)
    values = orjson.dumps(requests.by_column(w.ctx, request.object, request.values)).decode()
    draft["edits"] = list(request.draft["edits"])
    requests.update(w.connection, request.id, values=values, draft=orjson.dumps(draft, default=str).decode())
    w.forget_proposal()


@contextmanager
def standing(w: "Work") -> Iterator[None]:
    """Inside, the record is there: for what is asked of its row. Nothing that is written inside stays."""
    request = w.proposal
    if request is None:
        yield
        return
    with _tentatively(requests.author_of(w, request.by), w.connection, request):
        yield


@contextmanager
def _tentatively(ctx: Context, connection: Connection, request: Request) -> Iterator[None]:
    warned = len(ctx.warnings)
    try:
        with rows.savepoint(connection), requests.without_requests(connection):
            make(ctx, connection, request)
            yield
            raise _Undone
    except _Undone:
        del ctx.warnings[warned:]

"""Changes that are kept aside until they are approved: an approval with `storage: before_save`.

Whoever reads the record sees it as it was. What was sent is tried and taken back, so that all that is wrong with it is
told at once; then it waits, and is made through the one door as its author when the approval ends so.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from engine.access.scope import full_scope
from engine.context import Context
from engine.errors import BadInput, EngineError, InputProblem, NotFound
from engine.people.standing import standing_of
from engine.rules.told import error_told
from engine.store import rows, rows_history
from engine.store.database import Connection, new_id
from engine.store.lasting import kept_names, names_of_kept
from engine.store.rows_locks import Exemption
from engine.store.system_approvals import approval as instance_table
from engine.store.system_locks import change_request as table
from metadata.model import Field
from metadata.processes import APPROVAL_STATUS, Approval

if TYPE_CHECKING:
    from engine.process.approval.work import Work

__all__ = [
    "TRYING", "Request", "Trial", "apply_of", "approvals_of", "author_of", "by_column", "by_field", "drop_of", "insert",
    "intercept", "is_asked", "jsonable", "need_no_secret", "of_instance", "own_writing", "renew_of", "request_of",
    "update", "without_requests",
]  # fmt: skip

Trial = Callable[[], Any]
OWNER = "owner"
TRYING = Exemption("", frozenset())  # opens no lock


@dataclass(frozen=True, slots=True)
class Request:
    """`values`: as the API takes them, by field; {} of a deletion. `action`: create, update or delete. `state`:
    waiting, applied, conflict or dropped. `draft`: {"shown": what the record would be, as snapshots keep it;
    "fields": those that would be others, by column; of a new record "stored": column -> JSON value, and "edits": those
    of approvers}."""

    id: str
    instance: str
    approval: str
    object: str
    record: str
    action: str
    values: Mapping[str, Any]
    record_version: int
    state: str
    by: str
    at: datetime | None = None
    draft: Mapping[str, Any] = field(default_factory=dict)


def intercept(
    ctx: Context, connection: Connection, object_name: str, record_id: str, values: Mapping[str, Any], action: str,
    trial: Trial,
) -> Request | None:  # fmt: skip
    """The request that a change became, in `ctx.requests`, too; None where it is to be made as usual. `trial` makes the
    change: it is undone again. Raises what speaks against the change, and Conflict where an approval runs already."""
    found = approvals_of(ctx, object_name, action)
    if not found or not is_asked(ctx, connection, record_id):
        return None
    chosen, draft = _tried(ctx, connection, object_name, record_id, found, trial)
    if chosen is None:
        return None
    need_no_secret(ctx, object_name, values)
    from engine.process.approval.submission import submit_in  # approvals write records, whose writing asks here

    made = Request(
        new_id(ctx.now), "", chosen.name, object_name, record_id, action, jsonable(values), 0, "waiting", ctx.actor.id,
        ctx.now, draft,
    )  # fmt: skip
    insert(ctx, connection, made)
    done = submit_in(ctx, connection, object_name, record_id, chosen.name, fits=True)
    version = rows.versions_of(ctx.snapshot, connection, object_name, [record_id])[record_id]
    update(connection, made.id, instance=done.instance, record_version=version)
    made = replace(made, instance=done.instance, record_version=version)
    if done.state != "APPROVED":  # nobody had to be asked: it is made
        ctx.requests.append(made)
    return made


def is_asked(ctx: Context, connection: Connection, record_id: str = "") -> bool:
    """Whether what is written now asks for approvals: for a person, and unless it is tried only, or an approval of this
    record writes it."""
    if ctx.actor.is_system or not ctx.actor.id or TRYING in connection.exempt:
        return False
    own = {one.instance for one in connection.exempt if one.instance}
    if not own or not record_id:
        return True
    c = instance_table.c
    return connection.sa.execute(sa.select(c.id).where(c.id.in_(own), c.record == record_id)).first() is None


def approvals_of(ctx: Context, object_name: str, action: str) -> Sequence[Approval]:
    """Those that come before such a change, the first to be taken first."""
    key = ("change requests", object_name, action)
    if key not in ctx.snapshot.cache:
        found = [one for one in ctx.snapshot.definitions.processes.approvals.values()
                 if one.object == object_name and one.storage == "before_save" and one.trigger == action
                 and one.is_active]  # fmt: skip
        ctx.snapshot.cache[key] = tuple(sorted(found, key=lambda one: (one.priority, one.name)))
    approvals: Sequence[Approval] = ctx.snapshot.cache[key]
    return approvals


class _Undone(Exception):
    pass


def _tried(
    ctx: Context, connection: Connection, object_name: str, record_id: str, approvals: Sequence[Approval], trial: Trial
) -> tuple[Approval | None, dict[str, Any]]:  # fmt: skip
    """The first approval that is for the change, and what the record would be."""
    from engine.process.approval.conditions import holds  # it reads records, whose writing asks here
    from engine.process.snapshots import fields_between, taken  # the same

    see_all = replace(ctx, scope=full_scope(ctx.snapshot))

    def does(text: str) -> bool:
        return holds(see_all, connection, object_name, record_id, text)

    before = {one.name: bool(one.trigger_if) and does(one.trigger_if) for one in approvals}
    version = rows.versions_of(ctx.snapshot, connection, object_name, [record_id]).get(record_id)
    warned = len(ctx.warnings)
    chosen: Approval | None = None
    draft: dict[str, Any] = {}
    try:
        with rows.savepoint(connection), without_requests(connection):
            trial()
            is_changed = rows.versions_of(ctx.snapshot, connection, object_name, [record_id]).get(record_id) != version
            for one in approvals if is_changed else ():
                is_gone = one.trigger == "delete"
                if is_gone or (not before[one.name] and does(one.trigger_if) and does(one.when)):
                    chosen = one
                    if not is_gone:
                        draft = {"shown": taken(ctx, connection, object_name, record_id)[0]}
                    break
            raise _Undone
    except _Undone:
        pass
    if chosen is not None and chosen.trigger == "delete" and not does(chosen.when):
        chosen = None
    if chosen is None:
        del ctx.warnings[warned:]  # it is made now, and finds the same
    elif draft:
        draft["fields"] = fields_between(taken(ctx, connection, object_name, record_id)[0], draft["shown"])
    return chosen, draft


@contextmanager
def without_requests(connection: Connection) -> Iterator[None]:
    """What is tried asks for no approval."""
    before = connection.exempt
    connection.exempt = (*before, TRYING)
    try:
        yield
    finally:
        connection.exempt = before


def apply(ctx: Context, connection: Connection, request: Request, free: Collection[str] = ()) -> None:
    """Make the change, as `ctx`. Raises Stale where the record was changed by others meanwhile, and whatever speaks
    against it now; the caller has a savepoint around it. `free`: fields that others may write while it waits."""
    from engine.service_deletion import delete_asked  # writing asks here
    from engine.service_rows import stale
    from engine.service_writes import update_asked

    if is_changed_since(ctx, connection, request, free):
        version = rows.versions_of(ctx.snapshot, connection, request.object, [request.record]).get(request.record, 0)
        raise stale(version, request.record_version)
    if request.action == "delete":
        delete_asked(ctx, connection, request.object, request.record, None)
    else:
        update_asked(ctx, connection, request.object, request.record, request.values, None)


def is_changed_since(ctx: Context, connection: Connection, request: Request, free: Collection[str] = ()) -> bool:
    """Whether anything changed in the record but its status, its owner, and what is free and no part of the change."""
    ignored = {APPROVAL_STATUS, *({OWNER, *free} - request.values.keys())}
    return any(
        entry["version"] > request.record_version and not (entry["changes"] and entry["changes"].keys() <= ignored)
        for entry in rows_history.read(connection, ctx.snapshot, request.object, request.record)
    )


@contextmanager
def own_writing(w: "Work", instances: Collection[str]) -> Iterator[None]:
    """Around what instances write of the record themselves: it is no change by others of what waits there."""
    from engine.process.approval.record import now_called  # it writes records, whose writing asks here

    request = None
    if w.instance.parent or (w.approval.storage == "before_save" and w.approval.trigger != "create"):
        found = (of_instance(w.ctx, w.connection, one) for one in instances)
        request = next((one for one in found if one is not None and one.state == "waiting"), None)
    if request is None or request.record != w.instance.record:
        yield
        return
    rows.hold(w.connection, w.ctx.snapshot, request.object, [request.record])
    version = rows.versions_of(w.ctx.snapshot, w.connection, request.object, [request.record]).get(request.record, 0)
    is_mine = request.instance == w.instance.id
    free = now_called(w, w.approval.lock_exempt) if is_mine else ()
    is_its_own = not is_changed_since(w.ctx, w.connection, request, free)
    yield
    now = rows.versions_of(w.ctx.snapshot, w.connection, request.object, [request.record]).get(request.record, 0)
    if is_its_own and now != version:
        update(w.connection, request.id, record_version=now)


def apply_of(w: "Work") -> str:
    """Make the change that an instance is about, at its approval; why that cannot be, or "". Nothing where it is about
    none."""
    request = of_instance(w.ctx, w.connection, w.instance.id, w.instance.record, w.approval.name)
    if request is None or request.state == "applied":
        return ""
    from engine.process.approval.record import now_called  # it writes records, whose writing asks here
    from engine.process.approval.work import nobody  # it asks here what waits
    from engine.process.locks import exempted  # it stands above the writing of records
    from engine.process.proposals import make  # it asks here what waits

    author = author_of(w, request.by)
    acting = replace(author, reader=nobody(author))  # why it cannot be made is read by all who see the instance
    try:
        with rows.savepoint(w.connection), exempted(w.connection, w.instance.id):
            if request.action == "create":
                make(acting, w.connection, request)
            else:
                apply(acting, w.connection, request, now_called(w, w.approval.lock_exempt))
    except EngineError as error:
        update(w.connection, request.id, state="conflict", instance=w.instance.id)
        return str(error_told(author, request.object, error))
    update(w.connection, request.id, state="applied", instance=w.instance.id, ended_at=w.now)
    w.forget_proposal()
    return ""


def author_of(w: "Work", user: str) -> Context:
    """With their rights as they are now; of who has left the approval stands for these."""
    try:
        found = standing_of(w.ctx, user)
    except NotFound:
        return w.system
    if found.is_active:
        return replace(found.context, origin=w.ctx.origin)
    return replace(w.system, actor=found.context.actor)


def drop_of(w: "Work") -> None:
    """The instance has ended otherwise: the change is not made."""
    request = of_instance(w.ctx, w.connection, w.instance.id, w.instance.record, w.approval.name)
    if request is not None and request.state != "applied":
        update(w.connection, request.id, state="dropped", ended_at=w.now)


def renew_of(w: "Work") -> None:
    """Submitted again: the change is meant for the record as it is now."""
    request = of_instance(w.ctx, w.connection, w.instance.id, w.instance.record, w.approval.name)
    if request is not None and request.state != "applied":
        found = rows.versions_of(w.ctx.snapshot, w.connection, request.object, [request.record])
        version = found.get(request.record, 0)  # 0: a record that is new
        update(w.connection, request.id, state="waiting", record_version=version)


def of_instance(
    ctx: Context, connection: Connection, instance: str, record: str = "", approval: str = ""
) -> Request | None:  # fmt: skip
    """`record` and `approval`: of one that is being submitted, whose instance is not known yet."""
    c = table.c
    mine = c.instance == instance
    if record:
        mine = sa.or_(mine, sa.and_(c.instance == "", c.record == record, c.approval == approval))
    row = connection.sa.execute(sa.select(table).where(mine).order_by(c.id.desc()).limit(1)).first()
    return None if row is None else request_of(ctx, row)


def request_of(ctx: Context, row: Any) -> Request:
    """Of a row of the table, by the names that fields have now. Raises NotFound where the object is there no more."""
    objects = ctx.snapshot.physical.names.objects
    object_name = objects.get(row.object)
    if object_name is None:
        raise NotFound("the object of this change is there no more", code="object.unknown")
    held = row._mapping
    values = by_field(ctx, object_name, orjson.loads(held["values"]))
    return Request(
        row.id, row.instance, row.approval, object_name, row.record, row.action, values, row.record_version, row.state,
        row.by or "", row.at, orjson.loads(held["draft"] or "{}"),
    )  # fmt: skip


def insert(ctx: Context, connection: Connection, made: Request) -> None:
    values = by_column(ctx, made.object, made.values)
    connection.sa.execute(sa.insert(table).values({
        "id": made.id, "instance": "", "approval": made.approval,
        "object": ctx.snapshot.physical.names.tables[made.object], "record": made.record, "action": made.action,
        "values": orjson.dumps(values).decode(), "record_version": 0,
        "state": made.state, "at": ctx.now, "by": made.by or None, "ended_at": None,
        "draft": orjson.dumps(dict(made.draft), default=str).decode() if made.draft else None,
    }))  # fmt: skip


def by_column(ctx: Context, object_name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """As it is kept, so that it outlasts other names of fields, also of lines and in them."""
    kept, fields = kept_names(ctx.snapshot, object_name), ctx.snapshot.definitions.objects[object_name].fields
    return {kept.get(name, name): each_line(by_column, ctx, fields.get(name), value) for name, value in values.items()}


def by_field(ctx: Context, object_name: str, held: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept by the names that fields have now."""
    names, fields = names_of_kept(ctx.snapshot, object_name), ctx.snapshot.definitions.objects[object_name].fields
    called = {names.get(key, key): value for key, value in held.items()}
    return {name: each_line(by_field, ctx, fields.get(name), value) for name, value in called.items()}


def each_line(do: Callable[..., dict[str, Any]], ctx: Context, field: Field | None, value: object) -> object:
    if field is None or field.source != "lines" or not isinstance(value, list):
        return value
    return [do(ctx, field.of, line) if isinstance(line, Mapping) else line for line in value]


def update(connection: Connection, request: str, **values: Any) -> None:
    connection.sa.execute(sa.update(table).where(table.c.id == request).values(values))


def need_no_secret(ctx: Context, object_name: str, values: Mapping[str, Any]) -> None:
    fields = ctx.snapshot.definitions.objects[object_name].fields
    for name in values:
        field = fields.get(name)
        if field is not None and ctx.snapshot.plugins.fields[field.type].is_secret:
            message = f"'{name}' is a secret, which does not wait for an approval"
            problem = InputProblem(name, "approval.secret", message, "leave it out", (("name", name),))
            raise BadInput(message, code=problem.code, fix=problem.fix, problems=[problem])


def jsonable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises BadInput for what is no JSON: only the API's kind of values waits."""
    try:
        found: dict[str, Any] = orjson.loads(orjson.dumps(dict(values), default=str))
    except TypeError as error:
        raise BadInput("this change cannot be kept for an approval", code="approval.values") from error
    return found

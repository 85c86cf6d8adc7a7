"""Submit a record: which approvals fit it, what they ask for, and the start of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg
import sqlalchemy as sa

from engine.access.scope import full_scope
from engine.context import Context
from engine.errors import Conflict, Forbidden
from engine.process.approval import attachments, ending, foresight, kept, nodes, record
from engine.process.approval.conditions import holds
from engine.process.approval.door import Done, Given, answered, check_given
from engine.process.approval.people import need_chosen
from engine.process.approval.refusals import key_used, no_such
from engine.process.approval.state import Instance, State
from engine.process.approval.work import MACHINE, Said, Work, chart_at
from engine.process.requests import Request
from engine.service_rows import not_found
from engine.store import rows
from engine.store.database import Connection, new_id
from engine.store.query_paths import need_object
from metadata.processes import Approval

__all__ = ["Parent", "fitting", "group_of", "propose_in", "submit_in", "who_may_submit"]


@dataclass(frozen=True, slots=True)
class Parent:
    """The instance that calls another one, and its node."""

    instance: str
    run: str
    root: str


def submit_in(
    ctx: Context, connection: Connection, object_name: str, record_id: str, approval: str = "", *,
    chosen: Mapping[str, Sequence[str]] = {}, comment: str = "", key: str = "", attached: Sequence[str] = (),
    parent: Parent | None = None, is_started: bool = False, fits: bool = False, is_tried: bool = False,
) -> Done:  # fmt: skip
    """As a part of a transaction. `approval` "" is the first by priority that fits; `is_started`: by what the
    definition says, whoever may submit; `fits`: its condition is met, whatever the record holds; `is_tried`: also
    what comes before a change, without one. Raises NotFound, Forbidden, Conflict where one runs already or none fits,
    and BadInput."""
    need_object(ctx.scope, object_name)
    current = rows.current(ctx, connection, object_name, record_id, "update")
    if current is None:
        raise not_found(object_name, record_id)
    given = Given(comment=comment, key=key, chosen=chosen, attachments=tuple(attached))
    check_given(given)
    if key and (before := kept.of_key(connection, record_id, key)) is not None:
        state = kept.load(connection, before.id)
        assert state is not None
        if approval not in ("", before.approval):
            raise key_used()
        answer = answered(connection, state, ctx, "submit", given)
        if answer is not None:
            return answer
    is_called = is_started or parent is not None
    found = choose(ctx, connection, object_name, record_id, approval, current.is_allowed, is_called, fits, is_tried)
    need_free(connection, record_id, found)
    need_chosen(ctx, connection, chart_at(ctx.snapshot, found.name), chosen)
    return started(begin(ctx, connection, object_name, record_id, found, given, parent), given)


def propose_in(ctx: Context, connection: Connection, request: Request, found: Approval) -> Done:
    """A new record, which is not there yet. Raises Forbidden for who may not submit it, and Conflict."""
    is_of_role = bool(ctx.actor.roles & set(found.submit_by)) if found.submit_by else True
    if not is_of_role or not holds(seeing_all(ctx), connection, request.object, request.record, found.submit_if):
        raise Forbidden("this person may not submit the record", code="approval.submit", fix="ask who may")
    given = Given()
    return started(begin(ctx, connection, request.object, request.record, found, given, None), given)


def started(w: Work, given: Given) -> Done:
    try:
        nodes.start(w)
        foresight.need_approvers(w)
        if w.events:
            return conclude(w, given)
    except (sa.exc.IntegrityError, psycopg.errors.UniqueViolation) as error:
        raise running(w.approval) from error
    raise AssertionError("a submission makes events")


def begin(
    ctx: Context, connection: Connection, object_name: str, record_id: str, found: Approval, given: Given,
    parent: Parent | None,
) -> Work:  # fmt: skip
    """The instance, its record locked."""
    row = new_id(ctx.now)
    instance = Instance(
        row, found.name, group_of(found), ctx.snapshot.physical.names.tables[object_name], record_id,
        ctx.snapshot.version, "DRAFT", ctx.actor.id, ctx.now, parent.root if parent else row, key=given.key,
        parent=parent.instance if parent else "", parent_run=parent.run if parent else "",
    )  # fmt: skip
    said = Said("submit", given.comment, given.attachments, given.key)
    chart = chart_at(ctx.snapshot, found.name)
    w = Work(ctx, connection, State(instance), chart, ctx.snapshot, said, ctx.actor.id or MACHINE,
             ctx.actor.on_behalf_of, is_strict=True)  # fmt: skip
    record.hold(w)  # first: what is read of the record from here on stays
    chosen = {name: list(users) for name, users in given.chosen.items()}
    data = {"chosen": chosen, "sent": record.sent_now(w)}
    values = {name: getattr(instance, name) for name in (
        "approval", "group", "object", "record", "version", "submitter", "started_at", "root", "key", "parent",
        "parent_run", "round",
    )}  # fmt: skip
    w.note("instance", row, "submit", "DRAFT", "RUNNING", changes={**values, "data": data})
    record.keep(w)
    ending.begin(w)
    return w


def conclude(w: Work, given: Given) -> Done:
    done = Done(w.instance.id, w.instance.state, "", "", w.instance.seq)
    if given.key:
        told = {"state": done.state, "task_state": "", "seq": done.seq, "action": "submit", "asked_for": ""}
        w.events[0] = replace(w.events[0], data={**w.events[0].data, "done": told})
    attachments.attach(w)
    w.save()
    return done


def choose(
    ctx: Context, connection: Connection, object_name: str, record_id: str, name: str, may_update: bool,
    is_called: bool, fits: bool = False, is_tried: bool = False,
) -> Approval:  # fmt: skip
    """Raises NotFound for a name that there is not, Forbidden, and Conflict where it does not fit."""
    is_any = fits or is_called or is_tried  # else what comes before a change would be about none
    all_ = [one for one in approvals_of(ctx, object_name) if not name or one.name == name]
    all_ = [one for one in all_ if is_any or one.storage == "after_save"]
    if not all_:
        raise no_such("approval") if name else none_fits()
    mine = [one for one in all_ if is_called or who_may_submit(ctx, connection, one, record_id, may_update)]
    if not mine:
        raise Forbidden("this person may not submit the record", code="approval.submit", fix="ask who may")
    fit = next((one for one in mine if fits or is_fitting(ctx, connection, one, record_id)), None)
    if fit is None:
        raise none_fits()
    return fit


def fitting(ctx: Context, connection: Connection, object_name: str, record_id: str, may_update: bool) -> list[Approval]:
    """What this person may submit the record to now, the first to be taken first."""
    return [
        one for one in approvals_of(ctx, object_name)
        if one.storage == "after_save"
        and who_may_submit(ctx, connection, one, record_id, may_update) and is_fitting(ctx, connection, one, record_id)
    ]  # fmt: skip


def approvals_of(ctx: Context, object_name: str) -> list[Approval]:
    found = [one for one in ctx.snapshot.definitions.processes.approvals.values()
             if one.object == object_name and one.is_active]  # fmt: skip
    return sorted(found, key=lambda one: (one.priority, one.name))


def who_may_submit(ctx: Context, connection: Connection, one: Approval, record_id: str, may_update: bool) -> bool:
    if ctx.actor.is_system:
        return True
    is_of_role = bool(ctx.actor.roles & set(one.submit_by)) if one.submit_by else may_update
    return is_of_role and holds(seeing_all(ctx), connection, one.object, record_id, one.submit_if)


def is_fitting(ctx: Context, connection: Connection, one: Approval, record_id: str) -> bool:
    return holds(seeing_all(ctx), connection, one.object, record_id, one.when)


def seeing_all(ctx: Context) -> Context:
    return replace(ctx, scope=full_scope(ctx.snapshot))


def group_of(approval: Approval) -> str:
    return approval.group or approval.object


def need_free(connection: Connection, record_id: str, approval: Approval) -> None:
    if kept.running_on(connection, record_id, group_of(approval)):
        raise running(approval)


def running(approval: Approval) -> Conflict:
    return Conflict(
        "an approval of this record runs already", code="approval.running", fix="wait for its end, or withdraw it"
    )


def none_fits() -> Conflict:
    return Conflict("no approval is for this record as it is", code="approval.none", fix="look at what they ask for")

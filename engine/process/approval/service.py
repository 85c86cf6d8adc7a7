"""The facade of approvals: what screens and the API use. A Context in, frozen views out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.context import Context
from engine.errors import EngineError
from engine.process.approval import inbox, inbox_view, kept, moving, offers, showing, signature, submission
from engine.process.approval.door import Done, Given, act, open_work
from engine.process.approval.inbox import BOXES, DUE, SORTS, Box, Filters, Sort
from engine.process.approval.people import is_admin, names_of
from engine.process.approval.refusals import bad, no_such
from engine.process.approval.sight import may_see, part_in
from engine.process.approval.state import Instance, State
from engine.process.approval.views import (
    ActionView,
    AheadView,
    BoxChoices,
    Chooses,
    Counts,
    FieldValue,
    Inbox,
    InboxRow,
    InstanceView,
    Line,
    OpenTask,
    Option,
    Options,
    PastView,
    Person,
    Target,
    TaskView,
)
from engine.process.approval.work import MACHINE, Said, Work, chart_at
from engine.rules.told import as_told, error_told
from engine.service_rows import not_found
from engine.store import rows
from engine.store.database import Connection
from engine.store.query_paths import need_object
from engine.store.types import is_id
from metadata.model import say
from metadata.processes import Approval

__all__ = [
    "BOXES", "ActionView", "AheadView", "Approvals", "BoxChoices", "Chooses", "Counts", "Done", "FieldValue", "Given",
    "Inbox", "InboxRow", "InstanceView", "Line", "OpenTask", "Option", "Options", "PastView", "Person", "Result",
    "Target", "TaskView",
]  # fmt: skip

MOST_AT_ONCE = 200  # tasks of one bulk decision
BULK = ("approve", "complete", "reject")


@dataclass(frozen=True, slots=True)
class Result:
    """Of one task of several."""

    task: str
    done: Done | None = None
    error: EngineError | None = None


class Approvals:
    """What one Context may see and do. Cheap to make. Everything that is refused changes nothing, and raises an
    EngineError; what the person takes no part in is unknown (NotFound)."""

    __slots__ = ("ctx",)

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    # -- submitting

    def submit(
        self, object_name: str, record_id: str, approval: str = "", *, chosen: Mapping[str, Sequence[str]] = {},
        comment: str = "", attachments: Sequence[str] = (), key: str = "",
    ) -> Done:  # fmt: skip
        """`chosen`: node -> ids of users, where a node asks whom somebody chooses. `key`: twice the same is once."""
        with as_told(self.ctx, object_name), self.ctx.tenant.database.write() as connection:
            return submission.submit_in(
                self.ctx, connection, object_name, record_id, approval, chosen=chosen, comment=comment,
                attached=attachments, key=key,
            )  # fmt: skip

    def options(self, object_name: str, record_id: str) -> Options:
        """What the record may be submitted to now, and what the dialog must ask."""
        ctx = self.ctx
        need_object(ctx.scope, object_name)
        with ctx.tenant.database.read() as connection:
            current = rows.current(ctx, connection, object_name, record_id, "update")
            if current is None:
                raise not_found(object_name, record_id)
            running = kept.running_on(connection, record_id)
            groups = {one.group for one in running}
            found = submission.fitting(ctx, connection, object_name, record_id, current.is_allowed)
            free = [one for one in found if submission.group_of(one) not in groups]
            return Options(
                tuple(self._option(connection, one, record_id) for one in free), tuple(one.id for one in running)
            )

    def _option(self, connection: Connection, one: Approval, record_id: str) -> Option:
        ctx = self.ctx
        w = draft(ctx, connection, one, record_id)
        path = showing.foreseen_from_start(w)
        named = names_of(ctx, connection, [user for ahead in path for user in ahead.users])
        chooses = showing.choices_view(w, [ahead.node for ahead in path], "submitter")
        return Option(
            one.name, say(one.label, ctx.language), say(one.description, ctx.language) if one.description else "",
            chooses, tuple(showing.ahead_view(w, ahead, named) for ahead in path),
        )  # fmt: skip

    # -- boxes

    def inbox(
        self, box: Box = "todo", *, object_name: str = "", approval: str = "", submitter: str = "",
        overdue: bool | None = None, due: str = "", sort: Sort = "newest", text: str = "", limit: int = 50,
        cursor: str = "", tasks: Sequence[str] | None = None,
    ) -> Inbox:  # fmt: skip
        """Newest first, or what is due first. `due`: "today", "week" or "none". `text` is looked for in what the rows
        show and in what finds their records. `tasks`: only these."""
        one_of("box", box, BOXES)
        one_of("sort", sort, SORTS)
        one_of("due", due, ("", *DUE))
        ctx = self.ctx
        table = ctx.snapshot.physical.names.tables.get(object_name, "?") if object_name else ""
        only = None if tasks is None else tuple(tasks)
        filters = Filters(table, approval, overdue, submitter, due, sort, only)
        limit = max(1, min(limit, MOST_AT_ONCE))
        with ctx.tenant.database.read() as connection:
            rows, more = inbox_view.page_of(ctx, connection, box, filters, text, limit, cursor)
            return Inbox(tuple(rows), more)

    def filters(self, box: Box = "todo") -> BoxChoices:
        """Approvals, objects and people of what is in a box."""
        one_of("box", box, BOXES)
        with self.ctx.tenant.database.read() as connection:
            return inbox_view.choices_view(self.ctx, connection, box)

    def counts(self) -> Counts:
        with self.ctx.tenant.database.read() as connection:
            return inbox.counts(self.ctx, connection)

    def waiting(self) -> tuple[int, int]:
        """How many tasks wait, and how many of these are overdue; (0, 0) where there are no approvals."""
        if not self.ctx.actor.id or not self.ctx.snapshot.definitions.processes.approvals:
            return 0, 0
        with self.ctx.tenant.database.read() as connection:
            return inbox.waiting(self.ctx, connection)

    # -- tasks

    def task(self, task_id: str) -> TaskView:
        """What the person sees of a task; they have read it from then on."""
        ctx = self.ctx
        with ctx.tenant.database.read() as connection:
            state = state_of_task(ctx, connection, task_id)
            w = view_of(ctx, connection, state)
            found = showing.task_view(w, state.tasks[task_id])
        task = state.tasks[task_id]
        if task.read_at is None and task.is_open and offers.holds_task(w, task):
            self._read(task.id, state.instance.id)
        return found

    def _read(self, task_id: str, instance_id: str) -> None:
        with self.ctx.tenant.database.write() as connection:
            state = kept.lock(connection, instance_id)
            task = state.tasks.get(task_id) if state is not None else None
            if state is not None and task is not None and task.read_at is None and task.is_open:
                w = open_work(self.ctx, connection, state, Said("read"))
                w.set_task(task, "read", task.state, read_at=w.now)
                w.save()

    def act(self, task_id: str, action: str, password: str = "", **given: Any) -> Done:
        """`given`: fields of Given. What each action asks stands in TaskView.actions."""
        ctx = self.ctx
        with ctx.tenant.database.read() as connection:
            found = kept.row_of_task(connection, task_id)
        if found is None:
            raise no_such("task")
        signed = bool(password) and self._is_signed(task_id, found[0], password)
        with ctx.tenant.database.write() as connection, as_told(ctx, self._object_of(connection, found[0])):
            return act(ctx, connection, found[0], action, Given(task=task_id, is_signed=signed, **given))

    def _is_signed(self, task_id: str, instance_id: str, password: str) -> bool:
        """Only of somebody who takes part: nobody tries passwords at tasks of others."""
        with self.ctx.tenant.database.read() as connection:
            state_of_task(self.ctx, connection, task_id)
        signature.check_password(self.ctx, password)
        return True

    def bulk(self, tasks: Sequence[str], action: str = "approve", comment: str = "") -> Sequence[Result]:
        """The same decision of several tasks, each by itself: what one refuses does not keep the others."""
        if action not in BULK:
            raise bad("approval.action", f"'{action[:40]}' is not done to several at once", "action")
        wanted = list(dict.fromkeys(tasks))
        if len(wanted) > MOST_AT_ONCE:
            raise bad("approval.tasks", f"at most {MOST_AT_ONCE} tasks at once", "tasks")
        results: dict[str, Result] = {}
        with self.ctx.tenant.database.write() as connection:
            places = {one: kept.row_of_task(connection, one) for one in wanted}
            for one in sorted(wanted, key=lambda task: (places[task] or ("",))[0]):  # all lock in the same order
                results[one] = self._one_of_bulk(connection, places[one], one, action, comment)
        return [results[one] for one in wanted]

    def _one_of_bulk(
        self, connection: Connection, place: tuple[str, str] | None, task: str, action: str, comment: str
    ) -> Result:
        try:
            if place is None:
                raise no_such("task")
            with rows.savepoint(connection):
                return Result(task, act(self.ctx, connection, place[0], action, Given(task=task, comment=comment)))
        except EngineError as error:
            object_name = self._object_of(connection, place[0]) if place is not None else ""
            return Result(task, error=error_told(self.ctx, object_name, error))

    # -- instances

    def instance(self, instance_id: str) -> InstanceView:
        """With its history, what comes next, and what the person may do."""
        ctx = self.ctx
        with ctx.tenant.database.read() as connection:
            state = kept.load(connection, instance_id)
            if state is None or not may_see(ctx, connection, state):
                raise no_such("approval")
            w = view_of(ctx, connection, state)
            found = showing.instance_view(w)
            unread = [one.id for one in state.participants.values()
                      if one.kind == "cc" and one.user == ctx.actor.id and one.read_at is None]  # fmt: skip
        if unread:
            self._read_cc(instance_id, unread)
        return found

    def _read_cc(self, instance_id: str, rows_: Sequence[str]) -> None:
        with self.ctx.tenant.database.write() as connection:
            state = kept.lock(connection, instance_id)
            if state is not None:
                w = open_work(self.ctx, connection, state, Said("read"))
                for row in rows_:
                    if state.participants[row].read_at is None:
                        w.set_participant(row, "read", state.participants[row].state, read_at=w.now)
                w.save()

    def of_record(self, object_name: str, record_id: str, *, past: bool = True) -> Sequence[InstanceView]:
        """All approvals of a record, newest first; without those that the person may not see. `past`: those, too, that
        have ended; else the one that ended last, where none is under way."""
        ctx = self.ctx
        table = ctx.snapshot.physical.names.tables.get(object_name)
        if table is None or not is_id(record_id) or not (ctx.scope.can("read", object_name) or ctx.actor.id):
            raise not_found(object_name, record_id)
        found: list[InstanceView] = []
        with ctx.tenant.database.read() as connection:
            running = () if past else kept.running_on(connection, record_id)
            last = [one for one in running if one.object == table] or kept.ended_of_record(
                connection, table, record_id, 1
            )
            for one in kept.of_record(connection, table, record_id) if past else last:
                state = kept.load(connection, one.id)
                if state is not None and may_see(ctx, connection, state):
                    found.append(showing.instance_view(view_of(ctx, connection, state)))
            if not found and (
                not ctx.scope.can("read", object_name)
                or rows.current(ctx, connection, object_name, record_id, "read") is None
            ):
                raise not_found(object_name, record_id)
        return found

    def past_of_record(
        self, object_name: str, record_id: str, limit: int = 20, cursor: str = ""
    ) -> tuple[Sequence[PastView], str]:
        """Approvals of a record that have ended, newest first, in one statement, and the cursor of what comes after
        them; for whoever reads the record by their own rights, () for others."""
        ctx = self.ctx
        table = ctx.snapshot.physical.names.tables.get(object_name)
        if table is None or not ctx.scope.can("read", object_name):
            return (), ""
        with ctx.tenant.database.read() as connection:
            if rows.current(ctx, connection, object_name, record_id, "read") is None:
                return (), ""
            at, row = inbox.read_cursor(cursor) if cursor else (None, "")
            before = (at, row) if at is not None else None
            found = kept.ended_of_record(connection, table, record_id, limit + 1, before)
        more = found[limit - 1] if len(found) > limit else None
        shown = [showing.past_view(ctx, one) for one in found[:limit]]
        return shown, f"{more.started_at.isoformat()}|{more.id}" if more else ""

    def act_on(self, instance_id: str, action: str, **given: Any) -> Done:
        """What is done to the whole: withdraw, resubmit, urge, comment, and what administrators do."""
        ctx = self.ctx
        with ctx.tenant.database.write() as connection, as_told(ctx, self._object_of(connection, instance_id)):
            return act(ctx, connection, instance_id, action, Given(**given))

    def running_before(self, approval: str) -> Sequence[str]:
        """Instances of an approval that run on versions before this one. Needs manage_processes."""
        with self.ctx.tenant.database.read() as connection:
            return moving.running_before(self.ctx, connection, approval) if is_admin(self.ctx) else ()

    def need_admin(self) -> None:
        """Raises Forbidden."""
        moving.need_admin_of(self.ctx)

    def earlier(self, approval: str) -> dict[str, tuple[str, int]]:
        """Those of them -> (record, version), oldest first. Needs manage_processes."""
        found: dict[str, tuple[str, int]] = {}
        with self.ctx.tenant.database.read() as connection:
            for one in moving.running_before(self.ctx, connection, approval) if is_admin(self.ctx) else ():
                instance = kept.instance_of(connection, one)
                if instance is not None:
                    found[one] = (instance.record, instance.version)
        return found

    def earlier_counts(self) -> Mapping[str, int]:
        """Approval -> how many of these there are. Needs manage_processes."""
        with self.ctx.tenant.database.read() as connection:
            return moving.earlier(self.ctx, connection) if is_admin(self.ctx) else {}

    def places(self, approval: str) -> Sequence[moving.Place]:
        """The steps at which they wait, and what could take their places. Needs manage_processes."""
        with self.ctx.tenant.database.read() as connection:
            return moving.places(self.ctx, connection, approval) if is_admin(self.ctx) else ()

    def move(
        self, instances: Sequence[str], how: moving.How, mapping: Mapping[str, str] = {}, *, reason: str = "",
        rehearse: bool = True,
    ) -> Sequence[moving.Moved]:  # fmt: skip
        """What becomes of running instances after a new version: each finishes on its own, migrates with its nodes
        mapped, or is cancelled and submitted again. A rehearsal writes nothing."""
        with self.ctx.tenant.database.write() as connection:
            return moving.migrate(
                self.ctx, connection, instances, how, mapping, reason=reason, rehearse=rehearse
            )  # fmt: skip

    def _object_of(self, connection: Connection, instance_id: str) -> str:
        instance = kept.instance_of(connection, instance_id)
        tables = self.ctx.snapshot.physical.names.tables
        return next((name for name, table in tables.items() if instance and table == instance.object), "")


def state_of_task(ctx: Context, connection: Connection, task_id: str) -> State:
    """Raises NotFound, the same for a task that is not there and for one that the person takes no part in."""
    found = kept.row_of_task(connection, task_id)
    state = kept.load(connection, found[0]) if found else None
    if state is None or not part_in(ctx, state, state.tasks[task_id]):
        raise no_such("task")
    return state


def view_of(ctx: Context, connection: Connection, state: State) -> Work:
    return open_work(ctx, connection, state, Said("view"))


def draft(ctx: Context, connection: Connection, approval: Approval, record_id: str) -> Work:
    """An instance that nobody has submitted: to see where it would go."""
    table = ctx.snapshot.physical.names.tables[approval.object]
    instance = Instance(
        "", approval.name, submission.group_of(approval), table, record_id, ctx.snapshot.version, "DRAFT", ctx.actor.id,
        ctx.now, "",
    )  # fmt: skip
    chart = chart_at(ctx.snapshot, approval.name)
    return Work(ctx, connection, State(instance), chart, ctx.snapshot, Said("view"), ctx.actor.id or MACHINE)


def one_of(path: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        fix = f"one of {', '.join(one for one in known if one)}"
        raise bad("query.value", f"there is no {path} '{value[:40]}'", path, fix)

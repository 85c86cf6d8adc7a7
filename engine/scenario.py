"""Play scenarios: what people did with the sample data, each step as that person at that time, through the real engine.

What fell due in between happens then: timers, automations. Nothing leaves the system: mails and calls to others are
marked as discarded. All in one transaction, and each scenario once, however often it is played.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from engine import sampledata
from engine.api.site import Site
from engine.context import SYSTEM, Context, Origin, context_of
from engine.errors import BadInput, EngineError, InputProblem, NotFound
from engine.jobs import kinds, store
from engine.jobs.handlers import OUTSIDE
from engine.jobs.store import Leased
from engine.jobs.worker import Worker
from engine.people.standing import standing_of
from engine.process.agents import appoint
from engine.process.approval import kept
from engine.process.approval.actions import ACTIONS
from engine.process.approval.door import Given, act
from engine.process.approval.service import Approvals
from engine.process.approval.state import State, Task
from engine.process.approval.submission import submit_in
from engine.process.approval.work import object_at
from engine.service import Records
from engine.store import system_approvals, system_jobs, system_scenarios
from engine.store.database import Connection
from metadata.model import Field
from metadata.scenarios import Deed, Scenario, moment_of

__all__ = ["play"]

CHANNEL = "command"
JOB_KINDS = kinds.MODULES  # all are known here
SCHEDULED = timedelta(days=3)  # before now: from then on, what schedules say happens, too
ORDER = ("PENDING", "DELEGATED", "WAITING")  # which of several tasks of a person is meant
table = system_scenarios.scenario


@dataclass(slots=True)
class Cast:
    """What is known while scenarios are played."""

    site: Site
    now: datetime  # the end
    loading: sampledata.Loading
    records: dict[tuple[str, str], str] = field(default_factory=dict)  # (object, key) -> id, of what they created
    instances: dict[str, str] = field(default_factory=dict)  # scenario -> the approval that a step began last
    contexts: dict[str, Context] = field(default_factory=dict)  # user name -> as after a sign-in

    def user(self, name: str) -> str:
        """Raises NotFound."""
        found = self.loading.ids.get((sampledata.PERSON, name))
        if found is None:
            raise NotFound(f"no user '{name}'", code="user.unknown")
        return found

    def context(self, name: str) -> Context:
        """Raises NotFound."""
        if name not in self.contexts:
            found = standing_of(self.loading.ctx, self.user(name)).context
            self.contexts[name] = replace(found, origin=Origin(CHANNEL))
        return self.contexts[name]

    def record(self, text: str) -> tuple[str, str]:
        """quote.q_gear_de -> ("quote", its id)."""
        name, _, key = text.partition(".")
        return name, self.records.get((name, key)) or sampledata.id_of(name, key)

    def values(self, object_name: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """Keys become ids, relative dates become dates. Raises BadInput for a key that leads nowhere."""
        fields = self.loading.ctx.snapshot.definitions.objects[object_name].fields
        try:
            return {name: self.value(fields[name], value) if name in fields else value for name, value in said.items()}
        except LookupError as error:
            raise BadInput(str(error), code="data.reference") from error

    def value(self, one: Field, said: Any) -> Any:
        if one.source == "lines" and isinstance(said, list):
            return [self.values(one.of, line) if isinstance(line, Mapping) else line for line in said]
        return sampledata.resolved(self.loading, one, said)


class Player(Worker):
    """Carries out jobs of the past. Those that would leave the system are discarded, and none may fail."""

    def outside(self, held: Leased, now: datetime, more: bool) -> Leased | None:
        if held.kind not in OUTSIDE:
            return super().outside(held, now, more)  # which says that nothing carries it out
        job = system_jobs.job
        gone = {"state": "discarded", "leased_by": None, "leased_until": None, "error": "sample data: nothing is sent"}
        with self.database.together() as connection:
            connection.sa.execute(sa.update(job).where(job.c.id == held.id).values(**gone, done_at=now))
            return self.next(connection, now, more)

    def failed(self, held: Leased, error: Exception, now: datetime, more: bool) -> Leased | None:
        raise error

    def catch_up(self, until: datetime) -> None:
        """Each job when it is due."""
        while True:
            with self.database.read() as connection:
                due = store.next_due(connection, until)
            if due is None or due > until:
                return
            if self.work(lambda at=due: at) == 0:  # type: ignore[misc]
                return  # held by another worker


def play(site: Site, scenarios: Sequence[Scenario], now: datetime) -> Sequence[str]:
    """Names of those that were played now. Times are reckoned from `now`, when the sample data was loaded. Raises
    BadInput with the place in the package; then none was played."""
    tenant = site.tenant
    with tenant.database.together() as connection:
        known = set(connection.sa.scalars(sa.select(table.c.name)))
        fresh = [one for one in scenarios if one.name not in known]
        if not fresh:
            return ()
        loading = sampledata.Loading(context_of(tenant, SYSTEM, now), is_loaded=True)
        sampledata.know_people(loading)
        cast, player = Cast(site, now, loading), Player(site)
        steps = in_order(fresh, now)
        schedules_at = now - SCHEDULED
        for at, scenario, deed in steps:
            if schedules_at <= at and player.pruned_at is None:
                player.look_after(schedules_at)
            player.catch_up(at)
            carry_out(cast, scenario, deed, at)
        player.look_after(now)
        player.catch_up(now)
        connection.sa.execute(sa.insert(table), [{"name": one.name, "played_at": now} for one in fresh])
        return tuple(one.name for one in fresh)


def in_order(scenarios: Sequence[Scenario], now: datetime) -> list[tuple[datetime, Scenario, Deed]]:
    """By time, and within a scenario as they stand there. Raises BadInput for a time that has not come yet, or that is
    before the step above it."""
    steps = []
    for scenario in scenarios:
        last = datetime.min.replace(tzinfo=now.tzinfo)
        for deed in scenario.deeds:
            at = moment_of(deed.at, now)
            if at is None or at > now or at < last:
                message = f"'{deed.at}' is no time for this step: it lies before the step above it, or in the future"
                raise told(scenario, deed, BadInput(message, code="scenario.time"))
            last = at
            steps.append((at, scenario, deed))
    return sorted(steps, key=lambda one: one[0])


def carry_out(cast: Cast, scenario: Scenario, deed: Deed, at: datetime) -> None:
    cast.loading.ctx = replace(cast.loading.ctx, now=at)
    try:
        ctx = replace(cast.context(deed.by), now=at)
        with cast.site.tenant.database.write() as connection:
            if deed.what in ACTIONS:
                decide(cast, scenario, deed, ctx, connection)
            else:
                OTHERS[deed.what](cast, scenario, deed, ctx, connection)
    except EngineError as error:
        raise told(scenario, deed, error) from error


def told(scenario: Scenario, deed: Deed, error: EngineError) -> BadInput:
    """Where it is, and what was refused."""
    place = f"{deed.place.file}:{deed.place.line}"
    message = f"scenario '{scenario.name}': {deed.by} could not {deed.what}: {error}"
    wrong = [replace(one, path=f"{place} {one.path}".strip()) for one in error.problems]
    return BadInput(
        f"{place}: {message}", code=error.code, fix=error.fix,
        problems=wrong or [InputProblem(place, error.code, message, error.fix)],
    )  # fmt: skip


def create(cast: Cast, scenario: Scenario, deed: Deed, ctx: Context, connection: Connection) -> None:
    name = deed.options["object"]
    made = Records(ctx).create(name, cast.values(name, deed.options["values"]))
    if key := deed.options.get("key"):
        cast.records[name, key] = cast.loading.ids[name, key] = made["id"]
    began(cast, scenario, ctx, connection, made["id"])


def update(cast: Cast, scenario: Scenario, deed: Deed, ctx: Context, connection: Connection) -> None:
    name, record = cast.record(deed.options["record"])
    Records(ctx).update(name, record, cast.values(name, deed.options["values"]))
    began(cast, scenario, ctx, connection, record)


def delete(cast: Cast, scenario: Scenario, deed: Deed, ctx: Context, connection: Connection) -> None:
    name, record = cast.record(deed.options["record"])
    Records(ctx).delete(name, record)
    began(cast, scenario, ctx, connection, record)


def began(cast: Cast, scenario: Scenario, ctx: Context, connection: Connection, record: str) -> None:
    """The steps below are about the approval that this write began, if it began one."""
    c = system_approvals.approval.c
    wanted = sa.select(c.id).where(c.record == record, c.started_at == ctx.now).order_by(c.id.desc()).limit(1)
    if found := connection.sa.scalar(wanted):
        cast.instances[scenario.name] = found


def submit(cast: Cast, scenario: Scenario, deed: Deed, ctx: Context, connection: Connection) -> None:
    name, record = cast.record(deed.options["record"])
    done = submit_in(
        ctx, connection, name, record, deed.options.get("approval", ""), chosen=chosen(cast, deed),
        comment=deed.options.get("comment", ""),
    )  # fmt: skip
    cast.instances[scenario.name] = done.instance


def read(cast: Cast, scenario: Scenario, deed: Deed, ctx: Context, connection: Connection) -> None:
    """They open what waits for them."""
    state = state_of(cast, scenario, connection)
    Approvals(ctx).task(task_of(state, ctx.actor.id, deed.options.get("node", "")))


def away(cast: Cast, scenario: Scenario, deed: Deed, ctx: Context, connection: Connection) -> None:
    """Out of office from this step on."""
    until = moment_of(deed.options["until"], cast.now)
    appoint(ctx, {
        "agent": cast.user(deed.options["agent"]), "from": ctx.now.isoformat(),
        "to": until.isoformat() if until is not None else None, "approvals": deed.options.get("approvals"),
        "reason": deed.options.get("reason"),
    })  # fmt: skip


OTHERS: Mapping[str, Callable[[Cast, Scenario, Deed, Context, Connection], None]] = {
    "create": create, "update": update, "delete": delete, "submit": submit, "read": read, "away": away,
}  # fmt: skip


def decide(cast: Cast, scenario: Scenario, deed: Deed, ctx: Context, connection: Connection) -> None:
    """Whatever is done with the approval that runs."""
    options, state = deed.options, state_of(cast, scenario, connection)
    users = [cast.user(name) for name in options.get("users", ())]
    task, node = "", options.get("node", "")
    if ACTIONS[deed.what].on == "task":
        whose = users[0] if deed.what in ("remove_signer", "reassign") else ctx.actor.id
        task = task_of(state, whose, node)
    if deed.what == "reassign":
        users = users[1:]
    object_name = object_at(ctx.snapshot, state.instance.object)
    given = Given(
        task=task, comment=options.get("comment", ""), users=tuple(users), target=options.get("to", ""),
        values=cast.values(object_name, options.get("values", {})), chosen=chosen(cast, deed),
        method=options.get("method", ""), is_signed=True, decision=options.get("decision", ""),
    )  # fmt: skip
    act(ctx, connection, state.instance.id, deed.what, given)


def chosen(cast: Cast, deed: Deed) -> Mapping[str, Sequence[str]]:
    return {node: [cast.user(name) for name in names] for node, names in deed.options.get("chosen", {}).items()}


def state_of(cast: Cast, scenario: Scenario, connection: Connection) -> State:
    """Raises NotFound where no step above began an approval."""
    instance = cast.instances.get(scenario.name, "")
    state = kept.load(connection, instance) if instance else None
    if state is None:
        raise NotFound("no approval began in a step above", code="scenario.submit")
    return state


def task_of(state: State, user: str, node: str) -> str:
    """The person's own, one of a queue, or one of somebody who is away; an open one first. Raises NotFound."""
    offered = {one.task for one in state.participants.values() if one.user == user and one.task}
    mine = [one for one in state.tasks.values()
            if (one.user == user or user in one.queue or one.id in offered) and node in ("", one.node)]  # fmt: skip
    if not mine:
        raise NotFound("this person is not asked" + (f" at '{node}'" if node else ""), code="scenario.task")
    return min(mine, key=rank).id


def rank(task: Task) -> tuple[int, float]:
    """Open ones first, then the newest."""
    place = ORDER.index(task.state) if task.state in ORDER else len(ORDER)
    return place, -task.created_at.timestamp()

"""How approvals went: how many, how long in hours of work, what was returned, rejected and late, and how much of what
is defined was needed. For administrators of processes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from statistics import median
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import Forbidden, NotFound
from engine.process.approval.people import is_admin
from engine.process.business_time import worked_between
from engine.store import system_approvals
from engine.store.database import Connection
from metadata.processes import Approval, nodes_in

__all__ = ["ApprovalFigures", "Compression", "Duration", "NodeFigures", "statistics_of"]

MOST = 5000  # instances of one approval that are looked at, the newest
ASKING = ("approve", "handle")
DECIDED = ("APPROVED", "REJECTED", "RETURNED")


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds of work, by the calendar of the approval or the node; None where nothing has ended."""

    median_s: int | None = None
    p90_s: int | None = None


@dataclass(frozen=True, slots=True)
class Compression:
    """Of approved instances: how many of the nodes that may ask somebody needed nobody, or one person.

    `defined`: nodes that ask, for each instance once. `skipped`: those that were skipped or led around. `single`:
    those that one person decided. `rate`: of all that are defined, the share of both.
    """

    defined: int = 0
    skipped: int = 0
    single: int = 0

    @property
    def rate(self) -> float | None:
        return share(self.skipped + self.single, self.defined)


@dataclass(frozen=True, slots=True)
class NodeFigures:
    node: str
    entered: int  # each time that it was
    states: Mapping[str, int]  # state -> how many times
    duration: Duration  # of those that were decided
    returned: float | None  # shares of those that were decided
    rejected: float | None
    overdue: float | None  # of tasks that were due at some time: late, or late and open still


@dataclass(frozen=True, slots=True)
class ApprovalFigures:
    approval: str
    count: int
    is_limited: bool  # older ones are left out
    states: Mapping[str, int]
    duration: Duration
    returned: float | None  # share of all of which a node, or more, was returned
    rejected: float | None  # share of those that have ended
    overdue: float | None
    rounds: float | None  # how many on average
    most_rounds: int
    compression: Compression
    nodes: Sequence[NodeFigures] = field(default_factory=tuple)


def statistics_of(ctx: Context, approval: str = "", since: datetime | None = None) -> list[ApprovalFigures]:
    """Of approvals that were submitted `since`, and of one only if named; by name. Raises Forbidden, and NotFound for
    one that is not defined and never ran."""
    if not (ctx.actor.is_system or is_admin(ctx)):
        raise Forbidden("statistics of approvals need the system permission manage_processes", code="processes.manage")
    with ctx.tenant.database.read() as connection:
        table = system_approvals.approval.c
        known = {str(one) for one in connection.sa.scalars(sa.select(table.approval).distinct())}
        known |= ctx.snapshot.definitions.processes.approvals.keys()
        if approval and approval not in known:
            raise NotFound(f"no approval '{approval}'", code="approval.unknown")
        names = [approval] if approval else sorted(known)
        return [_Figures(ctx, connection, name, since).all() for name in names]


class _Figures:
    """Of one approval. Three statements."""

    def __init__(self, ctx: Context, connection: Connection, name: str, since: datetime | None) -> None:
        self.ctx, self.name = ctx, name
        self.definition: Approval | None = ctx.snapshot.definitions.processes.approvals.get(name)
        table, runs, tasks = (
            system_approvals.approval.c, system_approvals.approval_node.c, system_approvals.approval_task.c,
        )  # fmt: skip
        wanted = [table.approval == name] + ([table.started_at >= since] if since else [])
        newest = sa.select(
            table.id, table.state, table.round, table.started_at, table.ended_at, table.version
        ).where(*wanted).order_by(table.started_at.desc(), table.id.desc()).limit(MOST + 1)  # fmt: skip
        found = connection.sa.execute(newest).all()
        self.is_limited, self.instances = len(found) > MOST, found[:MOST]
        ids = newest.limit(MOST).with_only_columns(table.id).subquery()
        among = sa.select(ids.c.id)
        self.runs = connection.sa.execute(
            sa.select(runs.id, runs.instance, runs.node, runs.state, runs.entered_at, runs.ended_at)
            .where(runs.instance.in_(among)).order_by(runs.entered)
        ).all()  # fmt: skip
        self.tasks = connection.sa.execute(
            sa.select(tasks.instance, tasks.node, tasks.state, tasks.due_at, tasks.decided_at, tasks.decided_by)
            .where(tasks.instance.in_(among))
        ).all()  # fmt: skip

    def all(self) -> ApprovalFigures:
        states = counted(one.state for one in self.instances)
        ended = [one for one in self.instances if one.ended_at is not None]
        returned = {run.instance for run in self.runs if run.state == "RETURNED"}
        rounds = [one.round for one in self.instances]
        return ApprovalFigures(
            self.name, len(self.instances), self.is_limited, states,
            self.duration([(one.started_at, one.ended_at) for one in ended], self.calendar()),
            share(len(returned), len(self.instances)), share(states.get("REJECTED", 0), len(ended)),
            self.overdue(self.tasks), round(sum(rounds) / len(rounds), 2) if rounds else None, max(rounds, default=0),
            self.compression(), [self.node(name) for name in self.node_names()],
        )  # fmt: skip

    def node_names(self) -> list[str]:
        """Those that ask, as they are defined now, then those of other versions that asked somebody."""
        defined = list(nodes_in(self.definition.flow)) if self.definition else []
        asked = {task.node for task in self.tasks}
        others = sorted(asked - {node.name for node in defined})
        return [node.name for node in defined if node.type in ASKING] + others

    def node(self, name: str) -> NodeFigures:
        runs = [run for run in self.runs if run.node == name]
        states = counted(run.state for run in runs)
        decided = sum(states.get(state, 0) for state in DECIDED)
        spans = [(run.entered_at, run.ended_at) for run in runs if run.state in DECIDED and run.ended_at is not None]
        return NodeFigures(
            name, len(runs), states, self.duration(spans, self.calendar(name)),
            share(states.get("RETURNED", 0), decided), share(states.get("REJECTED", 0), decided),
            self.overdue(task for task in self.tasks if task.node == name),
        )  # fmt: skip

    def calendar(self, node: str = "") -> str:
        """That by which its time is reckoned; "" is the default one, also for one that is there no more."""
        if self.definition is None:
            return ""
        own = next((one.calendar for one in nodes_in(self.definition.flow) if one.name == node), "")
        name = own or self.definition.calendar
        return name if name in self.ctx.snapshot.definitions.processes.calendars else ""

    def duration(self, spans: Sequence[tuple[datetime, datetime]], calendar: str) -> Duration:
        worked = sorted(worked_between(self.ctx.snapshot, start, end, calendar).total_seconds() for start, end in spans)
        if not worked:
            return Duration()
        return Duration(round(median(worked)), round(worked[ceil(len(worked) * 0.9) - 1]))

    def overdue(self, tasks: Iterable[Any]) -> float | None:
        """An open one is late as soon as it is overdue."""
        due = [task for task in tasks if task.due_at is not None and (task.decided_at or task.state == "PENDING")]
        late = [task for task in due if (task.decided_at or self.ctx.now) > task.due_at]
        return share(len(late), len(due))

    def compression(self) -> Compression:
        approved = {one.id for one in self.instances if one.state == "APPROVED"}
        defined: dict[int, list[str]] = {}
        last: dict[tuple[str, str], str] = {}
        people: dict[tuple[str, str], set[str]] = defaultdict(set)
        for run in self.runs:
            last[run.instance, run.node] = run.state
        for task in self.tasks:
            if task.decided_by and task.state in DECIDED:
                people[task.instance, task.node].add(task.decided_by)
        total = skipped = single = 0
        for one in self.instances:
            if one.id in approved:
                if one.version not in defined:
                    defined[one.version] = self.asking_at(one.version)
                for node in defined[one.version]:
                    total += 1
                    state = last.get((one.id, node), "SKIPPED")
                    skipped += state in ("SKIPPED", "CANCELLED")
                    single += state in DECIDED and len(people[one.id, node]) == 1
        return Compression(total, skipped, single)

    def asking_at(self, version: int) -> list[str]:
        snapshot = self.ctx.snapshot
        if version != snapshot.version:
            snapshot = self.ctx.tenant.at(version)
        found = snapshot.definitions.processes.approvals.get(self.name)
        return [node.name for node in nodes_in(found.flow) if node.type in ASKING] if found else []


def counted(states: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in states:
        found[state] = found.get(state, 0) + 1
    return dict(sorted(found.items()))


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None

"""Who decides for somebody who is away: dated, of all approvals or of some, and never handed on to a third person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Context
from engine.errors import BadInput, Conflict, Forbidden, InputProblem, NotFound
from engine.store import types
from engine.store.database import Connection, new_id
from engine.store.system_approvals import approval, approval_task
from engine.store.system_locks import agent as table
from metadata.processes import ADMIN_PERMISSION

__all__ = [
    "Agent", "agents", "agents_of", "appoint", "end_of", "find", "offered", "replace_agent",
    "speaks_of", "take_back",
]  # fmt: skip

MOST = 20  # at once, of one person
LONGEST = timedelta(days=366)
LONGEST_REASON = 500
NAMES = ("user", "agent", "from", "to", "approvals", "objects", "reason")


@dataclass(frozen=True, slots=True)
class Agent:
    """`agent` decides for `user` from `starts` to before `ends`. `approvals` and `objects`: () is all."""

    id: str
    user: str
    agent: str
    starts: datetime
    ends: datetime
    approvals: tuple[str, ...]
    objects: tuple[str, ...]  # by their physical names
    reason: str
    created_by: str

    def meets(self, other: "Agent") -> bool:
        """Whether there is a moment and an approval of which both speak."""
        is_then = self.starts < other.ends and other.starts < self.ends
        return is_then and common(self.approvals, other.approvals) and common(self.objects, other.objects)


def common(one: Sequence[str], other: Sequence[str]) -> bool:
    return not one or not other or bool(set(one) & set(other))


def appoint(ctx: Context, values: Mapping[str, Any]) -> Agent:
    """`values`: user (who asks, unless said), agent, from, to (ISO 8601 with an offset), approvals, objects, reason.
    Raises BadInput with all problems, Forbidden, and Conflict for what overlaps and for circles."""
    user = values.get("user") or ctx.actor.id
    if user != ctx.actor.id and not ctx.scope.has(ADMIN_PERMISSION):
        raise Forbidden("you may only say who decides for yourself", code="agent.forbidden", fix="leave 'user' out")
    with ctx.tenant.database.write() as connection:
        made = _read(ctx, connection, user, values)
        if connection.dialect == "postgresql":  # two who appoint each other at once make a circle
            name = f"fieldstone agents {ctx.tenant.database.schema}"
            connection.run("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
        _check(_living(connection, ctx.now), made)
        connection.sa.execute(sa.insert(table).values({
            "id": made.id, "user": made.user, "agent": made.agent, "from": made.starts, "to": made.ends,
            "approvals": dumped(made.approvals), "objects": dumped(made.objects), "reason": made.reason or None,
            "created_at": ctx.now, "created_by": ctx.actor.id or None, "ended_at": None,
        }))  # fmt: skip
        _note(ctx, connection, "people.agent", made)
    return made


def _read(ctx: Context, connection: Connection, user: str, values: Mapping[str, Any]) -> Agent:
    problems = [InputProblem(str(key)[:60], "agent.key", f"there is no '{str(key)[:60]}'", f"one of {', '.join(NAMES)}")
                for key in values if key not in NAMES]  # fmt: skip
    moments = {key: _moment(key, values.get(key), problems) for key in ("from", "to")}
    starts, ends = moments["from"], moments["to"]
    if starts is not None and ends is not None:
        if ends <= max(starts, ctx.now):
            problems.append(InputProblem("to", "agent.time", "it ends after it begins, and not in the past"))
        elif ends - starts > LONGEST:
            problems.append(InputProblem("to", "agent.time", f"it lasts at most {LONGEST.days} days"))
    people = _active(ctx, connection, [str(one) for one in (user, values.get("agent")) if types.is_id(one)])
    for key, one in (("user", user), ("agent", values.get("agent"))):
        if not isinstance(one, str) or one not in people:
            problems.append(InputProblem(key, "agent.person", "this person is not there, or not active"))
    if user and user == values.get("agent"):
        problems.append(InputProblem("agent", "agent.self", "nobody stands in for themselves", "choose another"))
    approvals, objects = (_names(key, values.get(key), problems) for key in ("approvals", "objects"))
    known = dict(zip(("approvals", "objects"), offered(ctx, connection), strict=True))
    for key, named in (("approvals", approvals), ("objects", objects)):
        problems += [InputProblem(key, f"agent.{key}", f"there is no '{one[:60]}'") for one in named
                     if one not in known[key]]  # fmt: skip
    reason = values.get("reason") or ""
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        problems.append(InputProblem("reason", "agent.reason", f"a reason has at most {LONGEST_REASON} characters"))
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, fix=problems[0].fix, problems=problems)
    assert starts is not None
    assert ends is not None
    tables = tuple(ctx.snapshot.physical.names.tables[one] for one in objects)
    return Agent(
        new_id(ctx.now), user, str(values["agent"]), starts, ends, approvals, tables, reason, ctx.actor.id
    )  # fmt: skip


def offered(ctx: Context, connection: Connection) -> tuple[list[str], list[str]]:
    """(approvals, objects) of which somebody may speak: what they may read, or were asked about."""
    approvals, objects = ctx.snapshot.definitions.processes.approvals, ctx.snapshot.definitions.objects
    if ctx.scope.has(ADMIN_PERMISSION):
        return list(approvals), list(objects)
    task, me = approval_task.c, ctx.actor.id
    asked = sa.select(approval.c.object).join(approval_task, task.instance == approval.c.id).distinct()
    tables = set(connection.sa.scalars(asked.where(sa.or_(task.user == me, task.decided_by == me))))
    names = ctx.snapshot.physical.names.tables
    known = [one for one in objects if ctx.scope.can("read", one) or names.get(one) in tables]
    return [name for name, one in approvals.items() if one.object in known], known


def _moment(key: str, value: Any, problems: list[InputProblem]) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        found = found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError):  # a moment before the year 1
        found = None
    if found is None:
        fix = "write it as 2026-11-30T09:00:00+08:00"
        problems.append(InputProblem(key, "value.datetime", f"'{key}' is a date and time with an offset", fix))
        return None
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def _names(key: str, value: Any, problems: list[InputProblem]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        problems.append(InputProblem(key, "value.type", f"'{key}' is a list of names"))
        return ()
    return tuple(dict.fromkeys(value))


def _active(ctx: Context, connection: Connection, users: Sequence[str]) -> set[str]:
    user = ctx.snapshot.physical.table("user")
    wanted = sa.select(user.c.id).where(user.c.id.in_(users), user.c.deleted_at.is_(None), user.c.is_active)
    return set(connection.sa.scalars(wanted)) if users else set()


def _check(others: Sequence[Agent], made: Agent) -> None:
    mine = [one for one in others if one.user == made.user]
    if any(one.meets(made) for one in mine):
        message = "somebody stands in for this person at that time already"
        raise Conflict(message, code="agent.overlap", fix="take that back first, or choose another time")
    if len(mine) >= MOST:
        raise Conflict(f"one person has at most {MOST} at once", code="agent.limit", fix="take some back")
    if any(one.user == made.agent and one.meets(made) for one in others):
        reached, waiting = {made.agent}, [made.agent]
        while waiting:
            here = waiting.pop()
            for one in others:
                if one.user == here and one.meets(made) and one.agent not in reached:
                    reached.add(one.agent)
                    waiting.append(one.agent)
        if made.user in reached:
            message = "each would stand in for the other, directly or through others"
            raise Conflict(message, code="agent.circle", fix="choose somebody else")
        message = "this person is away at that time, and does not hand on what is somebody else's"
        raise Conflict(message, code="agent.away", fix="choose somebody else")


def take_back(ctx: Context, agent: str) -> None:
    """By the person, or by an administrator of processes. Raises NotFound, for others' and for what has ended."""
    with ctx.tenant.database.write() as connection:
        found = next((one for one in _living(connection, ctx.now) if one.id == agent), None)
        is_theirs = found is not None and (found.user == ctx.actor.id or ctx.scope.has(ADMIN_PERMISSION))
        if found is None or not is_theirs:
            raise NotFound("nobody stands in for you by this id", code="agent.unknown")
        connection.sa.execute(sa.update(table).where(table.c.id == agent).values(ended_at=ctx.now))
        _note(ctx, connection, "people.agent_ended", found)


def agents(ctx: Context, *, of_all: bool = False) -> list[Agent]:
    """Those that stand in for the person and those for whom the person does, now or later. `of_all`: everybody's;
    raises Forbidden for who does not manage processes."""
    if of_all and not ctx.scope.has(ADMIN_PERMISSION):
        raise Forbidden("you may only see who stands in for you", code="agent.forbidden")
    with ctx.tenant.database.read() as connection:
        found = _living(connection, ctx.now)
    return [one for one in found if of_all or ctx.actor.id in (one.user, one.agent)]


def agents_of(
    connection: Connection, users: Iterable[str], now: datetime, approval: str = "", object_name: str = ""
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """User -> who may decide for them now; who is there for themselves is left out. `object_name` is the physical name,
    as an instance holds it. Nobody's agent is followed further."""
    wanted = [one for one in dict.fromkeys(users) if one]
    found: dict[str, tuple[str, ...]] = {}
    for one in _now(connection, table.c.user.in_(wanted), now) if wanted else ():
        if speaks_of(one, approval, object_name):
            found[one.user] = (*found.get(one.user, ()), one.agent)
    return found


def find(connection: Connection, agent: str) -> Agent | None:
    """None for one that was taken back."""
    if not types.is_id(agent):
        return None
    row = connection.sa.execute(sa.select(table).where(table.c.id == agent, table.c.ended_at.is_(None))).first()
    return None if row is None else _agent(row)


def speaks_of(one: Agent, approval: str, object_name: str) -> bool:
    return (not one.approvals or approval in one.approvals) and (not one.objects or object_name in one.objects)


def _now(connection: Connection, condition: sa.ColumnElement[bool], now: datetime) -> list[Agent]:
    c = table.c
    wanted = sa.select(table).where(condition, c["from"] <= now, c["to"] > now, c.ended_at.is_(None)).order_by(c.id)
    return [_agent(row) for row in connection.sa.execute(wanted)]


def _living(connection: Connection, now: datetime) -> list[Agent]:
    wanted = sa.select(table).where(table.c["to"] > now, table.c.ended_at.is_(None)).order_by(table.c["from"])
    return [_agent(row) for row in connection.sa.execute(wanted)]


def _agent(row: Any) -> Agent:
    values = row._mapping
    return Agent(
        values["id"], values["user"], values["agent"], values["from"], values["to"],
        tuple(orjson.loads(values["approvals"])), tuple(orjson.loads(values["objects"])), values["reason"] or "",
        values["created_by"] or "",
    )  # fmt: skip


def end_of(ctx: Context, connection: Connection, user: str) -> list[Agent]:
    """Of somebody who leaves: what they have said, and what others have said of them, ends."""
    found = [one for one in _living(connection, ctx.now) if user in (one.user, one.agent)]
    ids = [one.id for one in found]
    if ids:
        connection.sa.execute(sa.update(table).where(table.c.id.in_(ids)).values(ended_at=ctx.now))
    return found


def replace_agent(ctx: Context, connection: Connection, agent: str, user: str) -> None:
    """Somebody else stands in from now on, as in a handover."""
    connection.sa.execute(sa.update(table).where(table.c.id == agent).values(agent=user))
    found = find(connection, agent)
    if found is not None:
        _note(ctx, connection, "people.agent", found)


def _note(ctx: Context, connection: Connection, kind: str, one: Agent) -> None:
    details = {"agent": one.agent, "from": one.starts.isoformat(), "to": one.ends.isoformat(), "reason": one.reason,
               "approvals": list(one.approvals), "objects": list(one.objects)}  # fmt: skip
    note(
        connection, kind, actor=ctx.actor, origin=ctx.origin, now=ctx.now, object_name="user", record=one.user,
        details=details,
    )  # fmt: skip


def dumped(names: Sequence[str]) -> str:
    return orjson.dumps(list(names)).decode()

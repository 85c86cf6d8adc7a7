"""The stage path of a record: its states, and where this person may take it from here."""

from dataclasses import dataclass
from typing import Literal

from engine.context import Context
from engine.errors import InputProblem
from engine.process.subject import record_of
from engine.process.workflow import flow_of, label_of, ways
from engine.service import Records
from metadata.model import say

__all__ = ["Move", "Stage", "StagePath", "paths"]


@dataclass(frozen=True, slots=True)
class Stage:
    value: str
    label: str
    is_now: Literal["done", "current", "ahead"]
    guidance: str = ""
    is_final: bool = False
    is_won: bool | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A change of state. `missing`: fields that it needs still. `problems`: what else stands in its way."""

    target: str
    label: str  # of the transition's button, else of the state
    transition: str = ""
    missing: tuple[str, ...] = ()
    problems: tuple[InputProblem, ...] = ()
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class StagePath:
    workflow: str
    field: str
    stages: tuple[Stage, ...]
    moves: tuple[Move, ...]


def paths(ctx: Context, object_name: str, record_id: str) -> StagePath | None:
    """None where the record has no workflow. Raises NotFound for a record that the person may not see.

    `moves` is empty for whoever may not write the state."""
    records = Records(ctx)
    records.get(object_name, record_id, ("id",))
    with ctx.tenant.database.read() as connection:
        record = record_of(ctx, connection, object_name, record_id) or {}
        flow = flow_of(ctx, object_name, record)
        if flow is None or flow.field not in ctx.scope.readable(object_name):
            return None
        found = ways(ctx, connection, object_name, record)
    readable = ctx.scope.readable(object_name)
    may_write = not readable[flow.field].is_read_only
    may_write = may_write and "update" in records.allowed(object_name, record_id, ("update",))
    now = record.get(flow.field)
    order = [state.value for state in flow.states]
    place = order.index(now) if now in order else -1
    stages = tuple(
        Stage(
            state.value, say(label_of(ctx, flow, state.value), ctx.language),
            "current" if index == place else "done" if index < place and not state.is_final else "ahead",
            say(state.guidance, ctx.language), state.is_final, state.is_won,
        )
        for index, state in enumerate(flow.states)
    )  # fmt: skip
    moves = tuple(
        Move(
            way.target,
            say(way.transition.label if way.transition else label_of(ctx, flow, way.target), ctx.language),
            way.transition.name if way.transition else "", tuple(one for one in way.missing if one in readable),
            tuple(one for one in way.problems if one.code != "workflow.required"),
            way.is_open and all(one in readable for one in way.missing),
        )
        for way in (found if may_write else ())
    )  # fmt: skip
    return StagePath(flow.name, flow.field, stages, moves)

"""What entering a state brings: the steps of the transition that was taken, and those of the state."""

from collections.abc import Mapping
from typing import Any

from engine.context import Context
from engine.process.automation.saving import deeper, saving_of
from engine.process.step import Occasion
from engine.process.steps import carry_out
from engine.process.subject import Subject, records_of
from engine.process.workflow import flow_of, state_of
from engine.store.database import Connection
from metadata.processes import Part

__all__ = ["enter"]

Values = Mapping[str, Any]


def enter(
    ctx: Context, connection: Connection, name: str, records: Mapping[str, tuple[str, Values | None]]
) -> bool:  # fmt: skip
    """Of records that were written. Returns whether steps were carried out."""
    has_run = False
    moved = saving_of(connection).moved
    ids = [one for one, (action, _) in records.items() if action != "delete"]
    for record_id, record in records_of(ctx, connection, name, ids).items():
        flow, prior = flow_of(ctx, name, record), records[record_id][1]
        if flow is None:
            continue
        now, was = record.get(flow.field), prior.get(flow.field) if prior is not None else None
        taken = moved.pop(record_id, "")
        state = state_of(flow, now) if now is not None else None
        if now == was or state is None:
            continue
        transition = next((one for one in flow.transitions if one.name == taken), None)
        parts: tuple[Part, ...] = (*(transition.steps if transition is not None else ()), *state.steps)
        if parts:
            shown = f"{flow.name}: {now}"
            occasion = Occasion(
                f"workflow {shown}", f"{flow.name}:{record_id}:{record['version']}", "after_save", shown
            )
            with deeper(connection, shown):
                carry_out(Subject(ctx, connection, name, record, prior), parts, occasion)
            has_run = True
    return has_run

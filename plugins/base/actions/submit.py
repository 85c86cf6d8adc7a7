"""submit"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"instance": step.submit(options.get("approval") or "")}


SUBMIT = Action(
    name="submit",
    doc="Submits the record for approval.",
    schema={
        "type": "object",
        "properties": {"approval": {"type": "string"}},
        "additionalProperties": False,
    },
    run=run,
    short="approval",
    is_of_record=True,
    refers={"approval": "approval"},
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
)

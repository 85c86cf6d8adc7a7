"""start"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    record = step.value(options["record"]) if "record" in options else None
    if "record" in options and record is None:
        return {}
    return {"run": step.start(options["automation"], None if record is None else str(record))}


START = Action(
    name="start",
    doc="Starts another automation, which runs by itself.",
    schema={
        "type": "object",
        "properties": {"automation": {"type": "string"}, "record": {"type": "string"}},
        "required": ["automation"],
        "additionalProperties": False,
    },
    run=run,
    short="automation",
    formulas=("record",),
    refers={"automation": "automation"},
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
)

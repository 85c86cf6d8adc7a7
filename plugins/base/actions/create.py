"""create"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    object_name = options["object"]
    made = step.create(object_name, step.values(options.get("values") or {}, object_name))
    return {"id": made["id"], "object": object_name}


CREATE = Action(
    name="create",
    doc="Creates a record; later steps read it by the step's name.",
    schema={
        "type": "object",
        "properties": {"object": {"type": "string"}, "values": {"type": "object"}},
        "required": ["object"],
        "additionalProperties": False,
    },
    run=run,
    refers={"object": "object"},
    values="values",
    about="object",
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
    writes="create",
)

"""find"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    object_name = options["object"]
    found = step.find(object_name, options.get("filter") or "", 1, options.get("sort") or "")
    return {"id": found[0]["id"] if found else None, "object": object_name}


FIND = Action(
    name="find",
    doc="Finds the first record of an object; later steps read it by the step's name, and blank where there is none.",
    schema={
        "type": "object",
        "properties": {"object": {"type": "string"}, "filter": {"type": "string"}, "sort": {"type": "string"}},
        "required": ["object"],
        "additionalProperties": False,
    },
    run=run,
    refers={"object": "object"},
    about="object",
    filters=("filter",),
)

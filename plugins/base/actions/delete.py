"""delete"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    object_name = options["object"]
    if "record" in options:
        found = step.value(options["record"])
        ids = [] if found is None else [str(found)]
    else:
        ids = [str(one["id"]) for one in step.find(object_name, options["filter"], 1000)]
    for one in ids:
        step.delete(object_name, one)
    return {"object": object_name, "count": len(ids)}


DELETE = Action(
    name="delete",
    doc="Puts other records into the trash.",
    schema={
        "type": "object",
        "properties": {"object": {"type": "string"}, "record": {"type": "string"}, "filter": {"type": "string"}},
        "required": ["object"],
        "oneOf": [{"required": ["record"]}, {"required": ["filter"]}],
        "additionalProperties": False,
    },
    run=run,
    refers={"object": "object"},
    formulas=("record",),
    about="object",
    filters=("filter",),
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
    writes="delete",
)

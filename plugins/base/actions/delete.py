"""delete"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step

MOST = 1000


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    object_name, more = options["object"], {}
    if "record" in options:
        found = step.value(options["record"])
        ids = [] if found is None else [str(found)]
    else:
        ids = [str(one["id"]) for one in step.find(object_name, options["filter"], MOST + 1)]
        more = {"cut": True} if len(ids) > MOST else {}
    for one in ids[:MOST]:
        step.delete(object_name, one)
    return {"object": object_name, "count": len(ids[:MOST]), **more}


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

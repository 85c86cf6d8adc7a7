"""update"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step

MOST = 1000


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    """A record that a formula leads to, or all that a filter finds."""
    object_name, said = options["object"], options.get("values") or {}
    values = step.values(said, object_name)
    if "record" in options:
        record = step.value(options["record"])
        if record is None:
            return {"count": 0}
        return {"id": step.update(object_name, str(record), values)["id"], "object": object_name, "count": 1}
    most = min(int(options.get("most") or MOST), MOST)
    found = step.find(object_name, options["filter"], most + 1)
    step.update_all(object_name, {str(one["id"]): values for one in found[:most]})
    return {"object": object_name, "count": len(found[:most]), **({"cut": True} if len(found) > most else {})}


UPDATE = Action(
    name="update",
    doc="Changes another record, or all records that a filter finds.",
    schema={
        "type": "object",
        "properties": {
            "object": {"type": "string"},
            "record": {"type": "string"},
            "filter": {"type": "string"},
            "values": {"type": "object", "minProperties": 1},
            "most": {"type": "integer", "minimum": 1, "maximum": MOST},
        },
        "required": ["object", "values"],
        "oneOf": [{"required": ["record"]}, {"required": ["filter"]}],
        "additionalProperties": False,
    },
    run=run,
    refers={"object": "object"},
    formulas=("record",),
    values="values",
    about="object",
    filters=("filter",),
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
    writes="update",
)

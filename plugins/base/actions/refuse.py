"""refuse"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> None:
    step.refuse(step.told(options["message"]), str(options.get("field") or ""))


REFUSE = Action(
    name="refuse",
    doc="Refuses the save, with a message at a field or at the record.",
    schema={
        "type": "object",
        "properties": {
            "message": {"type": ["string", "object"], "additionalProperties": {"type": "string"}},
            "field": {"type": "string"},
        },
        "required": ["message"],
        "additionalProperties": False,
    },
    run=run,
    short="message",
    texts=("message",),
    fields=("field",),
    phases=("before_save", "after_save"),
)

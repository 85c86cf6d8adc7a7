"""notify"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    users = step.people(options["to"])
    step.notify(
        users, template=options.get("template") or "", subject=step.text(options.get("subject") or ""),
        body=step.text(options.get("body") or ""),
    )  # fmt: skip
    return {"users": list(users)}


NOTIFY = Action(
    name="notify",
    doc="Tells people in the product.",
    schema={
        "type": "object",
        "properties": {
            "to": {"type": ["array", "object", "string"], "items": {"type": ["object", "string"]}},
            "template": {"type": "string"},
            "subject": {"type": "string"},
            "body": {"type": "string"},
        },
        "required": ["to"],
        "anyOf": [{"required": ["template"]}, {"required": ["subject"]}],
        "additionalProperties": False,
    },
    run=run,
    people=("to",),
    texts=("subject", "body"),
    refers={"template": "template"},
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
)

"""webhook"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    body = step.plain(options.get("values") or {})
    if not body:
        body = {"object": step.object_name, "id": step.record_id}
    job = step.later("webhook", {
        "url": step.text(options["url"]), "event": options.get("event") or "", "body": body,
        "object": step.object_name, "record": step.record_id or "",
    })  # fmt: skip
    return {"job": job}


WEBHOOK = Action(
    name="webhook",
    doc="Calls another system: signed, and tried again until it answers.",
    schema={
        "type": "object",
        "properties": {
            "url": {"type": "string", "pattern": "^https?://"},
            "event": {"type": "string", "description": "What the receiver knows the call by."},
            "values": {"type": "object", "description": "What is sent: name -> a literal, or =formula."},
        },
        "required": ["url"],
        "additionalProperties": False,
    },
    run=run,
    short="url",
    texts=("url", "values"),
    is_outside=True,
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
)

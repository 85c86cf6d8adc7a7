"""mail"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    to = [step.text(one) for one in addresses(options.get("address"))]
    if "field" in options:
        to.append(str(step.plain({"to": f"={options['field']}"})["to"] or ""))
    if "to" in options:
        to += step.addresses(step.people(options["to"]))
    to = list(dict.fromkeys(one for one in to if one))
    step.mail(
        to, template=options.get("template") or "", subject=step.text(options.get("subject") or ""),
        body=step.text(options.get("body") or ""),
    )  # fmt: skip
    return {"count": len(to)}  # an address may be one of which many see the mask only


def addresses(said: Any) -> list[str]:
    return [said] if isinstance(said, str) else list(said or ())


MAIL = Action(
    name="mail",
    doc="Sends a mail to people, to an address in a field of the record, or to fixed ones.",
    schema={
        "type": "object",
        "properties": {
            "to": {"type": ["array", "object", "string"], "items": {"type": ["object", "string"]}},
            "field": {"type": "string", "description": "A path to an address."},
            "address": {"type": ["string", "array"], "items": {"type": "string"}},
            "template": {"type": "string"},
            "subject": {"type": "string"},
            "body": {"type": "string"},
        },
        "anyOf": [{"required": [to, said]} for to in ("to", "field", "address") for said in ("template", "subject")],
        "additionalProperties": False,
    },
    run=run,
    people=("to",),
    paths=("field",),
    texts=("address", "subject", "body"),
    refers={"template": "template"},
    is_outside=True,
    phases=("after_save", "after_commit", "schedule", "date", "webhook", "button", "event"),
)

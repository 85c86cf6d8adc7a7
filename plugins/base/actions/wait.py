"""wait"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> None:
    start: datetime | None = None
    calendar = options.get("calendar") or ""
    if "until" in options:
        found = step.value(options["until"])
        if found is None:
            return
        is_day = isinstance(found, date) and not isinstance(found, datetime)
        start = step.begins(found, calendar) if is_day else found
    length = options.get("for")
    step.wait(step.after(length, start, calendar) if length else start)


WAIT = Action(
    name="wait",
    doc="Goes on later: after a length of time, or at a date or moment of the record.",
    schema={
        "type": "object",
        "properties": {
            "for": {"type": "string", "pattern": "^-?[0-9]+ ?(minute|hour|day|workhour|workday)s?$"},
            "until": {"type": "string", "description": "A path to a date or moment; with 'for', so long after it."},
            "calendar": {"type": "string"},
        },
        "anyOf": [{"required": ["for"]}, {"required": ["until"]}],
        "additionalProperties": False,
    },
    run=run,
    short="for",
    paths=("until",),
    refers={"calendar": "calendar"},
    phases=("after_commit", "schedule", "date", "webhook", "button", "event"),
)

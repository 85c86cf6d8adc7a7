"""set"""

from collections.abc import Mapping
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    values = step.values(options)
    step.set(values)
    return values


SET = Action(
    name="set",
    doc="Sets fields of the record.",
    schema={"type": "object", "minProperties": 1},
    run=run,
    values="*",
    writes="record",
)

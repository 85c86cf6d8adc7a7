"""assign"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import Action, Step


def run(step: Step, options: Mapping[str, Any]) -> dict[str, Any]:
    field = options.get("field") or "owner"
    those: Sequence[str] | None = step.people(options["among"]) if "among" in options else None
    if those is None or "where" in options:
        those = step.matching(those, options.get("where") or "")
    chosen = chosen_of(step, options, field, those)
    if chosen:
        step.set({field: chosen})
    return {"user": chosen or None, "among": len(those)}


def chosen_of(step: Step, options: Mapping[str, Any], field: str, those: Sequence[str]) -> str:
    by = options.get("by") or "round_robin"
    if by == "first" or not those:
        return those[0] if those else ""
    if by == "least_loaded":
        counted = step.loads(options.get("of") or step.object_name, field, options.get("load") or "", those)
        least = min(counted)
        those = [one for one, count in zip(those, counted, strict=True) if count == least]
    return step.turn(field, those)


ASSIGN = Action(
    name="assign",
    doc="Gives the record to somebody: in turn, to whoever has least, or to the first whom a formula fits.",
    schema={
        "type": "object",
        "properties": {
            "field": {"type": "string", "description": "The field that holds the user; owner unless said."},
            "by": {"enum": ["round_robin", "least_loaded", "first"], "default": "round_robin"},
            "among": {"type": ["array", "object", "string"], "items": {"type": ["object", "string"]}},
            "where": {"type": "string", "description": "A formula over user: region == record.region."},
            "of": {"type": "string", "description": "Of least_loaded: whose records count; the record's unless said."},
            "load": {"type": "string", "description": "Of least_loaded: a formula: which of those count."},
        },
        "anyOf": [{"required": ["among"]}, {"required": ["where"]}],
        "additionalProperties": False,
    },
    run=run,
    fields=("field",),
    people=("among",),
    over={"where": "user"},
    about="of",
    filters=("load",),
    refers={"of": "object"},
    writes="record",
)

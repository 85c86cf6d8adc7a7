"""What speaks against saving: shown above the form that comes back, for the person to confirm or to think again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.errors import Candidate, InputWarning
from engine.service import Query, Records
from metadata.model import Object
from ui.columns import plan_of
from ui.screens.refusals import label_at, text_of
from ui.visit import Visit

__all__ = ["asking", "candidate_views", "confirmation_view", "warned_of"]

CONFIRM = "_confirm"
MOST_FACTS = 3  # values beside a candidate's title


def asking(visit: Visit) -> Records:
    """Writes that stop at warnings, unless the form says that the person has confirmed them."""
    is_confirmed = visit.sent(CONFIRM) == "1"
    return Records(replace(visit.ctx, warnings=[], stops_at_warnings=not is_confirmed))


def confirmation_view(visit: Visit, definition: Object, warnings: Sequence[InputWarning]) -> dict[str, Any]:
    items = [
        {
            "text": placed(visit, definition, warning),
            "candidates": warned_of(visit, warning.candidates, fields_of(warning)),
        }
        for warning in warnings
    ]
    links = [candidate["href"] for item in items for candidate in item["candidates"]]
    return {"items": items, "existing": links[0] if links else ""}


def placed(visit: Visit, definition: Object, warning: InputWarning) -> str:
    """The warning; of a line after the line that it is about."""
    text = text_of(visit, definition, warning)
    line = label_at(visit, definition, warning.path, text) if "." in warning.path else ""
    return f"{line}: {text}" if line else text


def fields_of(warning: InputWarning) -> tuple[str, ...]:
    """The fields that a warning compared."""
    compared = dict(warning.values).get("compared", "")
    return tuple(str(compared).split(",")) if compared else ()


def warned_of(visit: Visit, candidates: Sequence[Candidate], fields: Sequence[str]) -> list[dict[str, Any]]:
    """Candidates of one object, as all of a rule are."""
    pairs = [(one.id, one.title) for one in candidates]
    return candidate_views(visit, candidates[0].object, pairs, fields) if pairs else []


def candidate_views(
    visit: Visit, object_name: str, candidates: Sequence[tuple[str, str]], fields: Sequence[str]
) -> list[dict[str, Any]]:
    """(id, title) each -> its address, its title, and what it holds in some fields."""
    facts = facts_of(visit, object_name, [record_id for record_id, _ in candidates], fields)
    return [
        {
            "href": f"/o/{object_name}/{record_id}",
            "title": title or visit.say("Untitled"),
            "facts": facts.get(record_id, []),
        }
        for record_id, title in candidates
    ]


def facts_of(visit: Visit, object_name: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, list[str]]:
    """id -> values as HTML."""
    ctx = visit.ctx
    definition = ctx.snapshot.definitions.objects[object_name]
    # What was compared first; what people search by helps to tell the rest apart.
    wanted = [name for name in dict.fromkeys((*fields, *definition.search)) if name != definition.title][:MOST_FACTS]
    plan = plan_of(ctx.snapshot, ctx.scope, object_name, wanted, visit.formats, ctx.language)
    if not plan.columns:
        return {}
    page = visit.records.page(Query(object_name, plan.paths, ids=tuple(ids), limit=len(ids)))
    return {
        record_id: [html for column in plan.columns if (html := column.cell(row))]
        for record_id, row in zip(page.ids, page.rows, strict=True)
    }

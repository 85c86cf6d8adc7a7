"""Which kind of record a new one is: asked before the form where an object has several."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from metadata.build.objects import RECORD_TYPE
from metadata.model import Object
from ui.screens.objects import head
from ui.visit import Visit, with_query
from ui.widgets import lowered

__all__ = ["chosen_type", "record_type_of", "type_label", "types_page"]


def chosen_type(visit: Visit, definition: Object, held: Mapping[str, Any]) -> str | None:
    """The type asked for, else that of the record to copy, else the only one; None if the person must choose."""
    active = [one.name for one in definition.record_types if not one.is_retired]
    for wanted in (visit.request.query_params.get(RECORD_TYPE, ""), str(held.get(RECORD_TYPE) or "")):
        if wanted in active:
            return wanted
    return active[0] if len(active) == 1 else None if active else ""


def types_page(visit: Visit, definition: Object) -> Response:
    """A link for each type, which keeps what the address said besides."""
    object_view = head(visit, definition)
    address = f"/o/{definition.name}/new"
    others = [(name, value) for name, value in visit.request.query_params.multi_items() if name != RECORD_TYPE]
    types = [
        {
            "label": visit.text(one.label),
            "description": visit.text(one.description),
            "href": with_query(address, [*others, (RECORD_TYPE, one.name)]),
            "is_default": one.is_default,
        }
        for one in definition.record_types
        if not one.is_retired
    ]
    heading = visit.say("New {object}", object=lowered(object_view["label"], visit.language))
    return visit.render(
        "types.html" if visit.is_part else "types_page.html", title=heading, heading=heading, object=object_view,
        types=types, back=f"/o/{definition.name}", in_sheet=visit.is_part, current=(definition.name, "", "any"),
    )  # fmt: skip


def type_label(visit: Visit, definition: Object, record_type: str) -> str:
    """What a record's type is called, where its object has several; "" else."""
    found = next((one for one in definition.record_types if one.name == record_type), None)
    return visit.text(found.label) if found is not None and len(definition.record_types) > 1 else ""


def record_type_of(visit: Visit, definition: Object, record_id: str) -> str:
    if not definition.record_types or RECORD_TYPE not in visit.ctx.scope.readable(definition.name):
        return ""
    return str(visit.records.get_row(definition.name, record_id, (RECORD_TYPE,)).get(RECORD_TYPE) or "")

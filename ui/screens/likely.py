"""What a record's page says of records that may be the same thing."""

from typing import Any

from engine.rules.duplicates import has_rules
from metadata.model import Object
from ui.screens.confirmation import candidate_views
from ui.visit import Visit

__all__ = ["MOST", "likely_view", "may_merge"]

MOST = 3  # records that are merged at once


def may_merge(visit: Visit, object_name: str) -> bool:
    return visit.ctx.scope.can("update", object_name) and visit.ctx.scope.can("delete", object_name)


def likely_view(visit: Visit, definition: Object, record_id: str) -> dict[str, Any] | None:
    """What a record's page says of its possible duplicates; None where there are none, or no rules."""
    if not has_rules(visit.ctx.snapshot, definition.name):
        return None
    found = visit.records.duplicates(definition.name, record_id)
    if not found:
        return None
    shown = found[:MOST]
    rules = {rule.name: rule for rule in definition.duplicates}
    fields = dict.fromkeys(match.field for one in shown for match in rules[one.rule].matches)
    ids = ",".join([record_id, *(one.id for one in shown[: MOST - 1])])
    return {
        "text": visit.say("Possible duplicates: {count}", count=visit.formats.number(len(found))),
        "candidates": candidate_views(visit, definition.name, [(one.id, one.title) for one in shown], tuple(fields)),
        "merge": f"/o/{definition.name}/merge?ids={ids}" if may_merge(visit, definition.name) else "",
    }

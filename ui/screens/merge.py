"""Two or three records side by side: which one stays, whose values it takes, what moves to it; and the way back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, Forbidden, NotFound, Stale
from engine.rules.values import rules_of
from engine.service import AggregateQuery, Query
from engine.store.references import referring, written
from engine.store.types import is_id
from metadata.model import Field, Object
from ui.columns import ShownColumn, plan_of, readable
from ui.naming import named_rows
from ui.screens.likely import MOST, may_merge
from ui.screens.objects import head, is_written, object_of, title_in
from ui.screens.record import record_page, values_of
from ui.screens.refusals import sentence
from ui.visit import Visit

__all__ = ["merge", "merge_page", "unmerge"]

FEWEST = 2
TAKE, VERSION = "take.", "version."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LINK = re.compile(r"</?a\b[^>]*>")  # a choice is clicked as a whole: what it shows cannot lead elsewhere
SYSTEM = ("created_at", "modified_at", "version")

Values = Mapping[str, Any]
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """The records of a merge as this person sees them."""

    definition: Object
    columns: tuple[ShownColumn, ...]
    records: dict[str, Values]  # in the order of the address
    rows: Mapping[str, Row]  # the same for the columns' cells

    def differs(self, name: str) -> bool:
        first, *others = (values.get(name) for values in self.records.values())
        return any(other != first for other in others)


def merge_page(visit: Visit) -> Response:
    sent = ",".join(visit.request.query_params.getlist("ids")).split(",")
    return show(visit, compare(visit, sent))


def merge(visit: Visit) -> Response:
    compared = compare(visit, visit.form.get("ids", ()))
    definition, ids = compared.definition, list(compared.records)
    master = visit.sent("keep") if visit.sent("keep") in ids else ids[0]
    taken = {name: visit.sent(TAKE + name) for name in choosable(visit, compared) if TAKE + name in visit.form}
    versions = {one: visit.sent(VERSION + one) for one in ids}
    try:
        merged = visit.records.merge(
            definition.name, master, [one for one in ids if one != master],
            {name: source for name, source in taken.items() if source != master},
            {one: int(text) for one, text in versions.items() if text.isdecimal() and len(text) < 18},
        )  # fmt: skip
    except Stale:
        notice = visit.say("Somebody has changed one of these records meanwhile. Look, then merge again.")
        return show(visit, compared, notice, 409, master, taken)
    except (BadInput, Conflict) as refusal:
        status = 422 if isinstance(refusal, BadInput) else 409
        refusal.problems = tuple(replace(one, path=one.path.removeprefix("values.")) for one in refusal.problems)
        return show(visit, compared, sentence(visit, definition, refusal), status, master, taken)
    title = title_in(visit, definition, merged.record, visit.text(definition.label))
    toast = {"code": "merged", "object": definition.name, "id": master, "title": title}
    return visit.go(f"/o/{definition.name}/{master}", toast)


def unmerge(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    record_id = visit.request.path_params["id"]
    try:
        undone = visit.records.unmerge(definition.name, record_id)
    except (BadInput, Conflict, Stale) as refusal:
        return record_page(visit, sentence(visit, definition, refusal), 409)
    except NotFound as refusal:
        if refusal.code != "merge.none":
            raise
        return record_page(visit, sentence(visit, definition, refusal), 409)
    kept = len(undone.kept)
    toast = {"code": "unmerged_partly", "count": str(kept)} if kept else {"code": "unmerged"}
    return visit.go(f"/o/{definition.name}/{record_id}", toast)


def compare(visit: Visit, sent: Sequence[str]) -> Compared:
    """Raises NotFound for records that this person may not see, Forbidden for what they may not do."""
    definition = object_of(visit, visit.request.path_params["object"])
    if not may_merge(visit, definition.name):
        raise Forbidden(f"you may not merge {definition.name} records")
    ids = list(dict.fromkeys(one for one in sent if is_id(one)))
    if not FEWEST <= len(ids) <= MOST:
        raise BadInput("choose two or three records to merge", code="merge.others")
    ctx = visit.ctx
    names = [name for name in ctx.scope.fields(definition.name) if is_compared(definition, name)]
    plan = plan_of(ctx.snapshot, ctx.scope, definition.name, names, visit.formats, ctx.language)
    system = [name for name in SYSTEM if name in ctx.scope.fields(definition.name)]
    paths = (*dict.fromkeys((ctx.scope.title(definition.name), *plan.paths, *system)),)
    records = {one: values_of(visit, definition, one, paths) for one in ids}
    rows = named_rows(visit.records, plan, [[values.get(path) for path in plan.paths] for values in records.values()])
    return Compared(definition, plan.columns, records, dict(zip(ids, rows, strict=True)))


def is_compared(definition: Object, name: str) -> bool:
    """Own fields that are stored with the record, and who it belongs to."""
    field = definition.fields.get(name)
    return name == "owner" or (field is not None and field.is_stored)


def choosable(visit: Visit, compared: Compared) -> list[str]:
    written = rules_of(visit.ctx.snapshot, compared.definition.name).fields
    return [
        column.path
        for column in compared.columns
        if column.path in written and is_written(visit, compared.definition, column.path, False)
    ]


def show(
    visit: Visit, compared: Compared, notice: str = "", status: int = 200, master: str = "",
    taken: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    definition = compared.definition
    master = master or fullest(compared)
    may_choose = set(choosable(visit, compared))
    taken = taken or {name: newest(compared, name) for name in may_choose}
    fields = [field_view(compared, column, column.path in may_choose, taken) for column in compared.columns]
    records = [record_view(visit, definition, one, held, one == master) for one, held in compared.records.items()]
    return visit.render(
        "merge.html", status, title=visit.say("Merge records"), object=head(visit, definition),
        back=f"/o/{definition.name}", current=(definition.name, "", "any"), notice=notice,
        records=records, related=related_views(visit, compared),
        fields=sorted((f for f in fields if f["differs"]), key=lambda field: not field["may_choose"]),
        same=[field for field in fields if not field["differs"] and field["cells"][0]["html"]],
    )  # fmt: skip


def record_view(visit: Visit, definition: Object, record_id: str, values: Values, is_master: bool) -> dict[str, Any]:
    return {
        "id": record_id,
        "title": title_in(visit, definition, values, visit.say("Untitled")),
        "href": f"/o/{definition.name}/{record_id}",
        "version": values["version"],
        "created": visit.formats.datetime(values["created_at"]) if "created_at" in values else "",
        "changed": visit.formats.datetime(values["modified_at"]) if "modified_at" in values else "",
        "is_master": is_master,
    }


def field_view(compared: Compared, column: ShownColumn, may_choose: bool, taken: Mapping[str, str]) -> dict[str, Any]:
    cells = []
    for record_id, row in compared.rows.items():
        html = column.cell(row)
        cells.append({"id": record_id, "html": LINK.sub("", html), "is_taken": taken.get(column.path) == record_id})
    return {
        "name": column.path, "label": column.label, "cells": cells, "may_choose": may_choose,
        "differs": compared.differs(column.path),
    }  # fmt: skip


def fullest(compared: Compared) -> str:
    """The record with most values; of several the oldest, which others know."""

    def weight(record_id: str) -> tuple[int, Any]:
        values = compared.records[record_id]
        return -sum(values.get(column.path) not in (None, "") for column in compared.columns), record_id

    return min(compared.records, key=weight)


def newest(compared: Compared, name: str) -> str:
    """The record whose value is taken unless somebody chooses: that changed last, of those that have one."""
    filled = [one for one, values in compared.records.items() if values.get(name) not in (None, "")]
    return max(filled or compared.records, key=lambda one: (compared.records[one].get("modified_at") or EPOCH, one))


def related_views(visit: Visit, compared: Compared) -> list[dict[str, Any]]:
    """What refers to each of the records, of what this person may see."""
    found = []
    for name, reference in referring(visit.ctx.snapshot, compared.definition.name):
        if readable(visit.ctx.snapshot, visit.ctx.scope, name, reference.name) is None or not reference.is_stored:
            continue
        count = counts_together if reference.target else counts_one_by_one
        counts = count(visit, compared, name, reference)
        if any(counts.values()):
            label = f"{visit.text(visit.ctx.snapshot.definitions.objects[name].plural)} · {visit.text(reference.label)}"
            shown = [visit.formats.number(counts.get(one, 0)) for one in compared.records]
            found.append({"label": label, "counts": shown})
    return found


def counts_together(visit: Visit, compared: Compared, name: str, reference: Field) -> dict[str, int]:
    among = ", ".join(f"'{one}'" for one in compared.records)  # ids have no quotes
    asked = AggregateQuery(name, (reference.name,), filter=f"this.{reference.name} in [{among}]")
    return {group[reference.name]: group["count()"] for group in visit.records.aggregate(asked).groups}


def counts_one_by_one(visit: Visit, compared: Compared, name: str, reference: Field) -> dict[str, int]:
    """Of references that nothing can be grouped by."""
    counts = {}
    for one in compared.records:
        held = (reference.name, "=", written(reference, compared.definition.name, one))
        counts[one] = visit.records.page(Query(name, ("id",), conditions=(held,), limit=1, count="capped")).count or 0
    return counts

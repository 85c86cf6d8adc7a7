"""Lines of a record: as a grid in its form, as a table on its page, and as what the form sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from engine.service import Query, SortKey
from engine.store.references import written
from metadata.build.objects import POSITION
from metadata.model import Field, Object
from ui.cells import Shown, cell_for
from ui.columns import Plan, plan_of
from ui.naming import named_rows
from ui.rows import without_tags
from ui.screens.fields import widget_of
from ui.screens.form_state import FormState, LineState, typed
from ui.screens.objects import CLEAR, is_masked, is_written, keeps_hidden
from ui.visit import Visit
from ui.widgets import WIDE
from ui.working import Working, defaults_of

__all__ = ["LineRow", "copied_rows", "grid_view", "is_numeric", "line_rows", "lines_fields", "read_lines", "table_view"]

BLANK_LINES = 3  # for browsers without script
ROOM = 15  # of a grid: what its columns' weights add up to
WEIGHTS = {"lookup": 3, "text": 3, "email": 3, "url": 3, "phone": 3, "datetime": 3, "multiselect": 4, "switch": 1}
PAGE = 1000
BLANK = "__n__"  # stands for the number of a line in what the script copies

LineRow = tuple[str, Mapping[str, Any], "Mapping[str, Sequence[str]] | None"]
"""(id or "" of a new one, values as stored, what was sent or None)"""


@dataclass(frozen=True, slots=True)
class Columns:
    """Fields of a line: those of the grid, and those that open below it."""

    main: tuple[Field, ...]
    more: tuple[Field, ...]


def lines_fields(visit: Visit, definition: Object) -> tuple[Field, ...]:
    """Fields of lines that this person may see."""
    scope = visit.ctx.scope
    return tuple(
        one for one in definition.fields.values()
        if one.source == "lines" and one.name in scope.readable(definition.name) and scope.can("read", one.of)
    )  # fmt: skip


def child_of(visit: Visit, field: Field) -> Object:
    return visit.ctx.snapshot.definitions.objects[field.of]


def columns_of(visit: Visit, field: Field) -> Columns:
    key = ("ui.lines", field.of, field.by, visit.ctx.scope.key)
    found: Columns | None = visit.ctx.snapshot.cache.get(key)
    if found is None:
        found = visit.ctx.snapshot.cache[key] = chosen_columns(visit, field)
    return found


def chosen_columns(visit: Visit, field: Field) -> Columns:
    plugins, readable = visit.ctx.snapshot.plugins.fields, visit.ctx.scope.readable(field.of)
    main: list[Field] = []
    more: list[Field] = []
    room = ROOM
    for one in child_of(visit, field).fields.values():
        is_there = one.name in readable and not one.is_hidden and not one.is_list_of_records
        if not is_there or one.name in (field.by, POSITION):
            continue
        widget = plugins[one.type].widget
        weight = WEIGHTS.get(widget, 2)
        fits = widget not in WIDE and weight <= room
        room -= weight if fits else 0
        (main if fits else more).append(one)
    return Columns(tuple(main), tuple(more))


def of_record(visit: Visit, owner: Object, field: Field, record_id: str) -> tuple[tuple[str, str, object], ...]:
    """What is asked of the lines: that they belong to this record."""
    return ((field.by, "=", written(child_of(visit, field).fields[field.by], owner.name, record_id)),)


def stored_rows(visit: Visit, owner: Object, field: Field, record_id: str) -> list[tuple[str, dict[str, Any]]]:
    """(id, values) of all lines in their order."""
    child = child_of(visit, field)
    readable = visit.ctx.scope.readable(field.of)
    names = tuple(n for n, one in child.fields.items() if n in readable and not one.is_list_of_records)
    sort = (SortKey(POSITION),) if POSITION in child.fields else ()
    asked = of_record(visit, owner, field, record_id)
    found: list[tuple[str, dict[str, Any]]] = []
    cursor = ""
    while True:
        query = Query(field.of, names, sort=sort, limit=PAGE, cursor=cursor, conditions=asked)
        page = visit.records.page(query)
        found += [(one, dict(zip(names, row, strict=True))) for one, row in zip(page.ids, page.rows, strict=True)]
        if not page.next:
            return found
        cursor = page.next


def sent_rows(visit: Visit, name: str) -> list[dict[str, Sequence[str]]]:
    """What was sent of each line, in the order of the form: "lines.7.amount"."""
    found: dict[str, dict[str, Sequence[str]]] = {}
    start = f"{name}."
    for key, texts in visit.form.items():
        if key.startswith(start):
            number, _, field = key[len(start) :].partition(".")
            if number.isdecimal() and field:
                found.setdefault(number, {})[field] = texts
    return list(found.values())


def is_blank(visit: Visit, child: Object, sent: Mapping[str, Sequence[str]], defaults: Mapping[str, Any]) -> bool:
    """A line that nobody has touched: it holds what a new one begins with."""
    if any(text for text in sent.get("id", ())):
        return False
    for name, texts in sent.items():
        one = child.fields.get(name)
        if one is None or not is_written(visit, child, name):
            continue
        if visit.ctx.snapshot.plugins.fields[one.type].from_form(one, texts, visit.ctx.time_zone) is None:
            continue
        value = typed(visit, one, texts)
        if value is None or (value != defaults.get(name) and value is not False):
            return False
    return True


def kept_rows(visit: Visit, field: Field) -> list[dict[str, Sequence[str]]]:
    child = child_of(visit, field)
    defaults = defaults_of(visit.ctx, child.name)
    return [sent for sent in sent_rows(visit, field.name) if not is_blank(visit, child, sent, defaults)]


def read_lines(visit: Visit, field: Field) -> list[dict[str, object]]:
    """As the API takes lines: a list of records, those that are there with their id."""
    child, plugins = child_of(visit, field), visit.ctx.snapshot.plugins.fields
    found = []
    for sent in kept_rows(visit, field):
        line: dict[str, object] = {}
        if record_id := (sent.get("id") or [""])[-1]:
            line["id"] = record_id
        for name, texts in sent.items():
            one = child.fields.get(name)
            if one is not None and name != field.by and is_written(visit, child, name, is_new=not record_id):
                value = plugins[one.type].from_form(one, texts, visit.ctx.time_zone)
                cleared = sent.get(f"{name}{CLEAR}", ())
                if value is not None or not keeps_hidden(visit, child, name, plugins[one.type], cleared):
                    line[name] = value
        found.append(line)
    return found


def line_rows(visit: Visit, owner: Object, field: Field, record_id: str, is_sent: bool) -> list[LineRow]:
    """The lines of a form: as stored, or as they were sent."""
    stored = stored_rows(visit, owner, field, record_id) if record_id else []
    if not is_sent:
        return [(key, held, None) for key, held in stored]
    by_id = dict(stored)
    rows: list[LineRow] = []
    for sent in kept_rows(visit, field):
        key = (sent.get("id") or [""])[-1]
        rows.append((key, by_id.get(key, {}), sent))
    return rows


def copied_rows(visit: Visit, owner: Object, field: Field, record_id: str) -> list[LineRow]:
    """The lines of a record that is copied, as new ones."""
    child, plugins = child_of(visit, field), visit.ctx.snapshot.plugins.fields
    defaults = defaults_of(visit.ctx, child.name)
    copied = [
        one.name for one in child.fields.values()
        if one.is_copied and one.is_written and not one.is_unique and not plugins[one.type].is_computed
        and not plugins[one.type].is_secret and not is_masked(visit, child, one.name)
    ]  # fmt: skip
    rows = stored_rows(visit, owner, field, record_id)
    return [("", {**defaults, **{n: held[n] for n in copied if n in held}}, None) for _, held in rows]


def grid_view(visit: Visit, state: FormState, field: Field, errors: Mapping[str, str]) -> dict[str, Any]:
    """The editable grid of one field of lines."""
    child, columns = child_of(visit, field), columns_of(visit, field)
    lines = state.lines.get(field.name, ())
    titles = titles_of(visit, columns, lines)

    def line_view(number: str, line: LineState) -> dict[str, Any]:
        def cell(one: Field) -> dict[str, Any]:
            at = f"{field.name}.{number}."
            view = widget_of(
                visit, child, one, line.held, line.sent, errors.get(f"{at}{one.name}", ""),
                working=line.working, at=at, titles=titles, is_new=not line.id,
            )  # fmt: skip
            return {**view, "is_numeric": is_numeric(visit, one)}

        more = [cell(one) for one in columns.more]
        return {
            "number": number, "id": line.id, "cells": [cell(one) for one in columns.main], "more": more,
            "error": errors.get(f"{field.name}.{number}", ""), "is_open": any(w["error"] for w in more),
        }  # fmt: skip

    blank = blank_line(visit, state, field)
    first_spare = len(lines)
    spare = [{**line_view(str(first_spare + n), blank), "is_spare": True} for n in range(BLANK_LINES)]
    return {
        "name": field.name,
        "label": visit.text(field.label),
        "line": visit.text(child.label),
        "columns": [column_view(visit, one) for one in columns.main],
        "has_more": bool(columns.more),
        "lines": [line_view(str(n), line) for n, line in enumerate(lines)] + spare,
        "blank": line_view(BLANK, blank),
        "next": first_spare + BLANK_LINES,
        "begins_blank": state.is_new and not lines,
        "totals": totals(visit, columns.main, [line.working for line in lines]),
        "error": errors.get(field.name, ""),
        "width": len(columns.main) + 2,
    }


def blank_line(visit: Visit, state: FormState, field: Field) -> LineState:
    live = state.live.lines[field.name]
    held = defaults_of(visit.ctx, live.object)
    return LineState("", held, None, Working(visit.ctx, live, held, owner=state.working))


def column_view(visit: Visit, one: Field) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": visit.text(one.label),
        "help": visit.text(one.help),
        "required": one.is_required,
        "width": WEIGHTS.get(visit.ctx.snapshot.plugins.fields[one.type].widget, 2),
        "is_numeric": is_numeric(visit, one),
    }


def is_numeric(visit: Visit, field: Field) -> bool:
    """Whether it stands at the right of its column: percentages, too, which have no bar among lines."""
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    return Shown(field, 0, visit.formats, visit.language, kind.cell).is_numeric or kind.cell == "percent"


def titles_of(visit: Visit, columns: Columns, lines: Sequence[LineState]) -> dict[str, str]:
    """Of all records that the lines refer to: one query for each object."""
    wanted: dict[str, set[str]] = {}
    for one in (*columns.main, *columns.more):
        if one.target:
            wanted.setdefault(one.target, set()).update(
                value for line in lines if (value := line.working.values.get(one.name))
            )
    found: dict[str, str] = {}
    for target, ids in wanted.items():
        found |= visit.records.titles(target, sorted(ids))
    return found


def is_summed(field: Field, cell: str) -> bool:
    """Whether the sum of a column means something: a share's does not, nor that of a price which was fetched."""
    return field.value == "number" and cell in ("number", "currency", "duration") and not field.fetch


def totals(visit: Visit, columns: Sequence[Field], lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Sums under the columns of numbers; None where there are none."""
    found: list[dict[str, Any]] = []
    for one in columns:
        kind = visit.ctx.snapshot.plugins.fields[one.type]
        if not is_summed(one, kind.cell):
            found.append({"name": "", "label": "", "html": ""})
            continue
        values = [value for line in lines if (value := line[one.name]) is not None]
        total = sum(values, Decimal(0)) if values else None
        shown = Shown(one, 0, visit.formats, visit.language, kind.cell)
        if total is not None and kind.column and not isinstance(values[0], Decimal):
            total = int(total)
        text = Markup(without_tags(cell_for(shown)([total])))  # noqa: S704 - cells escape
        found.append({"name": one.name, "label": visit.text(one.label), "html": text})
    return found if any(one["name"] for one in found) else None


def table_view(visit: Visit, owner: Object, field: Field, record_id: str) -> dict[str, Any]:
    """The lines on the record's page."""
    plan, names = table_plan(visit, field)
    sort = (SortKey(POSITION),) if POSITION in child_of(visit, field).fields else ()
    found = list(all_rows(visit, field, plan, sort, of_record(visit, owner, field, record_id)))
    rows = named_rows(visit.records, plan, found)
    columns = columns_of(visit, field)
    shown = [one for one in (*columns.main, *columns.more) if one.name in names]
    place = {path: at for at, path in enumerate(plan.paths)}
    sums = totals(visit, shown, [{one.name: row[place[one.name]] for one in shown} for row in rows])
    return {
        "id": f"lines-{field.name}",
        "label": visit.text(field.label),
        "count": visit.formats.number(len(rows)) if rows else "",
        "columns": [{"label": c.label, "is_numeric": is_numeric(visit, c.field)} for c in plan.columns],
        "rows": [[Markup(column.cell(row)) for column in plan.columns] for row in rows],  # noqa: S704 - cells escape
        "totals": sums,
    }


def table_plan(visit: Visit, field: Field) -> tuple[Plan, list[str]]:
    ctx = visit.ctx
    key = ("ui.lines.table", field.of, field.by, ctx.language, ctx.time_zone.key, ctx.scope.key)
    found: tuple[Plan, list[str]] | None = ctx.snapshot.cache.get(key)
    if found is None:
        columns = columns_of(visit, field)
        names = [one.name for one in (*columns.main, *columns.more)]
        plan = plan_of(ctx.snapshot, ctx.scope, field.of, names, visit.formats, ctx.language)
        found = ctx.snapshot.cache[key] = (plan, names)
    return found


def all_rows(
    visit: Visit, field: Field, plan: Plan, sort: tuple[SortKey, ...], asked: tuple[tuple[str, str, object], ...]
) -> Iterator[Sequence[Any]]:
    cursor = ""
    while True:
        query = Query(field.of, plan.paths, sort=sort, limit=PAGE, cursor=cursor, conditions=asked)
        page = visit.records.page(query)
        yield from page.rows
        if not page.next:
            return
        cursor = page.next

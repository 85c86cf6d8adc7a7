"""The record that an approval is about, as those who take part see it: the summary, then the sections of its layout."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from markupsafe import Markup

from engine.errors import EngineError
from engine.process.approval.acted import acted_on
from engine.process.approval.seen import Seen, seen
from engine.process.approval.views import InstanceView, TaskView
from engine.process.comparing import Difference, line_object
from engine.process.reading import Reading
from metadata.model import Field, Object
from metadata.processes import APPROVAL_STATUS
from ui.columns import field_of
from ui.naming import Titles
from ui.screens.approval_path import definition_of
from ui.screens.approval_values import field_at, titles_in, value_html, value_text
from ui.screens.layouts import layout_for
from ui.screens.lines import is_numeric, table_view
from ui.visit import Visit
from ui.widgets import widget_view

__all__ = ["Shown", "differences_view", "inputs_of", "inputs_view", "read_values", "record_view", "shown_to", "stored"]

Values = Mapping[str, Any]
WIDE = frozenset(("longtext", "multiline", "html", "rich", "richtext", "markdown", "code", "long", "files"))
MOST_LINES = 200
MOST_DIFFERENCES = 200


class ById(Mapping[tuple[str, str], str]):
    """Titles by id alone, asked for as everywhere: by (object, id)."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self.titles = titles

    def __getitem__(self, place: tuple[str, str]) -> str:
        return self.titles[place[1]]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return (("", one) for one in self.titles)

    def __len__(self) -> int:
        return len(self.titles)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person sees of the record: JSON values by field."""

    values: Values
    titles: Titles | None = None  # None: to be asked for, by the person's own rights
    masked: frozenset[str] = frozenset()
    lines: Mapping[str, Sequence[Reading]] | None = None
    differences: Sequence[Difference] | None = field(default=None)
    decided_at: datetime | None = None  # as it was when they decided
    title: str = ""  # as it was then


def shown_to(visit: Visit, instance: InstanceView, task: TaskView | None = None) -> Shown:
    """Through the steps by which they take part; without one, by their own rights; without
    these, as it was when they decided; nothing where they did not."""
    found: Seen | None = seen(visit.ctx, instance.id)
    if found is not None:
        reading = found.reading
        if found.is_own:
            return Shown(reading.values, None, reading.masked, reading.lines)
        return Shown(reading.values, ById(reading.titles), reading.masked, reading.lines, found.differences)
    if task is not None and task.record and task.record_at is None:
        return Shown(task.record)
    try:
        return Shown(visit.records.get(instance.object, instance.record))
    except EngineError:
        then = acted_on(visit.ctx, instance.id)
    if then is None:
        return Shown({})
    was = then.reading
    return Shown(was.values, ById(was.titles), was.masked, was.lines, decided_at=then.at, title=was.title)


def record_view(
    visit: Visit, definition: Object, instance: InstanceView, shown: Shown, editable: Sequence[str] = ()
) -> dict[str, Any]:
    """Fields that are inputs on the page are left out."""
    approval, values = definition_of(visit, instance), shown.values
    layout = layout_for(visit.ctx.snapshot, definition, str(values.get("record_type") or ""))
    cells = [cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells if cell.field]
    wanted = dict.fromkeys((*(approval.summary if approval else ()), *cells))
    fields = {name: as_seen(field_at(visit, definition, name), name, shown) for name in wanted}
    titles = shown.titles
    if titles is None:
        titles = titles_in(visit, ((fields[name], values[name]) for name in wanted if name in values))
    summary = [name for name in (approval.summary if approval else ()) if name in values and name not in editable]
    left_out = {*editable, *summary, APPROVAL_STATUS, definition.title}
    sections = []
    for tab in layout.tabs:
        for section in tab.sections:
            names = [cell.field for cell in section.cells if cell.field and cell.field not in left_out]
            facts = [one for one in facts_of(visit, fields, names, values, titles) if one["html"]]
            lines = [table for name in names if (table := lines_of(visit, definition, name, instance.record, shown))]
            if facts or lines:
                sections.append({"label": visit.text(section.label), "facts": facts, "lines": lines})
    return {"summary": list(facts_of(visit, fields, summary, values, titles)), "sections": sections}


def as_seen(one: Field | None, name: str, shown: Shown) -> Field | None:
    return replace(one, is_masked=True) if one is not None and name in shown.masked else one


def facts_of(
    visit: Visit, fields: Mapping[str, Field | None], names: Iterable[str], values: Values, titles: Titles
) -> Iterable[dict[str, Any]]:
    for name in names:
        one = fields.get(name)
        if one is None or name not in values or one.is_hidden or one.is_list_of_records:
            continue
        kind = visit.ctx.snapshot.plugins.fields[one.type]
        if kind.is_secret:
            continue
        html = value_html(visit, one, values[name], titles, is_full=True)
        yield {"label": visit.text(one.label), "html": html, "span": 2 if kind.cell in WIDE else 1}


def lines_of(
    visit: Visit, definition: Object, name: str, record_id: str, shown: Shown
) -> dict[str, Any] | None:  # fmt: skip
    """A table of the record's lines; None where there are none, or none to see."""
    one = field_of(definition, name)
    if one is None or one.source != "lines":
        return None
    if shown.lines is not None:
        return reading_table(visit, one, shown.lines.get(name, ()))
    if name not in shown.values or not visit.ctx.scope.can("read", one.of):
        return None
    found = table_view(visit, definition, one, record_id)
    return found if found["rows"] else None


def reading_table(visit: Visit, owner: Field, lines: Sequence[Reading]) -> dict[str, Any] | None:
    if not lines:
        return None
    child = visit.ctx.snapshot.definitions.objects[owner.of]
    columns = [
        (name, one) for name in lines[0].fields
        if (one := child.fields.get(name)) is not None and not one.is_hidden and not one.is_list_of_records
        and name not in (owner.by, "position")
    ]  # fmt: skip
    rows = [
        [
            # Markup: cells escape.
            Markup(  # noqa: S704
                value_html(visit, replace(one, is_masked=name in line.masked), line.values.get(name), ById(line.titles))
            )
            for name, one in columns
        ]
        for line in lines[:MOST_LINES]
    ]
    return {
        "label": visit.text(owner.label), "count": visit.formats.number(len(lines)), "rows": rows, "totals": None,
        "columns": [{"label": visit.text(one.label), "is_numeric": is_numeric(visit, one)} for _, one in columns],
    }  # fmt: skip


def differences_view(visit: Visit, definition: Object, found: Sequence[Difference]) -> list[dict[str, str]]:
    """What differs between what was submitted and now: label, of which line, before, after, and who changed it."""
    rows = [difference_view(visit, definition, one) for one in found[:MOST_DIFFERENCES]]
    if more := len(found) - len(rows):
        rows.append(
            {"label": visit.say("{n} more changes", n=more), "title": "", "before": "…", "after": "…", "by": ""}
        )
    return rows


def difference_view(visit: Visit, definition: Object, one: Difference) -> dict[str, str]:
    objects = visit.ctx.snapshot.definitions.objects
    of = objects[line_object(visit.ctx, definition.name, one)] if one.line else definition
    if one.kind == "changed":
        name = one.field.rpartition(".")[2]
        before, after = (said(visit, of, name, *pair) for pair in (
            (one.before, one.before_text), (one.after, one.after_text),
        ))  # fmt: skip
        return {"label": one.label, "title": one.title, "before": before, "after": after, "by": one.by_name}
    held = [
        visit.say("{label}: {value}", label=each.label, value=said(visit, of, each.field, each.value, each.text))
        for each in one.values
    ]
    whole = " · ".join(part for part in (one.title, visit.say(", ").join(held)) if part)
    added = visit.say("{lines}: added", lines=one.label)
    removed = visit.say("{lines}: removed", lines=one.label)
    label, before, after = (added, "", whole) if one.kind == "added" else (removed, whole, "")
    return {"label": label, "title": "", "before": before, "after": after, "by": one.by_name}


def said(visit: Visit, of: Object, name: str, value: Any, text: str) -> str:
    """As lists show it; of what refers to records as it was called then."""
    about = field_of(of, name)
    return text if about is None or about.target or about.targets else value_text(visit, about, value, {})


def inputs_view(
    visit: Visit, definition: Object, task: TaskView, sent: Mapping[str, Sequence[str]] | None = None,
    errors: Mapping[str, str] | None = None, shown: Shown | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """The fields that the step lets its person change, as inputs called `values.<field>`."""
    values = (shown or shown_to(visit, task.instance, task)).values
    return inputs_of(visit, definition, task.editable, task.required, values, sent, errors)


def inputs_of(
    visit: Visit, definition: Object, names: Sequence[str], required: Sequence[str], values: Values,
    sent: Mapping[str, Sequence[str]] | None, errors: Mapping[str, str] | None,
) -> list[dict[str, Any]]:  # fmt: skip
    found = []
    kinds = visit.ctx.snapshot.plugins.fields
    for name in names:
        one = field_of(definition, name)
        if one is None or one.is_list_of_records or kinds[one.type].is_computed:
            continue
        given = sent.get(f"values.{name}") if sent is not None else None
        view = widget_view(
            visit, definition.name, one, stored(visit, one, values.get(name)), sent=given,
            error=(errors or {}).get(f"values.{name}", ""), at="values.",
        )  # fmt: skip
        found.append(view | {"required": name in required, "new": "", "field": name})
    return found


def stored(visit: Visit, one: Field, value: Any) -> Any:
    """A JSON value as it is kept, which is what widgets take."""
    if value is None:
        return None
    try:
        return visit.ctx.snapshot.plugins.fields[one.type].parser(one)(value)
    except (TypeError, ValueError):  # BadValue: written under an older definition
        return None


def read_values(visit: Visit, definition: Object, names: Sequence[str]) -> dict[str, Any]:
    """What was sent of the inputs, as the API takes it."""
    kinds = visit.ctx.snapshot.plugins.fields
    found = {}
    for name in names:
        one = field_of(definition, name)
        texts = visit.form.get(f"values.{name}")
        if one is not None and texts is not None:
            found[name] = kinds[one.type].from_form(one, texts, visit.ctx.time_zone)
    return found

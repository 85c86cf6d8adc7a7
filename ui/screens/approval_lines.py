"""Lines of a new record that waits, as grids of the dialog in which it is submitted again."""

from collections.abc import Mapping, Sequence
from typing import Any

from metadata.model import Field, Object
from ui.screens.approval_record import Shown, stored
from ui.screens.form_state import state_of
from ui.screens.forms import form_fields
from ui.screens.lines import child_of, grid_view, kept_rows, lines_fields, read_lines
from ui.visit import Visit

__all__ = ["line_grids", "sent_lines"]

PREFIX = "values."  # of the paths of problems


def line_grids(visit: Visit, definition: Object, shown: Shown, errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Of what was sent, else of what waits."""
    fields = own_lines(visit, definition)
    if not fields:
        return []
    held = {name: stored(visit, one, shown.values.get(name)) for name, one in definition.fields.items()}
    rows = {one.name: rows_of(visit, one, shown) for one in fields}
    state = state_of(visit, definition, held, None, True, rows, given=held)
    wrong = {path.removeprefix(PREFIX): text for path, text in errors.items()}
    return [grid_view(visit, state, one, wrong) for one in fields]


def own_lines(visit: Visit, definition: Object) -> list[Field]:
    """Those of its form."""
    return [one for one in lines_fields(visit, definition) if one.name in form_fields(visit, definition)]


def rows_of(
    visit: Visit, field: Field, shown: Shown
) -> Sequence[tuple[str, Mapping[str, Any], Mapping[str, Sequence[str]] | None]]:
    """Each as a new line: none stands in a table yet."""
    if field.name in visit.form:
        return [("", {}, sent) for sent in kept_rows(visit, field)]
    fields = child_of(visit, field).fields
    return [
        ("", {name: stored(visit, one, line.values.get(name)) for name, one in fields.items()}, None)
        for line in (shown.lines or {}).get(field.name, ())
    ]


def sent_lines(visit: Visit, definition: Object, shown: Shown) -> dict[str, list[dict[str, object]]]:
    """As the API takes them, of the grids that were in the form; what was left as it is is no change."""
    found = {one.name: read_lines(visit, one) for one in own_lines(visit, definition) if one.name in visit.form}
    return {name: lines for name, lines in found.items() if differ(visit, definition.fields[name], lines, shown)}


def differ(visit: Visit, field: Field, lines: Sequence[Mapping[str, object]], shown: Shown) -> bool:
    held, fields = (shown.lines or {}).get(field.name, ()), child_of(visit, field).fields
    return len(lines) != len(held) or any(
        stored(visit, fields[name], value) != stored(visit, fields[name], was.values.get(name))
        for line, was in zip(lines, held, strict=True) for name, value in line.items()
    )  # fmt: skip

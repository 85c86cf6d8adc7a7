"""Rows of a list as HTML, by a function that is put together once per view, language and reader.

A macro per cell costs twenty times as much: see PERFORMANCE in docs/decisions.md.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from markupsafe import Markup

from ui.cells import Row
from ui.columns import Plan
from ui.icons import icon
from ui.texts import Say

__all__ = ["Rows", "compile_rows"]

Rows = Callable[..., str]
"""(rows, ids, may: id -> what may be done to it, of those of whom this is not everything) -> <tr> elements."""


def compile_rows(object_name: str, plan: Plan, say: Say, has_tools: bool = True) -> Rows:
    """`has_tools`: with a box to pick the row and a button for its menu."""
    columns = plan.columns
    named = next((place for place, c in enumerate(columns) if c.is_title), 0)
    address = f"/o/{escape(object_name)}/"
    untitled = escape(say("Untitled"))
    pick, more = escape(say("Select {name}", name="\0")), escape(say("More for {name}", name="\0"))
    pick_start, pick_end = pick.split("\0")
    more_start, more_end = more.split("\0")
    dots = icon("dots")
    name_cell = columns[named].cell if columns else (lambda row: "")
    before = tuple(parts(c.label, c.is_numeric, c.cell) for c in columns[:named])
    after = tuple(parts(c.label, c.is_numeric, c.cell) for c in columns[named + 1 :])

    def rows_html(rows: Sequence[Row], ids: Sequence[str], may: Mapping[str, Iterable[str]] = {}) -> str:
        out: list[str] = []
        add = out.append
        for row, record in zip(rows, ids, strict=True):
            title = name_cell(row) or untitled
            plain = without_tags(title) if "<" in title else title
            if "<a " in title:  # an e-mail address that names records: a link cannot stand in a link
                title = plain
            if has_tools:
                only = f' data-may="{" ".join(sorted(may[record]))}"' if record in may else ""
                add(
                    f'<tr data-id="{record}"{only}><td class="pick">'
                    '<input class="form-check-input" type="checkbox" name="id" '
                )
                add(f'value="{record}" form="bulk" aria-label="{pick_start}{plain}{pick_end}"></td>')
            else:
                add(f'<tr data-id="{record}">')
            for start, blank, cell in before:
                html = cell(row)
                add(f"{start}{html}</td>" if html else blank)
            add(f'<td class="name"><a href="{address}{record}">{title}</a></td>')
            for start, blank, cell in after:
                html = cell(row)
                add(f"{start}{html}</td>" if html else blank)
            if has_tools:
                add('<td class="more"><button class="top-button" type="button" data-row-menu aria-haspopup="menu" ')
                add(f'aria-label="{more_start}{plain}{more_end}">{dots}</button></td></tr>')
            else:
                add("</tr>")
        return "".join(out)

    return rows_html


def parts(label: str, is_numeric: bool, cell: Callable[[Any], str]) -> tuple[str, str, Callable[[Any], str]]:
    """(opening tag, the whole cell when blank, the cell)."""
    said = escape(label)
    kind = ' class="number"' if is_numeric else ""
    return f'<td{kind} data-label="{said}">', f'<td class="is-blank" data-label="{said}"></td>', cell


def without_tags(html: str) -> str:
    # Markup only to take the tags out.
    return escape(Markup(html).striptags())  # noqa: S704

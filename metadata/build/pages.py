"""Build layouts, views and menus."""

from typing import Any

from metadata.build.objects import names_in
from metadata.build.wording import Wording
from metadata.document import Document
from metadata.model import Cell, Layout, Menu, MenuItem, RelatedList, Section, SortKey, Tab, View
from metadata.names import humanised

__all__ = ["build_layout", "build_menu", "build_sort", "build_view"]


def build_sort(data: Any) -> tuple[SortKey, ...]:
    """ "status,-created_at" or a list of such words."""
    words = data.split(",") if isinstance(data, str) else data or ()
    trimmed = [word.strip() for word in words]
    return tuple(SortKey(word.removeprefix("-"), word.startswith("-")) for word in trimmed if word)


def build_layout(document: Document, package: str, wording: Wording) -> Layout:
    data = document.data
    tabs = [build_tab(tab, wording) for tab in data.get("tabs") or ()]
    if data.get("sections") or data.get("related"):
        tabs.insert(0, build_tab(data, wording, has_label=False))
    return Layout(
        name=document.name, object=data.get("object") or "", tabs=tuple(tabs),
        highlights=tuple(data.get("highlights") or ()), path=data.get("path") or "",
        record_types=names_in(data.get("record_types")), is_default=data.get("default") is True, package=package,
        place=document.at(),
    )  # fmt: skip


def build_tab(data: Any, wording: Wording, has_label: bool = True) -> Tab:
    return Tab(
        label=wording.text(data.get("label")) if has_label else {},
        sections=tuple(build_section(section, wording) for section in data.get("sections") or ()),
        related=tuple(build_related(related, wording) for related in data.get("related") or ()),
        show_if=data.get("show_if") or "" if has_label else "",
    )


def build_section(data: Any, wording: Wording) -> Section:
    return Section(
        label=wording.text(data.get("label")), columns=data.get("columns") or 2,
        cells=tuple(build_cell(cell) for cell in data.get("fields") or ()),
        is_collapsed=data.get("collapsed") is True, show_if=data.get("show_if") or "",
    )  # fmt: skip


def build_cell(data: Any) -> Cell:
    if isinstance(data, dict):
        return Cell(data.get("field"), data.get("span") or 1)
    return Cell(data)


def build_related(data: Any, wording: Wording) -> RelatedList:
    return RelatedList(
        object=data.get("object") or "", field=data.get("field") or "", columns=tuple(data.get("columns") or ()),
        label=wording.text(data.get("label")), sort=build_sort(data.get("sort")), limit=data.get("limit") or 10,
    )  # fmt: skip


def build_view(document: Document, package: str, wording: Wording) -> View:
    data = document.data
    return View(
        name=document.name, object=data.get("object") or "",
        label=wording.text(data.get("label"), otherwise=humanised(document.name)),
        columns=tuple(data.get("columns") or ()), filter=data.get("filter") or "", sort=build_sort(data.get("sort")),
        quick_filters=tuple(data.get("quick_filters") or ()), is_default=data.get("default") is True,
        package=package, place=document.at(),
    )  # fmt: skip


def build_menu(document: Document, package: str, wording: Wording) -> Menu:
    data = document.data
    items = tuple(build_item(item, wording) for item in data.get("items") or ())
    label = wording.text(data.get("label"), otherwise=humanised(document.name))
    order = data.get("order")
    return Menu(document.name, label, items, 100 if order is None else order, package, document.at())


def build_item(data: Any, wording: Wording) -> MenuItem:
    label = wording.text(data.get("label"))
    return MenuItem(data.get("object") or "", data.get("view") or "", label, data.get("icon") or "")

"""Views and layouts of a digest."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from metadata.names import suggested
from tests.corpus.rules import Wish

__all__ = ["layout_of", "views_of"]

Json = dict[str, Any]
Page = tuple[Json, list[Wish]]

# What Salesforce calls standard columns of a list.
COLUMNS: Mapping[str, str] = {
    "owner.alias": "owner", "owner": "owner", "created_date": "created_at", "createdby_user": "created_by",
    "last_update": "modified_at", "updatedby_user": "modified_by", "opportunity.name": "name", "masterlabel": "name",
}  # fmt: skip
RETURNED = re.compile(
    r"\{\s*return (\[\s*\[[^;]*\]\s*\]);\s*\}"
)  # a script that is none: return [["state", "=", "new"]];
OFFERED = frozenset({"choice", "reference", "boolean", "multi_choice"})
LISTED_NOT = frozenset({"table", "inverse"})


def views_of(source: Json, document: Json, known: Mapping[str, str]) -> Iterator[Page]:
    """Frappe marks the columns of its one list; the others name several lists."""
    ours = document["object"]
    listed = [each["name"] for each in source.get("fields", ()) if each.get("in_list")]
    if listed and document.get("kind") != "child":
        page = {"view": view_name(ours, "list"), "object": ours, "label": source.get("label") or ours}
        columns = shown([document.get("title", ""), *listed], document, known)
        asked = [known.get(each["name"].casefold(), "") for each in source["fields"] if each.get("in_filter")]
        quick = [name for name in asked if document["fields"].get(name, {}).get("type") in OFFERED]
        if columns:
            yield {**page, "columns": columns, **({"quick_filters": quick} if quick else {})}, []
    for view in source.get("list_views", ()):
        columns = shown(
            [one["field"] if isinstance(one, dict) else one for one in view.get("columns") or ()], document, known
        )
        if not columns:
            continue
        name = view_name(ours, view["name"])
        page = {"view": name, "object": ours, "label": view.get("label") or view["name"], "columns": columns}
        filters = view.get("filters") or []
        wishes = []
        if isinstance(filters, str) and (found := RETURNED.search(filters)):
            filters = [dict(zip(("field", "operation", "value"), one, strict=True)) for one in json.loads(found[1])]
        if isinstance(filters, str):
            wishes.append(Wish(ours, f"view {name}", "condition", filters, page, "filter", why="a script"))
        elif filters := [one for one in filters if one.get("operation")]:
            wishes.append(Wish(ours, f"view {name}", "condition", filters, page, "filter"))
        elif view.get("scope") == "Mine":
            page["filter"] = "owner == user.id"
        yield page, wishes


def view_name(ours: str, name: str) -> str:
    return (suggested(f"{ours}_{name}") or f"{ours}_{name}")[:63].rstrip("_")


def shown(names: list[str], document: Json, known: Mapping[str, str]) -> list[str]:
    found = [known.get(name.casefold()) or known.get(COLUMNS.get(name.casefold(), "")) or COLUMNS.get(name.casefold())
             for name in names if name]  # fmt: skip
    fields = document["fields"]
    kept = [name for name in found if name and (name in fields or name in SYSTEM)]
    return list(dict.fromkeys(name for name in kept if fields.get(name, {}).get("type") not in LISTED_NOT))


def grouped(source: Json, ours: str, known: Mapping[str, str]) -> Iterator[Page]:
    """Steedos: each field names the group that it stands in."""
    groups: dict[str, list[Any]] = {}
    for each in source.get("fields", ()):
        if (name := known.get(each["name"].casefold())) and not each.get("hidden"):
            cell = {"field": name, "span": 2} if each.get("is_wide") else name
            groups.setdefault(str(each.get("group") or ""), []).append(cell)
    if len(groups) > 1:
        sections = [{**({"label": label} if label else {}), "fields": cells} for label, cells in groups.items()]
        yield {"layout": view_name(ours, "form"), "object": ours, "sections": sections}, []


SYSTEM = frozenset({"owner", "created_at", "created_by", "modified_at", "modified_by"})


def layout_of(source: Json, ours: str, known: Mapping[str, str]) -> Iterator[Page]:
    """Frappe: breaks part the fields into tabs, sections and columns, which it fills from top to bottom."""
    yield from grouped(source, ours, known)
    if not any(one["t"] == "field" and known.get(one["name"].casefold()) for one in source.get("layout", ())):
        return
    page: Json = {"layout": view_name(ours, "form"), "object": ours, "tabs": []}
    wishes: list[Wish] = []
    tab: Json = {"label": "Details", "sections": []}
    columns: list[list[str]] = [[]]
    section: Json = {}

    def close() -> None:
        nonlocal columns, section
        kept = [column for column in columns if column][:4]
        if kept:
            longest = max(map(len, kept))
            cells = [column[row] if row < len(column) else None for row in range(longest) for column in kept]
            section.update({"columns": len(kept), "fields": cells})  # itself: a wish may still put a condition in
            tab["sections"].append(section)
        columns, section = [[]], {}

    for one in source["layout"]:
        if one["t"] == "field" and (name := known.get(one["name"].casefold())):
            columns[-1].append(name)
        elif one["t"] == "Column Break":
            columns.append([])
        elif one["t"] in ("Section Break", "Tab Break"):
            close()
            section = {"label": one["label"]} if one.get("label") and one["t"] == "Section Break" else {}
            section |= {"collapsed": True} if one.get("collapsible") else {}
            if one.get("depends_on") and one["t"] == "Section Break":
                wishes.append(Wish(ours, "section.show_if", "condition", one["depends_on"], section, "show_if"))
            if one["t"] == "Tab Break":
                page["tabs"] += [tab] if tab["sections"] else []
                tab = {"label": one.get("label") or "More", "sections": []}
    close()
    page["tabs"] += [tab] if tab["sections"] else []
    yield page, wishes

"""Titles of records that values of references to several of them, or to one of several objects, lead to.

They are asked for once per object for all rows of a page; cells then find (object, id, title) in the values' place.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.service import Records
from engine.store.references import pointed
from metadata.model import Field
from ui.columns import Plan

__all__ = ["Named", "named_rows", "titles_of", "with_titles"]

Named = tuple[str, str, str]
Row = Sequence[Any]
Titles = Mapping[tuple[str, str], str]


def titles_of(records: Records, places: Iterable[tuple[str, str]], in_trash: bool = False) -> Titles:
    """(object, id) -> title of those that this person may see, of living or of deleted records."""
    wanted: dict[str, set[str]] = {}
    for object_name, record_id in places:
        wanted.setdefault(object_name, set()).add(record_id)
    return {
        (object_name, one): title
        for object_name, ids in wanted.items()
        for one, title in records.titles(object_name, sorted(ids), in_trash).items()
    }


def with_titles(field: Field, value: Any, titles: Titles) -> list[Named]:
    """What a cell shows for a stored value: nothing of what may not be seen."""
    return [(*place, titles[place]) for place in pointed(field, value) if place in titles]


def named_rows(records: Records, plan: Plan, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows, with titles where the cells need them."""
    if not plan.named or not rows:
        return rows
    places = (place for row in rows for at, field in plan.named for place in pointed(field, row[at]))
    titles = titles_of(records, places)
    found = [list(row) for row in rows]
    for row in found:
        for at, field in plan.named:
            row[at] = with_titles(field, row[at], titles)
    return found

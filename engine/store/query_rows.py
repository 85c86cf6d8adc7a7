"""Rows of the driver -> JSON-ready dicts or stored Python values, by closures made once per statement."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from engine.access.masks import mask_of
from engine.service_answers import Column
from engine.store import types
from engine.store.query_build import Selection

__all__ = ["RowReader"]

Convert = Callable[[Any], Any]
Row = Sequence[Any]


class RowReader:
    """Works by columns: one pass over a column costs less than a call for each value of each row."""

    def __init__(self, selection: Selection, dialect: str) -> None:
        self.columns = tuple(Column(".".join(t.steps), t.field, t.object) for t in selection.targets)
        self._paths = selection.paths
        self._places = selection.places
        masks = {
            place: mask_of(target.field)
            for place, target in zip(selection.places, selection.targets, strict=True)
            if target.field.is_masked
        }
        self._json = with_masks(loaders(selection.types, dialect, "json_loader"), masks)
        self._python = with_masks(loaders(selection.types, dialect, "loader"), masks)

    def records(self, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Each row as {path: JSON-ready value}: id and version first."""
        paths = self._paths
        if not self._json:
            return [dict(zip(paths, row, strict=False)) for row in rows]
        if len(rows) < 4:
            return [self.record(row) for row in rows]
        return [dict(zip(paths, row, strict=False)) for row in self._converted(rows, self._json)]

    def record(self, row: Row) -> dict[str, Any]:
        record = dict(zip(self._paths, row, strict=False))
        for place, load in self._json:
            if row[place] is not None:
                record[self._paths[place]] = load(row[place])
        return record

    def values(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Each row as stored Python values, in the order of `columns`."""
        places = self._places
        if self._python and rows:
            rows = list(self._converted(rows, self._python))
        return [tuple([row[place] for place in places]) for row in rows]

    def row(self, row: Row) -> dict[str, Any]:
        """One row as {path: stored Python value}, id and version included."""
        found = dict(zip(self._paths, row, strict=False))
        for place, load in self._python:
            if row[place] is not None:
                found[self._paths[place]] = load(row[place])
        return found

    @staticmethod
    def _converted(rows: list[tuple[Any, ...]], by_place: tuple[tuple[int, Convert], ...]) -> Any:
        columns: list[Any] = list(zip(*rows, strict=True))
        for place, load in by_place:
            columns[place] = [None if value is None else load(value) for value in columns[place]]
        return zip(*columns, strict=True)


def with_masks(
    loaders: tuple[tuple[int, Convert], ...], masks: Mapping[int, Convert]
) -> tuple[tuple[int, Convert], ...]:
    """The values at these places as their masks."""
    if not masks:
        return loaders
    known = dict(loaders)

    def through(load: Convert | None, mask: Convert) -> Convert:
        return mask if load is None else lambda value: mask(load(value))

    return tuple({**known, **{place: through(known.get(place), mask) for place, mask in masks.items()}}.items())


def loaders(
    column_types: Sequence[sa.types.TypeEngine[Any]], dialect: str, kind: str
) -> tuple[tuple[int, Convert], ...]:
    """(place, conversion) of the columns whose driver values are not yet what is wanted."""
    found: list[tuple[int, Convert]] = []
    for place, column_type in enumerate(column_types):
        assert isinstance(column_type, types.StoredType)
        load = getattr(column_type, kind)(dialect)
        if load is not None:
            found.append((place, load))
    return tuple(found)

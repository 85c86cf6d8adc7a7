"""The values of a form as formulas take them, and what the formulas say of them before anything is typed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from engine.context import Context
from engine.contracts.function import Here
from engine.formula import exact
from engine.rules.values import rules_of
from engine.service import Query, Records
from engine.store import types
from metadata.model import Field
from ui.live import Live, reference_of

__all__ = [
    "Reached", "Working", "defaults_of", "here_of", "is_of_owner", "lines_field", "paths_of", "plain", "reached",
    "scale_of", "settings_of", "with_reached",
]  # fmt: skip

SETTINGS = "config"
Values = Mapping[str, Any]
Reached = dict[tuple[str, str], dict[str, Any]]
"""(reference, id) -> the values behind it, by path."""


def here_of(ctx: Context) -> Here:
    return ctx.here


def plain(value: Any) -> Any:
    """As the browser's formulas take it: numbers as texts, moments as ISO texts."""
    match value:
        case None | "" | []:
            return None
        case bool():
            return value
        case int() | Decimal():
            return exact.text_of(value)
        case datetime():
            return types.utc_text(value)
        case date() | time():
            return value.isoformat()
    return value


def scale_of(ctx: Context, field: Field) -> int | None:
    """Decimal places that a number of the field has; None for what is no number."""
    column = ctx.snapshot.physical.type_of(field)
    if isinstance(column, types.Decimal):
        return column.scale
    return 0 if isinstance(column, types.Integer) else None


class Working(Mapping[str, Any]):
    """Values by path. What is worked out is so where it is asked for, from the others."""

    def __init__(
        self, ctx: Context, live: Live, values: Values, owner: "Working | None" = None, prior: Values | None = None,
        is_stored: bool = False,
    ) -> None:  # fmt: skip
        """`is_stored`: nothing was typed, so that what was read of worked out fields is right."""
        self.ctx, self.live, self.owner, self.prior, self.is_stored = ctx, live, owner, prior, is_stored
        self.values = values
        self.lines: dict[str, Sequence[Working]] = {}
        self.found: dict[str, Any] = {}
        self.asked: set[str] = set()
        self.untouched: Working | None = None

    @property
    def as_it_was(self) -> "Working":
        """Before anything was typed, of which locks are asked; of a new record with its defaults only."""
        if self.untouched is None:
            values = self.prior
            if values is None:
                values = defaults_of(self.ctx, self.live.object)
                values |= {path: self.values[path] for path in self.values if path.startswith(f"{SETTINGS}.")}
            owner = self.owner.as_it_was if self.owner is not None else None
            self.untouched = Working(self.ctx, self.live, values, owner, self.prior)
            self.untouched.untouched = self.untouched
        return self.untouched

    def __getitem__(self, path: str) -> Any:
        if path in self.live.worked and not (self.is_stored and path in self.values):
            if path not in self.found:
                self.found[path] = self._worked(self.live.worked[path])
            return self.found[path]
        if path in self.lines:
            return self.lines[path]
        first, _, rest = path.partition(".")
        if rest and self.owner is not None and first in (self.live.by, SETTINGS):
            return self.owner[rest if first == self.live.by else path]
        return self.values.get(path)

    def __iter__(self) -> Iterator[str]:
        return iter({**self.values, **self.live.worked})

    def __len__(self) -> int:
        return len({**self.values, **self.live.worked})

    def value(self, key: str) -> Any:
        """Of a formula, by its key."""
        return self.live.evaluators[key](here_of(self.ctx), self, self.prior)

    def holds(self, condition: str) -> bool | None:
        """Whether a condition, by its text, is true; None where this person may not work it out."""
        key = self.live.conditions.get(condition)
        return None if key is None else self.value(key) is True

    def _worked(self, field: Field) -> Any:
        if field.name in self.asked:  # from itself: the check of definitions refuses that
            return None
        self.asked.add(field.name)
        try:
            value = self.value(f"={field.name}") if field.formula else self._rolled_up(field)
        finally:
            self.asked.discard(field.name)
        scale = scale_of(self.ctx, field)
        return value if scale is None or value is None else exact.fitted(value, scale)

    def _rolled_up(self, field: Field) -> Any:
        name = lines_field(self.ctx, self.live, field)
        counted = [line for line in self.lines.get(name, ()) if not field.filter or line.holds(field.filter)]
        if field.operation == "count":
            return len(counted)
        measured = [value for line in counted if (value := line[field.measured]) is not None]
        if field.operation == "sum":
            return sum(measured, Decimal(0))
        if not measured:
            return None
        if field.operation == "average":
            return exact.arithmetic("/", sum(measured, Decimal(0)), len(measured))
        return max(measured) if field.operation == "max" else min(measured)


def lines_field(ctx: Context, live: Live, rollup: Field) -> str:
    """The field of lines that a roll-up is about."""
    fields = ctx.snapshot.definitions.objects[live.object].fields
    return next(name for name in live.lines if (fields[name].of, fields[name].by) == (rollup.of, rollup.by))


def reached(ctx: Context, live: Live, records: Iterable[Values]) -> Reached:
    """What formulas read through the references of these records: one query for each reference."""
    rows = list(records)
    found: Reached = {}
    for name, paths in live.reach.items():
        field = reference_of(ctx.snapshot, live.object, name)
        ids = tuple(dict.fromkeys(row[name] for row in rows if row.get(name)))
        if field is None or name == live.by or not ids:
            continue
        for start in range(0, len(ids), 1000):
            chunk = ids[start : start + 1000]
            page = Records(ctx).page(Query(field.target, paths, ids=chunk, limit=len(chunk)))
            for record_id, row in zip(page.ids, page.rows, strict=True):
                found[name, record_id] = dict(zip(paths, row, strict=True))
    return found


def with_reached(live: Live, values: Values, found: Reached) -> dict[str, Any]:
    """The values with those behind the record's references."""
    whole = dict(values)
    for name, paths in live.reach.items():
        behind = found.get((name, values.get(name) or ""), {})
        whole |= {f"{name}.{path}": behind.get(path) for path in paths}
    return whole


def paths_of(live: Live) -> list[str]:
    """All that formulas of the form ask of a record."""
    behind = [f"{name}.{path}" for name, paths in live.reach.items() for path in paths]
    return [*live.own, *behind, *(f"{SETTINGS}.{name}.{one}" for name, one in live.settings), *live.lines]


def is_of_owner(live: Live, path: str) -> bool:
    """Whether a line reads it from the record that it belongs to."""
    return bool(live.by) and path.startswith((f"{live.by}.", f"{SETTINGS}."))


def settings_of(ctx: Context, live: Live) -> dict[str, Any]:
    """What formulas read of settings objects, as `config.sales.discount`."""
    wanted: dict[str, list[str]] = {}
    for name, one in live.settings:
        wanted.setdefault(name, []).append(one)
    found: dict[str, Any] = {}
    for name, fields in wanted.items():
        page = Records(ctx).page(Query(name, tuple(fields), limit=1))
        row = page.rows[0] if page.rows else (None,) * len(fields)
        found |= {f"{SETTINGS}.{name}.{one}": value for one, value in zip(fields, row, strict=True)}
    return found


def defaults_of(ctx: Context, object_name: str) -> dict[str, Any]:
    """Of a new record, as far as they are no formulas."""
    return {name: default(ctx) for name, default in rules_of(ctx.snapshot, object_name).defaults}

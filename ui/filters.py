"""Filters of a list as its address holds them: `is.stage=won`, `where=amount~gt~10000`; as conditions and as chips."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from engine.context import Context
from engine.errors import BadValue
from engine.service import Records, SortKey
from engine.store.query_conditions import tree_at
from engine.store.query_paths import Target
from engine.store.references import pointed
from metadata.model import Field, ValueType, say
from ui.columns import resolve
from ui.durations import duration
from ui.formats import Formats
from ui.naming import titles_of
from ui.texts import Say

__all__ = ["OPERATORS", "ListState", "Where", "chip_text", "condition", "filterable", "operators_for"]

Query = Sequence[tuple[str, str]]
MOST_FILTERS = 20
NO_VALUE = frozenset(("blank", "filled"))

OPERATORS: Mapping[ValueType, tuple[str, ...]] = {
    "text": ("has", "is", "not", "begins", "blank", "filled"),
    "number": ("is", "gt", "ge", "lt", "le", "blank", "filled"),
    "date": ("is", "ge", "le", "gt", "lt", "blank", "filled"),
    "datetime": ("ge", "le", "blank", "filled"),
    "time": ("ge", "le", "blank", "filled"),
    "boolean": ("is",),
    "choice": ("is", "not", "blank", "filled"),
    "choices": ("includes", "blank", "filled"),
    "reference": ("is", "not", "blank", "filled"),
    "json": ("blank", "filled"),
}
ENGINE = {
    "is": "=", "not": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<=", "has": "contains", "begins": "begins",
    "includes": "=", "blank": "blank", "filled": "filled", "under": "under",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Where:
    path: str
    operator: str
    value: str  # as the widget sends it

    def __str__(self) -> str:
        return f"{self.path}~{self.operator}~{self.value}"


@dataclass(frozen=True, slots=True)
class ListState:
    """What the address of a list says. Everything that is shown can be bookmarked."""

    object: str
    view: str = ""
    search: str = ""
    sort: tuple[SortKey, ...] = ()
    quick: tuple[tuple[str, str], ...] = ()
    where: tuple[Where, ...] = ()

    @classmethod
    def read(cls, object_name: str, query: Query) -> "ListState":
        state = cls(object_name)
        for name, value in query:
            value = value.strip()
            if not value:
                continue
            if name == "view":
                state = replace(state, view=value)
            elif name == "q":
                state = replace(state, search=value[:200])
            elif name == "sort":
                state = replace(state, sort=(SortKey(value.lstrip("-"), value.startswith("-")),))
            elif name.startswith("is.") and len(state.quick) < MOST_FILTERS:
                state = replace(state, quick=(*state.quick, (name[3:], value)))
            elif name == "where" and value.count("~") >= 2 and len(state.where) < MOST_FILTERS:
                state = replace(state, where=(*state.where, Where(*value.split("~", 2))))
        return state

    def pairs(self, **more: str) -> list[tuple[str, str]]:
        sort = [("sort", ("-" if key.is_descending else "") + key.path) for key in self.sort]
        pairs = [("view", self.view), ("q", self.search), *sort]
        pairs += [(f"is.{path}", value) for path, value in self.quick]
        pairs += [("where", str(where)) for where in self.where]
        return [(name, value) for name, value in [*pairs, *more.items()] if value]

    def address(self, **more: str) -> str:
        pairs = self.pairs(**more)
        return f"/o/{self.object}" + (f"?{urlencode(pairs)}" if pairs else "")

    def without(self, where: Where) -> "ListState":
        return replace(self, where=tuple(w for w in self.where if w != where))

    def bare(self) -> "ListState":
        """The view as it is defined."""
        return ListState(self.object, self.view, sort=self.sort)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.search or self.quick or self.where)


def operators_of(ctx: Context, object_name: str, field: Field) -> tuple[str, ...]:
    """Of a field that belongs to an object; where it leads to a tree, also whether it is below some record."""
    value = ctx.snapshot.plugins.fields[field.type].value
    found = OPERATORS.get(value, ())
    is_of_tree = tree_at(ctx.snapshot, Target((field.name,), field, object_name))
    return (found[0], "under", *found[1:]) if is_of_tree and found else found


def operators_for(ctx: Context, object_name: str, field: Field, say: Say) -> list[tuple[str, str]]:
    value = ctx.snapshot.plugins.fields[field.type].value
    return [(name, operator_text(name, value, say)) for name in operators_of(ctx, object_name, field)]


def operator_text(name: str, value: ValueType, say: Say) -> str:
    if value in ("date", "datetime", "time") and name in ("ge", "le", "gt", "lt"):
        return {"ge": say("from"), "le": say("until"), "gt": say("after"), "lt": say("before")}[name]
    return {
        "is": say("is"), "not": say("is not"), "has": say("contains"), "begins": say("begins with"),
        "includes": say("includes"), "under": say("is or is below"), "blank": say("is empty"),
        "filled": say("is not empty"), "gt": ">", "ge": "≥", "lt": "<", "le": "≤",
    }[name]  # fmt: skip


def condition(ctx: Context, object_name: str, where: Where) -> tuple[str, str, object] | None:
    """As the query compiler takes it; None when the path is not (any more) one that this person may filter by."""
    found = resolve(ctx.snapshot, ctx.scope, object_name, where.path)
    if found is None or found[1].is_masked:
        return None
    owner, field = found
    kind = ctx.snapshot.plugins.fields[field.type]
    if where.operator not in operators_of(ctx, owner, field):
        return None
    if where.operator in NO_VALUE:
        return (where.path, ENGINE[where.operator], None)
    if where.operator in ("has", "begins", "includes"):
        return (where.path, ENGINE[where.operator], where.value) if where.value else None
    if kind.value == "boolean":
        return (where.path, "=", where.value == "true")
    value = kind.from_form(field, [where.value], ctx.time_zone)
    try:
        # An old bookmark may hold a choice that is gone; one written by hand, anything.
        return (where.path, ENGINE[where.operator], value) if kind.parser(field)(value) is not None else None
    except BadValue:
        return None


def chip_text(ctx: Context, records: Records, object_name: str, where: Where, formats: Formats) -> str | None:
    """ "Amount > ¥10,000"; None for a filter that does not count."""
    found = resolve(ctx.snapshot, ctx.scope, object_name, where.path)
    asked = condition(ctx, object_name, where)
    if found is None or asked is None:
        return None
    field = found[1]
    kind = ctx.snapshot.plugins.fields[field.type]
    operator = operator_text(where.operator, kind.value, formats.say)
    label = say(field.label, ctx.language)
    if where.operator in NO_VALUE:
        return f"{label} {operator}"
    return f"{label} {operator} {value_text(ctx, records, field, kind.value, asked[2], formats)}"


def value_text(
    ctx: Context, records: Records, field: Field, value_type: ValueType, value: Any, formats: Formats
) -> str:
    if field.targets:
        return ", ".join(titles_of(records, pointed(field, [value] if field.refers_to_many else value)).values()) or "…"
    if value_type in ("choice", "choices"):
        return next((say(c.label, ctx.language) for c in field.choices if c.value == value), str(value))
    if value_type == "reference":
        return records.titles(field.target, [str(value)]).get(str(value), "…")
    if value_type == "boolean":
        return formats.say("Yes") if value else formats.say("No")
    kind = ctx.snapshot.plugins.fields[field.type]
    try:
        stored: Any = kind.parser(field)(value)
    except BadValue:
        return str(value)
    if kind.cell == "duration":
        return duration(stored, formats.say)
    if value_type == "number" and field.options.get("currency"):
        return formats.money(stored, str(field.options["currency"]))
    if value_type == "number":
        return formats.number(stored)
    if value_type == "date":
        return formats.date(stored)
    if value_type == "datetime":
        return formats.datetime(stored)
    return str(value)


def filterable(ctx: Context, object_name: str) -> tuple[tuple[str, str], ...]:
    """(path, label) of the fields that the builder of filters offers, in the definition's order."""
    key = ("ui.filterable", object_name, ctx.language, ctx.scope.key)
    found: tuple[tuple[str, str], ...] | None = ctx.snapshot.cache.get(key)
    if found is None:
        found = ctx.snapshot.cache[key] = tuple(offered(ctx, object_name))
    return found


def offered(ctx: Context, object_name: str) -> Iterator[tuple[str, str]]:
    for name in ctx.scope.fields(object_name):
        target = resolve(ctx.snapshot, ctx.scope, object_name, name)
        if target is None or name in ("id", "version") or target[1].is_hidden or target[1].is_masked:
            continue
        kind = ctx.snapshot.plugins.fields.get(target[1].type)
        if kind is not None and kind.value in OPERATORS:
            yield name, say(target[1].label, ctx.language)

"""The words of an aggregate query: groups and measures, checked against a Scope. Opens no connection."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.errors import BadInput, InputProblem
from engine.formula.fields import result
from engine.store import types
from engine.store.query_build import Builder
from engine.store.query_filter import ScopeNames
from engine.store.query_paths import Target, need_path
from engine.store.zones import PERIODS
from metadata.formula import FormulaError, Node, parse
from metadata.model import Field, SortKey
from metadata.problem import nearest

__all__ = [
    "FUNCTIONS", "Group", "Measure", "bad", "column_of", "read_groups", "read_measure", "read_measures", "sort_places",
]  # fmt: skip

FUNCTIONS = ("sum", "count", "avg", "min", "max", "distinct")
MAX_GROUPS = 5
MAX_MEASURES = 20
NUMBERS = (types.Integer, types.Decimal)
ORDERED = (*NUMBERS, types.Text, types.Date, types.DateTime, types.Time)
SINGLE = (*ORDERED, types.Boolean, types.Id)
PATH = re.compile(r"[\w.]*(:\w*)?")
FORMULA_PLACES = 6  # of a number that a formula of the query gives
FORMULA_TYPES: Mapping[str, types.StoredType] = {
    "text": types.Text(), "choice": types.Text(), "number": types.Decimal(scale=FORMULA_PLACES),
    "boolean": types.Boolean(), "date": types.Date(), "datetime": types.DateTime(), "time": types.Time(),
    "reference": types.Id(), "null": types.Text(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reckoned(Target):
    """A formula of the query, in place of a field."""

    node: Node


@dataclass(frozen=True, slots=True)
class Group:
    text: str  # "close_date:month": its key in the answer
    target: Target
    period: str  # "" is the value itself


@dataclass(frozen=True, slots=True)
class Measure:
    text: str  # "sum(amount)", without spaces: its key in the answer
    function: str
    target: Target | None  # None: count()


def bad(clause: str, code: str, message: str, fix: str = "") -> BadInput:
    return BadInput(message, code=code, fix=fix, problems=[InputProblem(clause, code, message, fix)])


def column_type(ctx: Context, target: Target) -> sa.types.TypeEngine[object]:
    if isinstance(target, Reckoned):
        return FORMULA_TYPES.get(str(target.node.type), types.Json())
    return ctx.snapshot.physical.value_type(target.object, target.field.name)


def column_of(ctx: Context, builder: Builder, target: Target) -> sa.ColumnElement[Any]:
    if not isinstance(target, Reckoned):
        return builder.joins.column(target.steps)
    column, tables = builder.joins.column_of(trusted=False), builder.joins.tables(trusted=False)
    return result(ctx.snapshot, builder.object, target.node, column_type(ctx, target), column, tables)


def _target(ctx: Context, object_name: str, text: str, clause: str) -> Target:
    """A field that may be read, or a formula over such. Raises BadInput."""
    if PATH.fullmatch(text):
        return need_path(ctx.scope, object_name, text, clause)
    try:
        names = ScopeNames(ctx.scope, object_name)
        node = parse(text, names, functions=ctx.snapshot.plugins.functions, wants=None)
    except FormulaError as error:
        raise bad(
            clause, error.code, f"{clause} '{text[:60]}', column {error.column}: {error.message}", error.fix
        ) from error
    value: Any = "text" if node.type == "null" else node.type
    return Reckoned((text,), Field(text, "", {}, value=value, source="formula"), object_name, node)


def read_groups(ctx: Context, object_name: str, texts: Sequence[str]) -> tuple[Group, ...]:
    """Raises BadInput."""
    groups = tuple(_read_group(ctx, object_name, text) for text in dict.fromkeys(texts))
    if len(groups) > MAX_GROUPS:
        raise bad("group", "aggregate.limit", f"{len(groups)} groups; at most {MAX_GROUPS} are possible", "name fewer")
    return groups


def _read_group(ctx: Context, object_name: str, text: str) -> Group:
    path, colon, period = text.partition(":") if PATH.fullmatch(text) else (text, "", "")
    target = _target(ctx, object_name, path, "group")
    kind = column_type(ctx, target)
    if not isinstance(kind, SINGLE):
        message = f"'{path}' does not hold a single value; records cannot be grouped by it"
        raise bad("group", "aggregate.group", message, "group by a field with a single value")
    if colon and period not in PERIODS:
        fix = f"write '{path}:{nearest(period, PERIODS) or 'month'}'?"
        raise bad("group", "aggregate.period", f"no period '{period}'; there are {', '.join(PERIODS)}", fix)
    if colon and not isinstance(kind, types.Date | types.DateTime):
        message = f"'{path}' is no date; only dates and times have a period"
        raise bad("group", "aggregate.period", message, f"write '{path}'?")
    return Group(text, target, period)


def read_measures(ctx: Context, object_name: str, texts: Sequence[str]) -> tuple[Measure, ...]:
    """Raises BadInput."""
    found = [read_measure(ctx, object_name, text, "measures") for text in texts[: MAX_MEASURES * 5]]
    measures = tuple({measure.text: measure for measure in found}.values())
    if len(measures) > MAX_MEASURES:
        message = f"more than {MAX_MEASURES} measures"
        raise bad("measures", "aggregate.limit", message, "name fewer")
    return measures


def read_measure(ctx: Context, object_name: str, text: str, clause: str) -> Measure:
    """One measure: `sum(amount)`. Raises BadInput at `clause`."""
    parts = _parts(text)
    if parts is None:
        message = f"'{text[:60]}' is no measure; a measure is a function of a field, such as sum(amount)"
        raise bad(clause, "aggregate.measure", message, "write 'count()'?")
    function, path = parts
    if function not in FUNCTIONS:
        guess = nearest(function, FUNCTIONS)
        fix = f"write '{guess}({path})'?" if guess else ""
        message = f"no function '{function[:60]}' over records; there are {', '.join(FUNCTIONS)}"
        raise bad(clause, "aggregate.function", message, fix)
    if not path:
        if function != "count":
            raise bad(clause, "aggregate.measure", f"{function}() needs a field", f"write '{function}(…)' with a field")
        return Measure("count()", "count", None)
    target = _target(ctx, object_name, path, clause)
    kind = column_type(ctx, target)
    if function in ("sum", "avg") and not isinstance(kind, NUMBERS):
        raise bad(clause, "aggregate.type", f"{function} is of numbers; '{path}' is none", f"write 'count({path})'?")
    if function in ("min", "max") and not isinstance(kind, ORDERED):
        message = f"'{path}' has no least and no greatest value"
        raise bad(clause, "aggregate.type", message, f"write 'count({path})'?")
    if function == "distinct" and not isinstance(kind, SINGLE):
        message = f"'{path}' does not hold a single value; its values cannot be told apart"
        raise bad(clause, "aggregate.type", message, f"write 'count({path})'?")
    return Measure(f"{function}({path})", function, target)


def _parts(text: str) -> tuple[str, str] | None:
    """`sum( amount )` -> sum, amount. Without a pattern: those take long over many spaces."""
    function, opening, rest = text.strip().partition("(")
    function, inner = function.strip(), rest[:-1].strip()
    is_measure = function.replace("_", "").isalpha() and opening and rest.endswith(")") and _is_closed(inner)
    return (function, inner) if is_measure else None


def _is_closed(text: str) -> bool:
    """Whether no bracket closes that was not opened."""
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return depth == 0


def sort_places(
    groups: Sequence[Group], measures: Sequence[Measure], sort: Sequence[SortKey]
) -> list[tuple[int, bool]]:
    """(place among groups and measures, descending) of what is sorted by, all groups among it: the order is total."""
    known = [*(group.text for group in groups), *(measure.text for measure in measures)]
    found: dict[int, bool] = {}
    for key in sort:
        parts = _parts(key.path)
        text = f"{parts[0]}({parts[1]})" if parts else key.path
        if text not in known:
            guess = nearest(text, known)
            message = f"sort '{text[:60]}' is neither a group nor a measure of this query"
            raise bad("sort", "aggregate.sort", message, f"write '{guess}'?" if guess else "name it in measures, too")
        found.setdefault(known.index(text), key.is_descending)
    for place in range(len(groups)):
        found.setdefault(place, False)
    return list(found.items())

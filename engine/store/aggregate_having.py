"""A condition on measures: comparisons with literals, joined by and, or, not. Opens no connection."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.formula.literals import floor_at
from engine.formula.sql import not_true
from engine.store import types
from engine.store.aggregate_sql import AVERAGE_PLACES, Measured
from engine.store.aggregate_terms import Measure, bad, column_type, read_measure
from engine.store.sqlite_functions import number_key
from metadata.formula import And, Compare, Const, FormulaError, Names, Node, Not, Or, Path, Resolved, parse, shape
from metadata.model import Field

__all__ = ["Having", "condition", "read_having"]

# A measure in the text; texts in quotes are passed over.
CALL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b(?!(?:and|or|not|in)\b)([a-z]\w*\s*\([^()]*\))""")
PLACEHOLDER = "Ƶ"  # stands for a measure before the formula is read: "Ƶ0"; as short as any, so that columns stay
MAX_MEASURES = 20


@dataclass(frozen=True, slots=True)
class Having:
    node: Node
    measures: tuple[Measure, ...]  # placeholder N stands for the Nth
    shape: Hashable
    values: Mapping[str, Any]  # of the literals, as bound


class MeasureNames(Names):
    """What a condition on measures may name: placeholders only."""

    def __init__(self, ctx: Context, measures: Iterable[Measure]) -> None:
        self.fields = {f"{PLACEHOLDER}{n}": _field(measure) for n, measure in enumerate(measures)}

    def resolve(self, steps: tuple[str, ...]) -> Resolved | None:
        field = self.fields.get(steps[0]) if len(steps) == 1 else None
        return Resolved(steps, field, field.value) if field else None

    def known(self, prefix: tuple[str, ...]) -> Iterable[str]:
        return ()


def _field(measure: Measure) -> Field:
    """What a formula sees of a measure."""
    if measure.target is None or measure.function not in ("min", "max"):
        return Field(measure.text, "integer", {}, value="number")
    return measure.target.field


def read_having(ctx: Context, object_name: str, text: str) -> Having:
    """Raises BadInput, at `having`."""
    if len(text) > 2000:
        raise bad("having", "formula.limit", f"having has at most 2,000 characters, not {len(text):,}")
    measures: list[Measure] = []

    def name(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        measure = read_measure(ctx, object_name, match[1], "having")
        if measure not in measures:
            measures.append(measure)
        return f"{PLACEHOLDER}{measures.index(measure)}".ljust(len(match[0]))

    written = CALL.sub(name, text) if PLACEHOLDER not in text else text
    if len(measures) > MAX_MEASURES:
        raise bad("having", "aggregate.limit", f"having names more than {MAX_MEASURES} measures", "name fewer")
    try:
        node = parse(written, MeasureNames(ctx, measures), functions={})
    except FormulaError as error:
        message = f"having, column {error.column}: {_told(error.message, measures)}"
        fix = _told(error.fix, measures) or "compare measures with values: sum(amount) > 1000 and count() >= 2"
        raise bad("having", error.code, message, fix) from error
    literals: list[tuple[Measure, object]] = []
    node = _checked(node, measures, literals)
    values = {f"_h{n}": _bound(ctx, measure, value) for n, (measure, value) in enumerate(literals)}
    return Having(node, tuple(measures), (shape(node)[0], tuple(m.text for m in measures)), values)


def _told(text: str, measures: list[Measure]) -> str:
    for n in reversed(range(len(measures))):
        text = text.replace(f"{PLACEHOLDER}{n}", measures[n].text)
    return text


FLIPPED: Mapping[str, Any] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _checked(node: Node, measures: list[Measure], literals: list[tuple[Measure, object]]) -> Node:
    """The same with each measure on the left; its literals go to `literals`, from left to right."""
    match node:
        case And(items) | Or(items):
            return replace(node, items=tuple(_checked(item, measures, literals) for item in items))
        case Not(item):
            return replace(node, item=_checked(item, measures, literals))
        case Compare(op, Const() as value, Path() as path):
            return _checked(replace(node, op=FLIPPED[op], left=path, right=value), measures, literals)
        case Compare(_, Path(steps), Const(value)):
            if value is not None:
                literals.append((measures[int(steps[0][len(PLACEHOLDER) :])], value))
            return node
    message = "having takes comparisons of a measure with a value, joined by and, or, not"
    raise bad("having", "aggregate.having", message, "write it like sum(amount) > 1000 and count() >= 2")


def _scale(ctx: Context, measure: Measure) -> int | None:
    if measure.function in ("count", "distinct") or measure.target is None:
        return 0
    kind = column_type(ctx, measure.target)
    if isinstance(kind, types.Decimal | types.Integer):
        own = kind.scale if isinstance(kind, types.Decimal) else 0
        return own + AVERAGE_PLACES if measure.function == "avg" else own
    return None


def _bound(ctx: Context, measure: Measure, value: object) -> object:
    scale = _scale(ctx, measure)
    if scale is None or not isinstance(value, int | Decimal):
        return value
    whole, is_exact = floor_at(Decimal(value), scale)
    # What lies between two numbers of this scale is halfway between them: larger than one, smaller than the other.
    tenths = whole * 10 + (0 if is_exact else 5)
    return number_key(tenths) if ctx.snapshot.dialect == "sqlite" else Decimal(f"{tenths}E-{scale + 1}")


def condition(dialect: str, having: Having, measured: Mapping[str, Measured]) -> sa.ColumnElement[bool]:
    """`measured`: by the measures' texts."""
    return _condition(having.node, having.measures, measured, dialect, iter(having.values))


def _condition(
    node: Node, measures: tuple[Measure, ...], measured: Mapping[str, Measured], dialect: str, names: Iterator[str]
) -> sa.ColumnElement[bool]:
    match node:
        case And(items):
            return sa.and_(*[_condition(item, measures, measured, dialect, names) for item in items])
        case Or(items):
            return sa.or_(*[_condition(item, measures, measured, dialect, names) for item in items])
        case Not(item):
            return not_true(_condition(item, measures, measured, dialect, names))
        case Compare(op, Path(steps), Const(value)):
            found = measured[measures[int(steps[0][len(PLACEHOLDER) :])].text]
            if value is None:
                return found.compared.is_(None) if op == "==" else found.compared.is_not(None)
            literal = sa.bindparam(next(names), type_=_literal_type(dialect, found))
            if op == "!=":
                return found.compared.is_distinct_from(literal)
            return found.compared.op("=" if op == "==" else op, is_comparison=True, return_type=sa.Boolean())(literal)
    raise AssertionError(node)


def _literal_type(dialect: str, found: Measured) -> sa.types.TypeEngine[Any]:
    if found.scale is None:
        return found.value.type
    return types.Text() if dialect == "sqlite" else sa.Numeric()

"""What a validation says: a text with formulas, with values as the person's screens show them.

Rules see everything, but a message is read by a person: what that one may not read is "…" in it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from engine.context import Context
from engine.errors import EngineError
from engine.formats import Formats, formats_for
from engine.formula.evaluate import Evaluate, evaluator
from engine.rules.reach import Reach
from engine.snapshot import Snapshot
from engine.store.query import Query
from engine.store.query import find as find_records
from metadata.formula import Aggregate, Config, InTree, Names, Node, Path, Prior, paths_in, walk
from metadata.formula.template import said_parts
from metadata.model import Field, Validation, say

__all__ = [
    "HIDDEN",
    "PLACES",
    "Message",
    "Part",
    "compiled",
    "field_shown",
    "filled",
    "is_told",
    "may_read",
    "said",
    "shown_as",
]

HIDDEN = "…"
PLACES = 2  # of numbers that are no field's
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    node: Node
    evaluate: Evaluate


Message = Mapping[str, tuple[str | Part, ...]]
"""The parts of each of a validation's texts, by the text."""


def compiled(snapshot: Snapshot, validation: Validation, names: Names, *, has_prior: bool) -> Message:
    objects, functions = snapshot.definitions.objects, snapshot.plugins.functions

    def title_of(name: str) -> str:
        return objects[name].title

    return {
        text: tuple(
            part if isinstance(part, str) else Part(part, evaluator(part, functions))
            for part in said_parts(text, names, functions, title_of, has_prior=has_prior)
        )
        for text in validation.message.values()
    }  # fmt: skip


def said(
    ctx: Context, validation: Validation, message: Message, reach: Reach, record: Values, prior: Values | None
) -> str:  # fmt: skip
    """In the language of who reads it. `record` and `prior` are views that `reach` has filled."""
    text = say(validation.message, ctx.told.language)
    return filled(ctx.told, message.get(text, (text,)), reach, record, prior)


def filled(
    ctx: Context, parts: tuple[str | Part, ...], reach: Reach, record: Values, prior: Values | None,
    others: Mapping[str, str] = {},
) -> str:  # fmt: skip
    """The parts of a text as this person reads them. `others`: names that stand for records of other objects, which
    this person has made or found, and for what is nobody's record, whose object is ""."""
    if all(isinstance(part, str) for part in parts):
        return "".join(map(str, parts))
    formats = formats_for(ctx.language, ctx.time_zone)
    return "".join(
        part if isinstance(part, str) else _shown(ctx, formats, part, reach, record, prior, others) for part in parts
    )  # fmt: skip


def _shown(
    ctx: Context, formats: Formats, part: Part, reach: Reach, record: Values, prior: Values | None,
    others: Mapping[str, str],
) -> str:  # fmt: skip
    if not is_told(ctx, part.node, reach, record, prior, others):
        return HIDDEN
    try:
        value = part.evaluate(reach.here, record, prior)
    except Exception:  # the rule could be asked, so it is told; what of its text cannot is left out
        return HIDDEN
    return _as_text(ctx, formats, part.node, value)


def is_told(
    ctx: Context, node: Node, reach: Reach, record: Values, prior: Values | None, others: Mapping[str, str] = {}
) -> bool:
    """Whether this person reads all that a formula reads, of these records."""
    far = (found for found in _far_paths(node, record, prior) if found[0].steps[0] not in others)
    return may_read(ctx, reach.object, node, others) and all(_sees(ctx, reach, path, values) for path, values in far)


def _far_paths(node: Node, record: Values, prior: Values | None) -> Iterator[tuple[Path, Values]]:
    """Paths through references, each with the values that it begins at."""
    before = [part.path for part in walk(node) if isinstance(part, Prior)]
    for path in paths_in(node):
        values = prior if path in before else record
        if len(path.steps) > 1 and values is not None:
            yield path, values


def _sees(ctx: Context, reach: Reach, path: Path, values: Values) -> bool:
    """Whether this person reads there what the rule reads."""
    first, rest = path.steps[0], ".".join(path.steps[1:])
    one = values[first]
    if one is None or values[path.key] is None:
        return True
    try:
        found = find_records(ctx, reach.connection, Query(path.fields[0].target, (rest,), ids=(one,), limit=1))
    except EngineError:
        return False
    return any(row[0] is not None for row in found.reader.values(found.rows))


def may_read(ctx: Context, object_name: str, node: Node, others: Mapping[str, str] = {}) -> bool:
    """Whether the definitions let this person read every field that a formula over the object names."""
    own = [path.steps for path in paths_in(node) if path.steps[0] not in others]
    there = [path.steps for path in paths_in(node) if others.get(path.steps[0])]
    if not all(_may_read_path(ctx, others[steps[0]], steps[1:]) for steps in there):
        return False
    return all(_may_read_path(ctx, object_name, steps) for steps in own) and all(
        _may_read_part(ctx, part) for part in walk(node)
    )


def _may_read_path(ctx: Context, object_name: str, steps: tuple[str, ...]) -> bool:
    for step in steps:
        field = ctx.scope.readable(object_name).get(step)
        if field is None or field.is_masked:
            return False
        object_name = field.target
    return True


def _may_read_part(ctx: Context, part: Node) -> bool:
    match part:
        case Config(name, field):
            seen = ctx.scope.readable(name).get(field.name)
            return seen is not None and not seen.is_masked
        case Aggregate(object=name, inner=inner):  # a count of lines that are partly hidden would tell of them
            is_whole = ctx.scope.can("read", name) and not ctx.scope.own_rows("read", name)
            return is_whole and (inner is None or may_read(ctx, name, inner))
    return not isinstance(part, InTree)


def field_shown(node: Node) -> Field | None:
    """The field whose value a formula is, and as which it is shown."""
    path = node.path if isinstance(node, Prior) else node
    return path.fields[-1] if isinstance(path, Path) else None


def _as_text(ctx: Context, formats: Formats, node: Node, value: Any) -> str:
    return shown_as(ctx, formats, field_shown(node), node.type, value)


def shown_as(ctx: Context, formats: Formats, field: Field | None, type_: str, value: Any) -> str:
    """A value as the person's screens show it: the field's where there is one, else by its type in formulas."""
    match value:
        case None:
            return ""
        case list() | tuple():
            return ", ".join(_label(ctx, field, one) for one in value)
        case bool():
            return str(value)
        case int() | Decimal():
            return _number(ctx, formats, field, Decimal(value))
        case datetime() | date() | time():
            return _moment(formats, value)
    text = str(value)
    read = READERS.get(type_)
    return _moment(formats, read(text)) if read else _label(ctx, field, text)


READERS: Mapping[str, Callable[[str], date | time]] = {
    "date": date.fromisoformat, "datetime": datetime.fromisoformat, "time": time.fromisoformat,
}  # fmt: skip


def _moment(formats: Formats, value: date | time) -> str:
    if isinstance(value, datetime):
        return formats.datetime(value)
    return formats.date(value) if isinstance(value, date) else formats.time(value)


def _label(ctx: Context, field: Field | None, value: object) -> str:
    labels = {choice.value: choice.label for choice in field.choices} if field else {}
    return say(labels[str(value)], ctx.language) if str(value) in labels else str(value)


def _number(ctx: Context, formats: Formats, field: Field | None, value: Decimal) -> str:
    """As cells show it: ".00" is left out. An amount whose currency stands elsewhere is a plain number."""
    options = field.options if field else {}
    kind = ctx.snapshot.plugins.fields[field.type] if field and field.type in ctx.snapshot.plugins.fields else None
    scale = options.get("scale")
    places = scale if isinstance(scale, int) else PLACES
    if kind is not None and kind.cell == "percent":
        return formats.percent(value)
    if kind is not None and kind.cell == "currency" and not options.get("currency_from"):
        return formats.money(value, str(options.get("currency") or "CNY"), places)
    return formats.number(value, 0 if value == value.to_integral_value() else places)

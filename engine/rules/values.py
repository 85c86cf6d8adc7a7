"""Values as sent -> values as stored: names, types, defaults, required and read-only fields. Reads no record.

All that is wrong with one set of values is found at once.
"""

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.access.fields import HIDDEN, MASKED, OPEN
from engine.access.masks import mask_of
from engine.context import Context
from engine.contracts.field import FieldType, Parse
from engine.errors import BadValue, InputProblem
from engine.formula import exact
from engine.rules.conditions import rulebook_of
from engine.rules.reading import scale_of
from engine.sealed import Unsealed
from engine.secrets import place_of
from engine.snapshot import Snapshot
from metadata.model import SYSTEM_FIELDS, Field
from metadata.problem import nearest
from metadata.zones import time_zones

__all__ = ["FieldRule", "Rules", "missing", "read_values", "rules_of", "taken"]

MOST_GUESSES = 20  # unknown names of a request that get a nearest one: it may hold a hundred thousand of them
LONGEST_NAME = 100  # of an unknown one, as it is told
Values = Mapping[str, object]
Default = Callable[[Context], object]


@dataclass(frozen=True, slots=True)
class FieldRule:
    """A field that is written, with what its type makes of its definition."""

    field: Field
    type: FieldType
    parse: Parse
    default: Default | None
    place: str = ""  # of a secret: what it is bound to


@dataclass(frozen=True, slots=True)
class Rules:
    """All written fields of an object, in order, `owner` last."""

    object: str
    fields: Mapping[str, FieldRule]
    defaults: tuple[tuple[str, Default], ...]
    required: tuple[str, ...]
    references: tuple[Field, ...]  # of every kind
    masters: tuple[str, ...]  # references to what its records belong to
    tree: str  # the reference that makes its records a tree
    generated: tuple[FieldRule, ...]
    tracked: tuple[str, ...]  # fields whose changes the history tells
    is_plain: bool  # nothing but its types is asked of a value
    attaching: tuple[FieldRule, ...] = ()  # fields that hold files
    worked_out: frozenset[str] = frozenset()  # fields that exist and are not written


def rules_of(snapshot: Snapshot, object_name: str) -> Rules:
    key = ("rules", object_name)
    if key not in snapshot.cache:
        snapshot.cache[key] = _compile(snapshot, object_name)
    rules: Rules = snapshot.cache[key]
    return rules


def _compile(snapshot: Snapshot, object_name: str) -> Rules:
    own = snapshot.definitions.objects[object_name].fields.values()
    definitions = [*(field for field in own if field.is_written), SYSTEM_FIELDS["owner"]]
    worked_out = frozenset(field.name for field in own if not field.is_written)
    fields = {field.name: _field_rule(snapshot, object_name, field) for field in definitions}
    return Rules(
        object=object_name,
        fields=fields,
        defaults=tuple((name, rule.default) for name, rule in fields.items() if rule.default is not None),
        required=tuple(
            name for name, rule in fields.items()
            if rule.field.is_required and not rule.type.is_computed and not rule.field.show_if
        ),
        references=tuple(rule.field for rule in fields.values() if rule.field.target or rule.field.targets),
        masters=tuple(name for name, rule in fields.items() if rule.field.is_master),
        tree=snapshot.definitions.objects[object_name].tree,
        generated=tuple(rule for rule in fields.values() if rule.type.generate is not None),
        tracked=tuple(name for name, rule in fields.items() if rule.field.is_tracked),
        is_plain=rulebook_of(snapshot, object_name) is None,
        attaching=tuple(rule for rule in fields.values() if rule.type.attaches is not None),
        worked_out=worked_out,
    )  # fmt: skip


def _field_rule(snapshot: Snapshot, object_name: str, field: Field) -> FieldRule:
    kind = snapshot.plugins.fields[field.type]
    parse = kind.parser(field)
    if (object_name, field.name) == ("user", "time_zone"):
        parse = zone_parser(parse)
    place = place_of(snapshot, object_name, field.name) if kind.is_secret else ""
    return FieldRule(field, kind, parse, _default(field, kind, parse), place)


def zone_parser(parse: Parse) -> Parse:
    """Of a person's time zone: a name that `zoneinfo` knows."""

    def parse_zone(value: object) -> object:
        name = parse(value)
        if isinstance(name, str) and name not in (known := time_zones()):
            guess = nearest(name, known)
            fix = f"write '{guess}'?" if guess else "write it as Asia/Shanghai"
            raise BadValue("value.time_zone", f"no time zone is called '{name}'", fix, name=name)
        return name

    return parse_zone


def _default(field: Field, kind: FieldType, parse: Parse) -> Default | None:
    if field is SYSTEM_FIELDS["owner"]:
        return lambda ctx: ctx.actor.id or None
    if field.default is None or kind.is_computed:
        return None
    if isinstance(field.default, str) and field.default in kind.default_words:
        return kind.default_words[field.default]
    value = parse(field.default)
    return lambda ctx: value


def read_values(
    ctx: Context, rules: Rules, sent: Values, before: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[InputProblem]]:
    """What to store of `sent`, and all that is wrong with it. What is missing is told later (pipeline.py) where the
    object's rules may yet give it a value.

    `before` holds the record's stored values by name; None is a new record, which gets the defaults of fields not sent.
    """
    stored: dict[str, Any] = {}
    problems: list[InputProblem] = []
    if before is None:
        for name, default in rules.defaults:
            # What belongs to another record is owned by whoever owns that one: engine/rules/masters.py.
            if name not in sent and not (name == "owner" and rules.masters):
                stored[name] = default(ctx)
    hidden = _hidden(ctx, rules)
    for name, value in sent.items():
        rule = rules.fields.get(name) if name not in hidden else None
        if rule is None:
            problems.append(_unknown(ctx, rules, name, hidden))
            continue
        try:
            stored[name] = _read(ctx, rules.object, rule, value, before)
        except BadValue as bad:
            problems.append(InputProblem(name, bad.code, bad.message, bad.fix, bad.values))
    if rules.is_plain:
        problems += missing(rules, stored, before, {problem.path for problem in problems})
    return stored, problems


def _read(ctx: Context, object_name: str, rule: FieldRule, value: object, before: Mapping[str, Any] | None) -> object:
    name = rule.field.name
    old = before.get(name) if before is not None else None
    if before is not None and old is not None and _is_its_mask(ctx, object_name, rule, value, old):
        return old
    stored = None if value is None else rule.parse(value)
    if stored is not None and rule.type.keep is not None:
        stored = rule.type.keep(rule.field, stored, old)
    is_open = ctx.scope.writes(object_name, name, is_new=before is None)
    if stored == old and before is not None and (is_open or not _is_guessed(ctx, object_name, name)):
        return stored
    is_fixed = rule.field.is_read_only or rule.type.is_computed or not is_open
    if rule.field.is_kept or (is_fixed and not ctx.actor.is_system):
        default = rule.default(ctx) if rule.default is not None and before is None else None
        if before is None and (stored is None or stored == default):
            return default
        raise BadValue("value.read_only", f"'{name}' cannot be changed", "leave it out", name=name)
    if stored is not None and rule.type.check_change is not None:
        rule.type.check_change(rule.field, stored, old)
    return ctx.tenant.secrets.renewed(stored, old, rule.place) if isinstance(stored, Unsealed) else stored


def _hidden(ctx: Context, rules: Rules) -> frozenset[str]:
    """Fields that do not exist for the person who writes."""
    if ctx.actor.is_system:
        return frozenset()
    names = (*rules.fields, *rules.worked_out)
    return frozenset(name for name in names if ctx.scope.sees(rules.object, name) == HIDDEN)


def _is_its_mask(ctx: Context, object_name: str, rule: FieldRule, value: object, old: Any) -> bool:
    """A form that was shown the mask sends it back: that changes nothing."""
    if ctx.actor.is_system or ctx.scope.sees(object_name, rule.field.name) != MASKED:
        return False
    shown = rule.type.to_json(old)
    return bool(value == mask_of(rule.field)(shown))


def _is_guessed(ctx: Context, object_name: str, name: str) -> bool:
    """Whether the person sees no more than a mask: that a value is refused where another one is taken would tell it."""
    return not ctx.actor.is_system and ctx.scope.sees(object_name, name) != OPEN


def missing(
    rules: Rules, stored: Mapping[str, Any], before: Mapping[str, Any] | None, refused: Container[str]
) -> Iterator[InputProblem]:
    """Fields that must have a value whatever the rest of the record."""
    for name in rules.required:
        is_touched = before is None or name in stored
        if is_touched and stored.get(name) is None and name not in refused:
            yield InputProblem(name, "value.required", f"'{name}' must have a value", "give it one", (("name", name),))


def _unknown(ctx: Context, rules: Rules, name: object, hidden: frozenset[str]) -> InputProblem:
    text = str(name)[:LONGEST_NAME]
    if (text in SYSTEM_FIELDS or text == "deleted_at") and text not in hidden:
        message = f"'{text}' is kept by the system and cannot be written"
        return InputProblem(text, "field.system", message, "leave it out", (("name", text),))
    if text in rules.worked_out and text not in hidden:
        message = f"'{text}' is worked out and cannot be written"
        return InputProblem(text, "value.read_only", message, "leave it out", (("name", text),))
    guess = _guess(ctx, rules, text, hidden)
    message = f"no field '{text}' in '{rules.object}'"
    fix = f"write '{guess}'?" if guess else ""
    return InputProblem(text, "field.unknown", message, fix, (("name", text), ("object", rules.object)))


def _guess(ctx: Context, rules: Rules, name: str, hidden: frozenset[str]) -> str:
    """The field that was meant, "" where none is near, or too many were looked for: each takes a millisecond."""
    key = (rules.object, name, hidden)
    if key not in ctx.guesses and len(ctx.guesses) < MOST_GUESSES:
        ctx.guesses[key] = nearest(name, [one for one in rules.fields if one not in hidden])
    return ctx.guesses.get(key, "")


def taken(ctx: Context, rules: Rules, name: str, value: Any) -> Any:
    """What a formula or another field gives, as this field holds it. Raises BadValue."""
    rule = rules.fields[name]
    if value is None:
        return None
    if (scale := scale_of(ctx.snapshot, rule.field)) is not None:
        value = exact.fitted(value, scale)
        value = int(value) if value is not None and scale == 0 else value
    return None if value is None else rule.parse(value)

"""Automations that set themselves off without end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from metadata.check.choices import rounds
from metadata.check.facts import Facts
from metadata.formula import FormulaError, paths_in
from metadata.formula.ranges import truth
from metadata.formula.template import is_template
from metadata.problem import Problem
from metadata.processes import Automation, Part

__all__ = ["endless"]

SAVES = ("after_save", "after_commit")


@dataclass(frozen=True, slots=True)
class Effect:
    object: str
    action: str
    fields: frozenset[str]
    values: Mapping[str, Any] = field(default_factory=dict)  # those that are the same for every record
    starts: str = ""  # an automation that it begins by itself, whatever is saved
    has_condition: bool = False  # the step says when


def endless(facts: Facts) -> Iterator[Problem]:
    """Each circle once. Within a transaction a rule runs once for a record: a circle ends by itself unless it makes new
    records, begins new transactions, or may run again."""
    items = {item.built.name: item for item in facts.assembly.processes["automation"] if item.built.is_active}
    rules = {name: item.built for name, item in items.items()}
    effects = {name: [made for part in one.steps for made in effects_of(facts, one, part)]
               for name, one in rules.items()}  # fmt: skip
    ways = {
        name: tuple(other for other, one in rules.items() if any(sets_off(facts, made, one) for made in effects[name]))
        for name in rules
    }
    for trail in rounds(ways):
        circle = [rules[name] for name in trail[:-1]]
        if not goes_on(facts, trail, rules, effects):
            continue
        may_end = any(one.when or one.changed for one in circle) or any(
            all(made.has_condition for made in effects[name] if sets_off(facts, made, rules[after]))
            for name, after in pairwise(trail)
        )
        shown = " -> ".join(trail)
        first = items[trail[0]]
        how = "as long as its conditions hold" if may_end else "without end"
        message = f"'{trail[0]}' sets itself off {how}: {shown}"
        fix = "make sure that a condition ends it" if may_end else "say in 'when' or 'changed' when it ends"
        yield Problem(first.document.at("do"), "automation.endless", message, fix, "warning" if may_end else "error")


def effects_of(facts: Facts, rule: Automation, part: Part) -> Iterator[Effect]:
    kind = facts.parts.actions.get(part.kind)
    if kind is None:
        return
    options, has_condition = kind.given(part.options), bool(part.when)
    for option, of in kind.refers.items():
        if of == "automation" and isinstance(options.get(option), str):
            yield Effect("", "", frozenset(), starts=str(options[option]), has_condition=has_condition)
    if not kind.writes or rule.phase == "before_save":
        return  # before a save, nothing is saved in turn
    target = rule.object if kind.writes == "record" else str(options.get(kind.about) or "")
    said: object = options if kind.values == "*" else options.get(kind.values)
    fields: frozenset[str] = frozenset(map(str, said)) if isinstance(said, dict) else frozenset()
    for option in kind.fields:
        if isinstance(options.get(option), str):
            fields |= {str(options[option])}
    if part.kind == "assign" and "field" not in options:
        fields |= {"owner"}
    values = {name: value for name, value in said.items() if is_literal(value)} if isinstance(said, dict) else {}
    yield Effect(target, "update" if kind.writes == "record" else kind.writes, fields, values,
                 has_condition=has_condition)  # fmt: skip


def is_literal(value: object) -> bool:
    if isinstance(value, str):
        return not value.startswith("=") and not is_template(value)
    return value is None or isinstance(value, (bool, int, float))


def sets_off(facts: Facts, made: Effect, rule: Automation) -> bool:
    if made.starts:
        return made.starts == rule.name
    if (
        rule.phase not in SAVES
        or rule.object != made.object
        or made.action not in rule.on
        or is_ruled_out(facts, made, rule)
    ):
        return False
    if made.action != "update" or not made.fields:
        return True
    if rule.changed and not made.fields & set(rule.changed):
        return False
    return not rule.becomes or bool(made.fields & read_by(facts, rule))


def is_ruled_out(facts: Facts, made: Effect, rule: Automation) -> bool:
    """Whether its condition is false of each record that has these values: `stage == 'won'` of one that is lost now."""
    known = facts.objects[rule.object].fields if rule.object in facts.objects else {}
    said = [f"this.{name} == {literal(value)}" for name, value in made.values.items() if name in known]
    for text in said if rule.when else ():
        try:
            tree = facts.read(f"({rule.when}) and {text}", facts.names(rule.object), has_prior=True)
        except (FormulaError, KeyError):
            continue
        if truth(tree) is False:
            return True
    return False


def literal(value: object) -> str:
    """As formulas say it."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    return "null" if value is None else str(value).lower()


def read_by(facts: Facts, rule: Automation) -> frozenset[str]:
    """Fields of the record that its condition reads; those of worked-out fields are not followed: then it is all."""
    try:
        tree = facts.read(rule.when, facts.names(rule.object), has_prior=True)
    except (FormulaError, KeyError):
        return frozenset()
    names = {path.steps[0] for path in paths_in(tree)}
    fields = facts.objects[rule.object].fields if rule.object in facts.objects else {}
    is_plain = all(name not in fields or fields[name].is_written for name in names)
    return frozenset(names) if is_plain else frozenset(fields)


def goes_on(
    facts: Facts, trail: list[str], rules: Mapping[str, Automation], effects: Mapping[str, list[Effect]]
) -> bool:  # fmt: skip
    """Whether nothing but conditions ends a circle."""
    circle = [rules[name] for name in trail[:-1]]
    if any(one.phase == "after_commit" for one in circle) or all(one.reentry for one in circle):
        return True
    return any(
        (made.action == "create" or made.starts) and sets_off(facts, made, rules[after])
        for name, after in pairwise(trail)
        for made in effects[name]
    )

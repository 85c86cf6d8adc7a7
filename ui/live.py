"""What a form works out as one types: the formulas of an object that a person may compute, compiled once per scope.

Conditions, formula fields, roll-ups over lines, defaults and validations, of a record and of its lines. Whatever names
a field that this person may not read, or a function that only a database knows, is left out: the server decides it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from engine.access.scope import Scope
from engine.formula.evaluate import Evaluate, evaluator
from engine.rules.messages import HIDDEN
from engine.rules.reading import own_fields
from engine.snapshot import Snapshot
from metadata.formula import (
    Aggregate,
    Call,
    Config,
    FormulaError,
    InTree,
    Node,
    Outer,
    definition_names,
    parse,
    paths_in,
    reads,
    walk,
)
from metadata.formula.template import said_parts
from metadata.model import Field, Object, Validation, ValueType

__all__ = ["Live", "Rule", "Said", "live_of", "reference_of"]

Said = str | tuple[str, Node]
"""A part of a message: as it stands, or a formula with its key."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation that the form can tell before it is sent."""

    validation: Validation
    key: str  # of what is wrong
    unless: str  # key of its exception, ""
    reads: tuple[str, ...]  # fields of the record itself: nothing is said before one of them was changed
    said: Mapping[str, tuple["Said", ...]] = field(default_factory=dict)  # its texts, in parts


@dataclass(frozen=True)
class Live:
    """`formulas` by key; a condition's key is found by its text. `lines` holds the same for each line of a table."""

    object: str
    by: str = ""  # of lines: the reference to the record that they belong to
    formulas: Mapping[str, Node] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)
    worked: Mapping[str, Field] = field(default_factory=dict)  # formula fields and roll-ups of lines
    defaults: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    fetches: tuple[str, ...] = ()
    own: tuple[str, ...] = ()  # fields of the record that formulas read
    reach: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # reference -> paths that are read behind it
    settings: tuple[tuple[str, str], ...] = ()  # (settings object, field)
    lines: Mapping[str, "Live"] = field(default_factory=dict)
    functions: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def evaluators(self) -> Mapping[str, Evaluate]:
        return {key: evaluator(node, self.functions) for key, node in self.formulas.items()}

    @property
    def is_idle(self) -> bool:
        """Nothing in a form of it changes by itself."""
        return not (self.formulas or self.worked or self.fetches or self.lines)


def live_of(snapshot: Snapshot, scope: Scope, object_name: str) -> Live:
    key = ("ui.live", object_name, scope.key)
    found: Live | None = snapshot.cache.get(key)
    if found is None:
        found = snapshot.cache[key] = Compiler(snapshot, scope, object_name).compiled()
    return found


def reference_of(snapshot: Snapshot, object_name: str, name: str) -> Field | None:
    """The field of a reference to one object, of which records can be asked."""
    definition = snapshot.definitions.objects.get(object_name)
    found = definition.fields.get(name) if definition else None
    return found if found is not None and found.target else None


class Compiler:
    def __init__(self, snapshot: Snapshot, scope: Scope, object_name: str, by: str = "") -> None:
        self.snapshot, self.scope, self.by = snapshot, scope, by
        self.definition: Object = snapshot.definitions.objects[object_name]
        self.names = definition_names(snapshot.definitions.objects, object_name, by)
        self.functions = snapshot.plugins.functions
        self.formulas: dict[str, Node] = {}
        self.conditions: dict[str, str] = {}
        self.lines: dict[str, Compiler] = {}
        self.summed: list[tuple[str, ...]] = []  # paths that formulas of the record read of each line

    def compiled(self) -> Live:
        for one in self.definition.fields.values():
            if one.source == "lines" and self.may_read(one.name) and self.scope.can("read", one.of):
                self.lines[one.name] = Compiler(self.snapshot, self.scope, one.of, one.by)
        return self.finished(self.definition.validations, ())

    def finished(self, validations: Iterable[Validation], asked: Iterable[str]) -> Live:
        """`asked`: further conditions, from the record that these are lines of."""
        fields = [one for one in self.definition.fields.values() if self.may_read(one.name)]
        for text in (
            *asked,
            *self.texts_of_layouts(),
            *(t for f in fields for t in (f.show_if, f.require_if, f.lock_if)),
        ):
            self.condition(text)
        worked = {one.name: one for one in fields if self.is_worked_out(one)}
        defaults = [one.name for one in fields if self.add(f"default:{one.name}", one.default_formula, None)]
        rules = [rule for rule in map(self.rule, validations) if rule]
        fetches = [one.name for one in fields if one.fetch and self.may_reach(one.fetch)]
        for part in self.all_parts():
            if isinstance(part, Aggregate) and part.inner is not None:
                self.lines[part.path.steps[0]].summed += [path.steps for path in paths_in(part.inner)]
        parts = {
            name: compiler.finished(self.rules_of_lines(name), self.filters_of(name))
            for name, compiler in self.lines.items()
        }  # fmt: skip
        paths = [*self.summed, *(path.steps for node in self.formulas.values() for path in reads(node))]
        paths += [tuple(self.definition.fields[name].fetch.split(".")) for name in fetches]
        # What lines read of their record, `order.discount`, is read by the record.
        paths += [tuple(path.split(".")) for live in parts.values() for path in live.reach.get(live.by, ())]
        paths = [steps for steps in paths if steps[0] not in parts]  # lines read their own
        settings = [(part.object, part.field.name) for part in self.all_parts() if isinstance(part, Config)]
        settings += [one for live in parts.values() for one in live.settings]
        return Live(
            object=self.definition.name, by=self.by, formulas=self.formulas, conditions=self.conditions, worked=worked,
            defaults=tuple(defaults), rules=tuple(rules), fetches=tuple(fetches), lines=parts, functions=self.functions,
            own=tuple(dict.fromkeys(steps[0] for steps in paths)), reach=grouped(paths),
            settings=tuple(dict.fromkeys(settings)),
        )  # fmt: skip

    def all_parts(self) -> Iterator[Node]:
        for node in self.formulas.values():
            yield from walk(node)

    def texts_of_layouts(self) -> Iterator[str]:
        if self.by:
            return
        for layout in self.snapshot.definitions.layouts.values():
            for tab in layout.tabs if layout.object == self.definition.name else ():
                yield tab.show_if
                yield from (section.show_if for section in tab.sections)

    def condition(self, text: str) -> None:
        if text and text not in self.conditions and self.add(key := f"if{len(self.conditions)}", text):
            self.conditions[text] = key

    def rule(self, validation: Validation) -> Rule | None:
        key, unless = f"rule:{validation.name}", f"unless:{validation.name}"
        if validation.each and not self.by:
            return None
        if not self.add(key, validation.error_if) or (validation.unless and not self.add(unless, validation.unless)):
            self.formulas.pop(key, None)
            return None
        node = self.formulas[key]
        behind = sorted(own_fields(self.snapshot, self.definition.name, node))  # what formula fields are made of
        reads = dict.fromkeys((*(path.steps[0] for path in paths_in(node)), *behind))
        return Rule(validation, key, unless if validation.unless else "", tuple(reads), dict(self.said(validation)))

    def said(self, validation: Validation) -> Iterator[tuple[str, tuple[Said, ...]]]:
        """Each text of a rule. What cannot be worked out for this person is hidden in it."""
        objects = self.snapshot.definitions.objects
        for number, text in enumerate(validation.message.values()):
            parts: list[Said] = []
            for part in said_parts(text, self.names, self.functions, lambda name: objects[name].title, has_prior=True):
                if isinstance(part, str) or not self.may_compute(part):
                    parts.append(part if isinstance(part, str) else HIDDEN)
                else:
                    key = f"said:{validation.name}:{number}:{len(parts)}"
                    self.formulas[key] = part
                    parts.append((key, part))
            yield text, tuple(parts)

    def rules_of_lines(self, name: str) -> list[Validation]:
        """Those of the child object, and those of this one about each line."""
        child = self.lines[name].definition
        return [*child.validations, *(one for one in self.definition.validations if one.each == name)]

    def filters_of(self, name: str) -> list[str]:
        of, by = self.definition.fields[name].of, self.definition.fields[name].by
        return [
            one.filter
            for one in self.definition.fields.values()
            if one.source == "rollup" and (one.of, one.by) == (of, by)
        ]

    def is_worked_out(self, one: Field) -> bool:
        if one.source == "formula":
            return self.add(f"={one.name}", one.formula, None)
        if one.source != "rollup":
            return False
        return any(
            (lines := self.definition.fields[name]).of == one.of and lines.by == one.by
            for name in self.lines
        )  # fmt: skip

    def add(self, key: str, text: str, wants: ValueType | None = "boolean") -> bool:
        """Whether it can be worked out for this person in a browser and here."""
        if not text:
            return False
        try:
            node = parse(text, self.names, functions=self.functions, wants=wants, has_prior=True)
        except FormulaError:
            return False  # the check of definitions tells it
        if not self.may_compute(node):
            return False
        self.formulas[key] = node
        return True

    def may_compute(self, node: Node) -> bool:
        return all(self.may_compute_part(part) for part in walk(node)) and all(
            self.may_reach(".".join(path.steps)) for path in paths_in(node)
        )

    def may_compute_part(self, part: Node) -> bool:
        match part:
            case Call(name):
                function = self.functions[name]
                return bool(function.js and function.python)
            case Aggregate(_, path, _, _, inner):
                lines = self.lines.get(path.steps[0])
                return lines is not None and (inner is None or lines.may_read_all(inner))
            case Config(object_, one):
                return is_open(self.scope.readable(object_).get(one.name))
        return not isinstance(part, InTree | Outer)

    def may_read_all(self, inner: Node) -> bool:
        """Of a formula about each line."""
        return all(self.may_reach(".".join(path.steps)) for path in paths_in(inner))

    def may_read(self, name: str) -> bool:
        return is_open(self.scope.readable(self.definition.name).get(name))

    def may_reach(self, path: str) -> bool:
        """Whether this person may read every field of a path. Hidden ones count: they are left out of screens only."""
        *references, last = path.split(".")
        owner = self.definition.name
        for step in references:
            field = self.scope.readable(owner).get(step)
            if field is None or not field.target:
                return False
            owner = field.target
        return is_open(self.scope.readable(owner).get(last))


def is_open(field: Field | None) -> bool:
    """Whether its value is seen, not a mask of it."""
    return field is not None and not field.is_masked


def grouped(paths: Iterable[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """(account, region), (account, owner, name) -> {account: (region, owner.name)}."""
    found: dict[str, dict[str, None]] = {}
    for first, *rest in paths:
        if rest:
            found.setdefault(first, {})[".".join(rest)] = None
    return {first: tuple(rest) for first, rest in found.items()}

"""The rules of an object, compiled once per version: what is worked out, what a record must meet. Reads no record."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from engine.context import Context
from engine.contracts.function import Here
from engine.errors import InputProblem
from engine.formula.evaluate import Evaluate, Record, evaluator
from engine.process.automation.book import book_of
from engine.rules.messages import Message, Part, compiled
from engine.rules.reading import Needs, needs_of, own_fields, scale_of
from engine.snapshot import Snapshot
from engine.store.rows import columns_of
from metadata.formula import definition_names, parse
from metadata.formula.nodes import Fit, Node
from metadata.model import Field, Object, Validation

__all__ = [
    "Choosing", "Condition", "Demand", "Filter", "Rule", "Rulebook", "broken", "has_rules", "rulebook_of", "sources_of",
]  # fmt: skip

LOG = logging.getLogger("fieldstone.rules")


@dataclass(frozen=True, slots=True)
class Condition:
    """A formula over a record."""

    what: str  # "require_if of 'reason'": as a refusal and the log name it
    node: Node
    evaluate: Evaluate
    reads: frozenset[str]  # the record's own fields that it depends on

    def value(self, here: Here, record: Record, prior: Record | None) -> object:
        return self.evaluate(here, record, prior)

    def holds(self, here: Here, record: Record, prior: Record | None) -> bool:
        return self.evaluate(here, record, prior) is True


@dataclass(frozen=True, slots=True)
class Demand:
    """A field that must have a value: always, or where `when` holds; never while it is hidden."""

    field: str
    when: Condition | None
    shown: Condition | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Choosing:
    """A field with choices, and which of them its record's type and another choice let it have."""

    field: Field
    by_type: Mapping[str, frozenset[str]]  # record type -> choices; types that say nothing are not here
    governor: str  # "" where it depends on none
    only_for: Mapping[str, frozenset[str]]  # choice -> values of the governor


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a reference may lead to."""

    field: Field
    condition: Condition  # over the record behind the reference
    reads: frozenset[str]  # of the record that refers


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation. `lines`: the object whose records it is about one by one."""

    validation: Validation
    error_if: Condition
    unless: Condition | None
    is_late: bool  # asked when lines and roll-ups are written
    lines: str = ""
    line_needs: Needs = field(default_factory=Needs)
    message: Message = field(default_factory=dict)

    @property
    def reads(self) -> frozenset[str]:
        return self.error_if.reads | (self.unless.reads if self.unless else frozenset())


@dataclass(frozen=True, slots=True)
class Rulebook:
    object: str
    names: tuple[str, ...]  # of all stored fields
    defaults: tuple[tuple[str, Condition], ...]  # in the order in which they are worked out
    fetches: tuple[tuple[Field, str, str], ...]  # (field, reference, path behind it)
    once: tuple[str, ...]
    locks: tuple[tuple[str, Condition], ...]
    choosing: tuple[Choosing, ...]
    filters: tuple[Filter, ...]
    demands: tuple[Demand, ...]
    rules: tuple[Rule, ...]
    needs: Needs = field(default_factory=Needs)  # of all that is asked before the record is written
    late_needs: Needs = field(default_factory=Needs)

    @property
    def late_demands(self) -> tuple[Demand, ...]:
        return tuple(demand for demand in self.demands if demand.is_late)

    @property
    def late_rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.is_late)


def has_rules(definition: Object) -> bool:
    """Whether anything but its types is asked of the object's values."""
    return bool(definition.validations or any(one.choices for one in definition.record_types)) or any(
        (one.show_if and one.is_required) or one.require_if or one.lock_if or one.default_formula or one.fetch
        or one.depends_on or one.is_set_once or (one.filter and one.is_written)
        for one in definition.fields.values()
    )  # fmt: skip


def rulebook_of(snapshot: Snapshot, object_name: str) -> Rulebook | None:
    """None for an object that has no rules, no automations and no workflow."""
    key = ("rulebook", object_name)
    if key not in snapshot.cache:
        definition = snapshot.definitions.objects[object_name]
        is_asked = has_rules(definition) or book_of(snapshot, object_name) is not None
        snapshot.cache[key] = _Compiler(snapshot, definition).rulebook() if is_asked else None
    found: Rulebook | None = snapshot.cache[key]
    return found


def sources_of(snapshot: Snapshot, object_name: str) -> frozenset[str]:
    """Objects whose records defaults and fetched values of this one's are taken from."""
    book, definition = rulebook_of(snapshot, object_name), snapshot.definitions.objects[object_name]
    if book is None or not (book.defaults or book.fetches):
        return frozenset()
    return frozenset(one.target for name in book.needs.paths if (one := definition.fields.get(name)) is not None)


class _Compiler:
    def __init__(self, snapshot: Snapshot, definition: Object) -> None:
        self.snapshot, self.definition, self.name = snapshot, definition, definition.name
        self.fields = [field for field in definition.fields.values() if field.is_written]

    def condition(self, text: str, what: str, wants: bool = True, has_prior: bool = True) -> Condition:
        snapshot = self.snapshot
        names = definition_names(snapshot.definitions.objects, self.name)
        node = parse(
            text, names, functions=snapshot.plugins.functions, wants="boolean" if wants else None, has_prior=has_prior
        )  # fmt: skip
        return Condition(what, node, evaluator(node, snapshot.plugins.functions), own_fields(snapshot, self.name, node))

    def rulebook(self) -> Rulebook:
        locks = [
            (one.name, self.condition(one.lock_if, f"lock_if of '{one.name}'")) for one in self.fields if one.lock_if
        ]
        found = Rulebook(
            object=self.name,
            names=tuple(name for name in columns_of(self.snapshot, self.name)),
            defaults=tuple(self.defaults()),
            fetches=tuple((one, *one.fetch.partition(".")[::2]) for one in self.fields if one.fetch),
            once=tuple(one.name for one in self.fields if one.is_set_once),
            locks=tuple(locks),
            choosing=tuple(self.choosing()),
            filters=tuple(self.filters()),
            demands=tuple(self.demands()),
            rules=tuple(self.rule(one) for one in self.definition.validations),
        )
        object.__setattr__(found, "needs", self.needs(found, is_late=False))
        object.__setattr__(found, "late_needs", self.needs(found, is_late=True))
        return found

    def defaults(self) -> Iterator[tuple[str, Condition]]:
        """Those that others read come first; a circle was refused when the definitions were checked."""
        waiting = {one.name: self.default(one) for one in self.fields if one.default_formula}
        while waiting:
            free = [name for name, one in waiting.items() if not (one.reads & waiting.keys()) - {name}]
            for name in free or list(waiting)[:1]:
                yield name, waiting.pop(name)

    def default(self, one: Field) -> Condition:
        found = self.condition(one.default_formula, f"the default of '{one.name}'", False, False)
        scale = scale_of(self.snapshot, one)
        if scale is None:
            return found
        return replace(found, evaluate=evaluator(Fit(found.node, scale), self.snapshot.plugins.functions))

    def choosing(self) -> Iterator[Choosing]:
        """In an order in which what governs others comes before them."""
        governed = {one.name: one.depends_on for one in self.fields if one.choices}
        for one in sorted((one for one in self.fields if one.choices), key=lambda one: chain(one.name, governed)):
            types = [kind for kind in self.definition.record_types if one.name in kind.choices]
            by_type = {kind.name: frozenset(kind.choices[one.name]) for kind in types}
            only_for = {choice.value: frozenset(choice.only_for) for choice in one.choices if choice.only_for}
            if by_type or (one.depends_on and only_for):
                yield Choosing(one, by_type, one.depends_on, only_for if one.depends_on else {})

    def filters(self) -> Iterator[Filter]:
        objects, functions = self.snapshot.definitions.objects, self.snapshot.plugins.functions
        for one in self.fields:
            target = one.target or next(iter(one.targets), "")
            if one.filter and target in objects:
                here, there = (definition_names(objects, name) for name in (self.name, target))
                node = parse(one.filter, there, functions=functions, outer=here)
                what, reads = f"the filter of '{one.name}'", own_fields(self.snapshot, self.name, node, one.name)
                yield Filter(one, Condition(what, node, evaluator(node, functions), reads), reads - {one.name})

    def demands(self) -> Iterator[Demand]:
        for one in self.fields:
            if not (one.require_if or (one.is_required and one.show_if)):
                continue
            when = self.condition(one.require_if, f"require_if of '{one.name}'") if one.require_if else None
            when = None if one.is_required else when
            shown = self.condition(one.show_if, f"show_if of '{one.name}'") if one.show_if else None
            asked = [part for part in (when, shown) if part is not None]
            yield Demand(one.name, when, shown, any(self.is_late(part) for part in asked))

    def rule(self, said: Validation) -> Rule:
        what = f"the rule '{said.name}'"
        if said.each:
            lines = self.definition.fields[said.each]
            return self.rule_of_lines(said, what, lines.of, lines.by)
        error_if = self.condition(said.error_if, what)
        unless = self.condition(said.unless, f"'unless' of {what}") if said.unless else None
        names = definition_names(self.snapshot.definitions.objects, self.name)
        message = compiled(self.snapshot, said, names, has_prior=True)
        is_late = any(self.is_late(part) for part in (error_if, unless) if part is not None) or any(
            self._is_late(name) for node in nodes_of(message) for name in own_fields(self.snapshot, self.name, node)
        )
        return Rule(said, error_if, unless, is_late, message=message)

    def rule_of_lines(self, said: Validation, what: str, lines: str, by: str) -> Rule:
        snapshot = self.snapshot
        names = definition_names(snapshot.definitions.objects, lines, by)

        def condition(text: str, what: str) -> Condition:
            node = parse(text, names, functions=snapshot.plugins.functions)
            return Condition(what, node, evaluator(node, snapshot.plugins.functions), frozenset())

        error_if = condition(said.error_if, what)
        unless = condition(said.unless, f"'unless' of {what}") if said.unless else None
        message = compiled(snapshot, said, names, has_prior=False)
        nodes = [(part.node, "") for part in (error_if, unless) if part is not None]
        nodes += [(node, "") for node in nodes_of(message)]
        return Rule(said, error_if, unless, True, lines, needs_of(snapshot, lines, nodes), message)

    def is_late(self, condition: Condition) -> bool:
        """Whether it reads what is known only when the record and its lines are written."""
        return any(self._is_late(name) for name in condition.reads)

    def _is_late(self, name: str) -> bool:
        one = self.definition.fields.get(name)
        if one is None:
            return False
        return (
            one.source in ("rollup", "lines", "inverse") or self.snapshot.plugins.fields[one.type].generate is not None
        )

    def needs(self, book: Rulebook, is_late: bool) -> Needs:
        parts = [
            one
            for rule in book.rules
            if rule.is_late is is_late and not rule.lines
            for one in (rule.error_if, rule.unless)
        ]
        parts += [one for demand in book.demands if demand.is_late is is_late for one in (demand.when, demand.shown)]
        rules = [rule for rule in book.rules if rule.is_late is is_late and not rule.lines]
        said = [(node, "") for rule in rules for node in nodes_of(rule.message)]
        if is_late:
            return needs_of(self.snapshot, self.name, [*((part.node, "") for part in parts if part is not None), *said])
        parts += [condition for _, condition in (*book.defaults, *book.locks)]
        nodes = [*((part.node, "") for part in parts if part is not None), *said]
        nodes += [(one.condition.node, one.field.name) for one in book.filters]
        return needs_of(self.snapshot, self.name, nodes, [one.fetch for one, _, _ in book.fetches])


def nodes_of(message: Message) -> list[Node]:
    return [part.node for parts in message.values() for part in parts if isinstance(part, Part)]


def chain(name: str, governed: Mapping[str, str]) -> int:
    """How many choices stand above one; a circle was refused when the definitions were checked."""
    seen: set[str] = set()
    while governed.get(name) and name not in seen:
        seen.add(name)
        name = governed[name]
    return len(seen)


def broken(ctx: Context, book: Rulebook, condition: Condition, path: str = "") -> InputProblem:
    """Called where a formula raised: what cannot be asked is never taken for "no"."""
    LOG.exception("%s of '%s' cannot be evaluated in version %d", condition.what, book.object, ctx.snapshot.version)
    message = f"{condition.what} cannot be evaluated, so the record cannot be saved"
    return InputProblem(
        path, "validation.broken", message, "ask an administrator to mend it", (("rule", condition.what),)
    )

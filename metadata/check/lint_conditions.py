"""Which conditions are the same for every record? And: where conditions and formulas stand in the packages given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from metadata.check.facts import Facts
from metadata.document import Document, show
from metadata.formula import Aggregate, Compare, Const, FormulaError, Node, Path, walk
from metadata.formula.nodes import parts
from metadata.formula.ranges import truth
from metadata.model import ValueType
from metadata.problem import Problem

__all__ = ["Condition", "check", "formulas"]

Steps = tuple[str | int, ...]

UNREAD = Const(None, "null")

# What follows from a condition that is never true, and from one that always is; and what to type.
NEVER: Mapping[str, str] = {
    "show_if": "is never shown", "require_if": "is never required by it", "lock_if": "is never locked by it",
    "error_if": "never refuses anything", "unless": "always counts", "filter": "never holds a record",
    "rows": "lets nobody see a record", "when": "never takes a record", "submit_by": "can be submitted by nobody",
    "trigger": "is never started",
}  # fmt: skip
ALWAYS: Mapping[str, str] = {
    "show_if": "is always shown", "require_if": "is always required", "lock_if": "is always locked",
    "error_if": "refuses every record", "unless": "never counts", "filter": "holds every record",
    "rows": "lets everybody see every record", "when": "takes every record",
    "submit_by": "can be submitted whatever the record is", "trigger": "is started by no change, as it always held",
}  # fmt: skip
INSTEAD: Mapping[tuple[str, bool], str] = {
    ("require_if", True): "write 'required: true' in its place",
    ("lock_if", True): "write 'read_only: true' in its place",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """A formula where it stands. `role` is its key; `what` is the thing that it is about, as a sentence names it."""

    document: Document
    steps: Steps
    role: str
    what: str
    object: str  # over which it is
    text: str
    wants: ValueType | None = "boolean"
    has_prior: bool = False
    outer: str = ""  # the object whose record `record.x` asks
    master: str = ""  # the reference that is `parent`
    node: Node = UNREAD


def check(facts: Facts) -> Iterator[Problem]:
    for one in formulas(facts):
        if not may_be_decided(one.node):
            continue
        found = truth(one.node) if one.role in NEVER else None
        if found is not None:
            yield whole(facts, one, found)
        else:
            for node, value in decided(one.node):
                at = facts.within(one.document.at(*one.steps), one.text, node.column)
                code = "condition.always" if value else "condition.never"
                message = f"a part of {show(one.text)} is {'always' if value else 'never'} true, from here on"
                yield Problem(at, code, message, "leave the part out, or mend it", "warning")


def may_be_decided(node: Node) -> bool:
    """Whether a field is asked twice, or a literal stands where it alone decides. Most conditions end here."""
    seen: set[tuple[str, ...]] = set()
    for part in walk(node):
        if isinstance(part, Path):
            if part.steps in seen:
                return True
            seen.add(part.steps)
        elif isinstance(part, Const):
            if part.type == "boolean" or isinstance(part.value, Decimal):
                return True
        elif isinstance(part, Compare) and not isinstance(part.left, Path) and not isinstance(part.right, Path):
            return True
    return False


def whole(facts: Facts, one: Condition, value: bool) -> Problem:
    at = facts.within(one.document.at(*one.steps), one.text, one.node.column)
    follows = (ALWAYS if value else NEVER)[one.role]
    word, code = ("always", "condition.always") if value else ("never", "condition.never")
    fix = INSTEAD.get((one.role, value), f"leave '{one.role}' out, or mend it")
    return Problem(at, code, f"{show(one.text)} is {word} true: {one.what} {follows}", fix, "warning")


def decided(node: Node) -> Iterator[tuple[Node, bool]]:
    """The largest parts that do not depend on the record. `true` and `false` themselves are meant."""
    found = truth(node) if node.type == "boolean" and not isinstance(node, Const) else None
    if found is not None:
        yield node, found
        return
    for part in (*parts(node), *((node.inner,) if isinstance(node, Aggregate) and node.inner else ())):
        yield from decided(part)


def formulas(facts: Facts) -> Iterator[Condition]:
    """All formulas of the packages given that can be read."""
    for one in written(facts):
        names, outer = facts.names(one.object, one.master), facts.names(one.outer) if one.outer else None
        try:
            node = facts.read(one.text, names, wants=one.wants, has_prior=one.has_prior, outer=outer)
        except FormulaError:
            continue  # the checks said so
        yield replace(one, node=node)


def written(facts: Facts) -> Iterator[Condition]:
    yield from in_fields(facts)
    yield from in_objects(facts)
    yield from in_layouts(facts)
    yield from in_approvals(facts)
    for view in facts.assembly.views:
        if view.built.filter and view.package in facts.given:
            name, object_ = view.built.name, view.built.object
            if object_ in facts.objects:
                yield Condition(view.document, ("filter",), "filter", f"the view '{name}'", object_, view.built.filter)
    for role in (*facts.assembly.roles, *facts.assembly.permission_sets):
        for grant in role.built.grants if role.package in facts.given else ():
            if grant.rows and (grant.object == "*" or grant.object in facts.objects):
                steps = ("objects", grant.object, "rows")
                what = f"the {role.document.kind.replace('_', ' ')} '{role.built.name}'"
                yield Condition(role.document, steps, "rows", what, grant.object, grant.rows)
    shares = [(one.document, one.package, one.built.object, one.built.rows) for one in facts.assembly.sharing_rules]
    limits = [(one.document, one.package, one.built.object, one.built.rows) for one in facts.assembly.restriction_rules]
    for document, package, object_, rows in (*shares, *limits):
        if rows and package in facts.given and object_ in facts.objects:
            what = f"the {document.kind.replace('_', ' ')} '{document.name}'"
            yield Condition(document, ("rows",), "rows", what, object_, rows)


def in_approvals(facts: Facts) -> Iterator[Condition]:
    for item in facts.assembly.processes["approval"]:
        one = item.built
        if item.package not in facts.given or one.object not in facts.objects:
            continue
        said: list[tuple[Steps, str, bool]] = [
            (("when",), one.when, False), (("submit_by", "if"), one.submit_if, False),
            (("trigger", "update"), one.trigger_if, True),
        ]  # fmt: skip
        for steps, text, has_prior in said:
            if text:
                what = f"the approval '{one.name}'"
                yield Condition(item.document, steps, str(steps[0]), what, one.object, text, has_prior=has_prior)


def in_fields(facts: Facts) -> Iterator[Condition]:
    for item in facts.assembly.fields:
        field, document, here = item.built, item.document, item.steps
        if item.package not in facts.given:
            continue
        what = f"'{field.name}'"
        for key, text in (("show_if", field.show_if), ("require_if", field.require_if), ("lock_if", field.lock_if)):
            if text:
                yield Condition(document, (*here, key), key, what, item.owner, text, has_prior=True)
        if field.formula:
            yield Condition(document, (*here, "formula"), "formula", what, item.owner, field.formula, None)
        if field.default_formula:
            yield Condition(
                document, (*here, "default", "formula"), "default", what, item.owner, field.default_formula, None
            )
        over = field.of if field.source == "rollup" else field.target or next(iter(field.targets), "")
        if field.filter and over in facts.objects:
            outer = "" if field.source == "rollup" else item.owner
            yield Condition(document, (*here, "filter"), "filter", what, over, field.filter, outer=outer)


def in_objects(facts: Facts) -> Iterator[Condition]:
    for item in facts.assembly.objects:
        if item.package not in facts.given:
            continue
        object_ = item.built
        for number, rule in enumerate(object_.validations):
            lines = object_.fields.get(rule.each)
            over, master = (lines.of, lines.by) if lines is not None else (object_.name, "")
            for key, text in (("error_if", rule.error_if), ("unless", rule.unless)):
                if text and over in facts.objects:
                    what = f"the rule '{rule.name}'"
                    steps = ("validations", number, key)
                    yield Condition(item.document, steps, key, what, over, text, has_prior=not master, master=master)


def in_layouts(facts: Facts) -> Iterator[Condition]:
    for item in facts.assembly.layouts:
        if item.package not in facts.given or item.built.object not in facts.objects:
            continue
        tabs = item.document.data.get("tabs") or ()
        sections: list[tuple[Steps, object]] = [(("tabs", index), tab) for index, tab in enumerate(tabs)]
        for here, whole_ in [((), item.document.data), *sections]:
            if isinstance(whole_, dict):
                sections += [
                    ((*here, "sections", index), section) for index, section in enumerate(whole_.get("sections") or ())
                ]
        for here, data in sections:
            text = data.get("show_if") if isinstance(data, dict) else None
            if isinstance(text, str) and text:
                what = "the section" if "sections" in here else "the tab"
                yield Condition(
                    item.document, (*here, "show_if"), "show_if", what, item.built.object, text, has_prior=True
                )

"""Do conditions that part the values of a field leave one out, or take one twice? `> 50000` and `< 50000`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from metadata.check.facts import Facts
from metadata.check.lint_conditions import Condition, formulas
from metadata.document import show
from metadata.formula import And, Call, Const, Node
from metadata.formula.branches import branches
from metadata.formula.nodes import parts
from metadata.formula.ranges import Cut, Ranges, Values, about_one, flat, junction, words
from metadata.problem import Place, Problem

__all__ = ["check"]

GROUPED = frozenset({"show_if", "require_if", "lock_if", "error_if"})


@dataclass(frozen=True, slots=True)
class Part:
    """A condition over one field that is true for one stretch of its values."""

    condition: Condition
    column: int
    name: str  # of the field
    values: Values
    start: Cut | None
    end: Cut | None


def check(facts: Facts) -> Iterator[Problem]:
    found = list(formulas(facts))
    for one in found:
        if "IF" in one.text or " if " in one.text or "CASE" in one.text:
            for chain in chains(one.node):
                yield from chain_works(facts, one, chain)
            for case in calls(one.node, "CASE"):
                yield from case_works(facts, one, case)
    for group in groups(found):
        yield from parted(facts, group)


def calls(node: Node, name: str) -> Iterator[Call]:
    if isinstance(node, Call) and node.name == name:
        yield node
    for part in parts(node):
        yield from calls(part, name)


def chains(node: Node, is_inside: bool = False) -> Iterator[list[Call]]:
    """Each IF with those that stand in its "else" place, one in the other."""
    if isinstance(node, Call) and node.name == "IF":
        if not is_inside:
            chain, last = [node], node
            while len(last.args) == 3 and isinstance(last.args[2], Call) and last.args[2].name == "IF":
                last = last.args[2]
                chain.append(last)
            yield chain
        for number, part in enumerate(node.args):
            yield from chains(part, is_inside=number == 2)
        return
    for part in parts(node):
        yield from chains(part)


def chain_works(facts: Facts, one: Condition, chain: list[Call]) -> Iterator[Problem]:
    """The first branch that is true counts: one that comes too late never does. Without an else, a gap is blank."""
    tests = [call.args[0] for call in chain]
    found = branches(tests)
    if found is None or len(tests) < 2:
        return
    for number in found.hidden:
        if not found.takes[number].is_none():
            at = facts.within(one.document.at(*one.steps), one.text, tests[number].column)
            message = f"branch {number + 1} of {show(one.text)} is never reached: those before it take all its values"
            yield Problem(at, "branch.hidden", message, "put it before them, or leave it out", "warning")
    if not ends_blank(chain[-1]):
        return
    for gap in found.gaps:
        if gap.is_between and is_one_value(gap.values):
            at = facts.within(one.document.at(*one.steps), one.text, tests[0].column)
            name = ".".join(found.path.steps)
            message = f"{show(one.text)} gives blank where '{name}' is {words(gap.values)}: no branch is for that"
            yield Problem(at, "branch.gap", message, "write <= or >= in one of the two, or say what else", "warning")


def is_one_value(values: Values) -> bool:
    return isinstance(values.some, Ranges) and len(values.some.cuts) == 2 and words(values).startswith("exactly")


def ends_blank(call: Call) -> bool:
    return len(call.args) == 2 or (isinstance(call.args[2], Const) and call.args[2].value is None)


def case_works(facts: Facts, one: Condition, case: Call) -> Iterator[Problem]:
    """A value that is named twice."""
    seen: set[object] = set()
    for option in case.args[1:-1:2]:
        if not isinstance(option, Const) or option.value is None:
            continue
        if option.value in seen:
            at = facts.within(one.document.at(*one.steps), one.text, option.column)
            message = f"{show(str(option.value))} is there before: what stands behind it is never reached"
            yield Problem(at, "branch.hidden", message, "name each value once", "warning")
        seen.add(option.value)


def groups(found: Iterable[Condition]) -> Iterator[list[Part]]:
    """Conditions of one kind, over one field of one object, that take one stretch of its values each."""
    grouped: dict[tuple[object, ...], list[Part]] = {}
    for one in found:
        if one.role not in GROUPED:
            continue
        kind = one.document.name if one.document.kind == "layout" else ""
        part = part_of(one)
        if part is not None:
            grouped.setdefault((one.role, kind, one.object, part.name), []).append(part)
    yield from (group for group in grouped.values() if len(group) > 1)


def part_of(one: Condition) -> Part | None:
    """The condition itself; of a rule the one part of it that is about a stretch of numbers or dates."""
    items = [one.node]
    if one.role == "error_if" and (joined := junction(one.node)) and joined[0] is And:
        items = list(flat(And, joined[1]))
    found = [part for item in items if (part := stretch_of(one, item))]
    return found[0] if len(found) == 1 else None


def stretch_of(one: Condition, node: Node) -> Part | None:
    about = about_one(node)
    if about is None or not isinstance(about[1].some, Ranges) or about[1].has_blank:
        return None
    stretches = list(about[1].some.stretches())
    if len(stretches) != 1 or stretches[0] == (None, None):
        return None
    return Part(one, node.column, ".".join(about[0].steps), about[1], *stretches[0])


def parted(facts: Facts, group: list[Part]) -> Iterator[Problem]:
    """Two that meet at a value which neither or both take, and no third one minds it. 0 is often meant to be alone."""
    said: set[object] = set()
    for one in group:
        for other in group:
            if one.end is None or other.start is None or one.end[0] != other.start[0] or one.end[0] in said:
                continue
            value = one.end[0]
            is_gap, is_overlap = (one.end[1], other.start[1]) == (0, 1), (one.end[1], other.start[1]) == (1, 0)
            if not value or not (is_gap or is_overlap) or is_minded(value, one, other, group, is_gap=is_gap):
                continue
            said.add(value)
            yield told(facts, one, other, value, is_gap=is_gap)


def is_minded(value: object, one: Part, other: Part, group: list[Part], *, is_gap: bool) -> bool:
    """Of a gap: whether a third condition takes the value. Of an overlap: whether one ends below or begins above it."""
    others = [part for part in group if part is not one and part is not other]
    if is_gap:
        return any(isinstance(part.values.some, Ranges) and part.values.some.holds((value, 0)) for part in others)
    return any(part.start in ((value, 1), (value, 0)) and part.start != other.start for part in others) or any(
        part.end in ((value, 1), (value, 0)) and part.end != one.end for part in others
    )


def told(facts: Facts, one: Part, other: Part, value: object, *, is_gap: bool) -> Problem:
    pair = sorted(((place_of(facts, part), part) for part in (one, other)), key=lambda pair: pair[0])
    (there, first), (at, last) = pair
    where = f"line {there.line}" if there.file == at.file else f"{there.file}:{there.line}"
    before, here = f"{show(first.condition.text)} in {where}", show(last.condition.text)
    if is_gap:
        message = f"neither {before} nor {here} is true where '{one.name}' is {exactly(value)}"
        return Problem(at, "branch.gap", message, "write <= or >= in one of the two", "warning")
    message = f"{before} and {here} are both true where '{one.name}' is {exactly(value)}"
    return Problem(at, "branch.overlap", message, "write < or > in one of the two", "warning")


def place_of(facts: Facts, part: Part) -> Place:
    one = part.condition
    return facts.within(one.document.at(*one.steps), one.text, part.column)


def exactly(value: object) -> str:
    return words(Values(Ranges(False, ((value, 0), (value, 1))), False))

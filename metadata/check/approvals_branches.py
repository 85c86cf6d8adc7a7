"""Is there a branch for every record, and a record for every branch? Which of several approvals does a record take?"""

from collections.abc import Iterator
from itertools import combinations

from metadata.assemble import Item
from metadata.build.approvals import Steps, node_places
from metadata.check.facts import Facts
from metadata.document import Document
from metadata.formula import And, FormulaError
from metadata.formula import Node as Formula
from metadata.formula.branches import branches
from metadata.formula.ranges import truth, words
from metadata.problem import Problem
from metadata.processes import Approval, Node, nodes_in

__all__ = ["branches_fit", "priorities_differ"]


def branches_fit(facts: Facts, item: Item[Approval]) -> Iterator[Problem]:
    document = item.document
    for (here, _, _), node in zip(node_places(document), nodes_in(item.built.flow), strict=True):
        if node.type in ("condition", "inclusive", "parallel"):
            yield from branches_say_when(document, here, node)
        if node.type in ("condition", "inclusive"):
            yield from conditions_part(facts, item, here, node)


def branches_say_when(document: Document, here: Steps, node: Node) -> Iterator[Problem]:
    """`when` or `else`, not both; only one `else`; of a parallel node neither."""
    others = [place for place, branch in enumerate(node.branches) if branch.is_else]
    for place, branch in enumerate(node.branches):
        at = document.at(*here, "branches", place)
        if node.type == "parallel" and (branch.when or branch.is_else):
            message = f"'{node.name}' takes all its branches, so '{branch.name}' cannot have a condition"
            yield Problem(at, "approval.branch", message, "write 'inclusive' in place of 'parallel'")
        elif node.type != "parallel" and branch.when and branch.is_else:
            message = f"'{branch.name}' has a condition, and is taken where no other branch is"
            yield Problem(at, "approval.branch", message, "leave out 'when' or 'else'")
        elif node.type != "parallel" and not branch.when and not branch.is_else:
            message = f"'{branch.name}' does not say for which records it is"
            yield Problem(at, "approval.branch", message, "add 'when: …' or 'else: true'")
        elif branch.is_else and place != others[0]:
            message = f"'{node.name}' has two branches for what no other is for"
            yield Problem(at, "approval.branch", message, "give one of them 'when: …'")


def conditions_part(facts: Facts, item: Item[Approval], here: Steps, node: Node) -> Iterator[Problem]:
    document, object_ = item.document, item.built.object
    asked = [(place, branch) for place, branch in enumerate(node.branches) if branch.when]
    trees = [read(facts, branch.when, object_) for _, branch in asked]
    known = [tree for tree in trees if tree is not None]
    if len(known) < len(trees) or (not trees and node.type == "inclusive"):
        return
    found = branches(known)
    for number, tree in enumerate(known):
        place, branch = asked[number]
        at = document.at(*here, "branches", place, "when")
        is_hidden = node.type == "condition" and found is not None and number in found.hidden
        if truth(tree) is False or is_hidden:
            why = "those before it take all its records" if is_hidden and truth(tree) is None else "no record fits it"
            message = f"the branch '{branch.name}' is never taken: {why}"
            yield Problem(at, "approval.branch.hidden", message, "leave it out, or mend its condition", "warning")
        elif node.type == "condition" and found is not None:
            for overlap in found.overlaps:
                if overlap.second == number and overlap.first not in found.hidden:
                    first, name = asked[overlap.first][1].name, ".".join(found.path.steps)
                    message = (
                        f"'{first}' and '{branch.name}' both fit where '{name}' is {words(overlap.values)}; "
                        f"'{first}' is taken, because it comes first"
                    )
                    yield Problem(at, "approval.branch.overlap", message, "part their conditions", "warning")
    is_complete = any(branch.is_else for branch in node.branches) or any(truth(tree) is True for tree in known)
    if node.type == "inclusive" or is_complete:
        return
    at = document.at(*here, "branches")
    if found is None:
        message = f"'{node.name}' has no branch for a record that fits none of its conditions"
    else:
        field = found.path.fields[-1]
        blank = () if found.takes_blank or (field.is_required and len(found.path.steps) == 1) else ("blank",)
        missing = [*(words(gap.values) for gap in found.gaps), *blank]
        if not missing:
            return
        message = f"'{node.name}' has no branch where '{'.'.join(found.path.steps)}' is {' or '.join(missing)}"
    yield Problem(at, "approval.branch.gap", message, "add '- {branch: …, else: true, flow: []}'")


def read(facts: Facts, text: str, object_: str) -> Formula | None:
    """None where it cannot be read, which was said."""
    if object_ not in facts.objects:
        return None
    try:
        return facts.read(text, facts.names(object_))
    except FormulaError:
        return None


def priorities_differ(facts: Facts) -> Iterator[Problem]:
    """Of two approvals that a record may take in one group, on one occasion, one comes first."""
    items = [item for item in facts.assembly.processes["approval"] if item.built.is_active and item.built.object]
    for one, other in combinations(items, 2):
        first, last = one.built, other.built
        is_same = occasion(first) == occasion(last) and first.priority == last.priority
        if not is_same or {one.package, other.package}.isdisjoint(facts.given) or are_apart(facts, first, last):
            continue
        there = one.document.at("approval")
        message = (
            f"'{first.name}' ({there.file}:{there.line}) and '{last.name}' may both fit a record, "
            f"and both have the priority {last.priority}"
        )
        at = other.document.at("priority" if "priority" in other.document.data else "approval")
        fix = f"write 'priority: {last.priority + 10}' in the one that comes second"
        yield Problem(at, "approval.priority", message, fix, "warning")


def occasion(approval: Approval) -> tuple[str, str, str]:
    return approval.object, approval.group or approval.object, approval.trigger


def are_apart(facts: Facts, first: Approval, last: Approval) -> bool:
    """Whether no record can fit both; also where a condition cannot be read."""
    if not first.when or not last.when:
        return False
    one, other = read(facts, first.when, first.object), read(facts, last.when, last.object)
    return one is None or other is None or truth(And((one, other))) is False

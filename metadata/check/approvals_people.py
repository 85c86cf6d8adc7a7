"""Will every node of an approval find people who may decide, and can they come to a decision?"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from metadata.assemble import Item
from metadata.build.approvals import Steps, node_places
from metadata.check.approvals_found import Source, leads_to_nobody, somebody_is_certain
from metadata.check.facts import Facts, steps_value
from metadata.document import Document, show
from metadata.formula import Actor, Compare, FormulaError, Path
from metadata.problem import Problem
from metadata.processes import Approval, Node, nodes_in

__all__ = ["people_are_found", "threshold_of"]


def people_are_found(facts: Facts, item: Item[Approval]) -> Iterator[Problem]:
    document, is_first = item.document, True
    for (here, _, _), node in zip(node_places(document), nodes_in(item.built.flow), strict=True):
        if node.type not in ("approve", "handle"):
            continue
        yield from mode_fits(document, here, node)
        sources = known(facts, node)
        if len(sources) < len(node.approvers):
            continue  # said where they stand
        yield from somebody_is_found(facts, item, here, node, sources)
        yield from somebody_chooses(item, here, node, sources)
        yield from another_is_asked(facts, item, here, node, sources)
        if is_first and any(kind.asks == "previous" for kind, _, _ in sources):
            message = f"nobody has approved before '{node.name}', so nobody chooses who is asked there"
            at = document.at(*here, "approvers")
            yield Problem(at, "approval.people.previous", message, "write 'chosen_by_submitter: {}'")
        if node.mode == "vote":
            yield from vote_is_reached(document, here, node, sources)
        if node.mode == "per_group":
            yield from groups_are_there(facts, document, here, node, sources)
        is_first = False


def known(facts: Facts, node: Node) -> list[Source]:
    """(what it is, where it is used, its options) of sources that exist and have options that fit."""
    found = []
    for part in node.approvers:
        kind = facts.parts.approvers.get(part.kind)
        options = kind.given(part.options) if kind else {}
        required: object = kind.schema.get("required", ()) if kind else ()
        if kind is not None and isinstance(required, (list, tuple)) and all(name in options for name in required):
            found.append((kind, part, options))
    return found


def mode_fits(document: Document, here: Steps, node: Node) -> Iterator[Problem]:
    """Options that have no effect in the node's mode."""
    rejects = {"any": ("veto", "all_must_reject"), "all": ("veto", "wait"), "sequence": ("veto", "wait")}
    if node.reject != "veto" and node.reject not in rejects.get(node.mode, ()):
        message = f"'reject: {node.reject}' has no effect in the mode '{node.mode}'"
        known = rejects.get(node.mode)
        fix = f"write one of {', '.join(known)}" if known else "leave it out"
        yield Problem(document.at(*here, "reject"), "approval.mode", message, fix, "warning")
    for part in node.approvers:
        for key, is_said, mode in (("weight", part.weight != 1, "vote"), ("group", bool(part.group), "per_group")):
            if is_said and node.mode != mode:
                message = f"'{key}' has no effect in the mode '{node.mode}'"
                yield Problem(part.place, "approval.mode", message, f"write 'mode: {{{mode}: …}}'", "warning")


def somebody_is_found(
    facts: Facts, item: Item[Approval], here: Steps, node: Node, sources: list[Source]
) -> Iterator[Problem]:
    """Where nobody may be found, the definition says what then: a refusal that nobody thought of is a surprise."""
    document = item.document
    said = steps_value(document, here)
    if isinstance(said, dict) and "empty" in said:
        return
    reasons = []
    for kind, part, options in sources:
        path = leads_to_nobody(kind, options)
        lacks = f"'{path}' is blank" if path else kind.lacks(options) if kind.lacks else ""
        why = f"{show(part.when)} is false" if part.when else lacks
        if not why:
            return
        reasons.append(why)
    if somebody_is_certain(facts, item.built, document, here, sources):
        return
    message = f"'{node.name}' finds nobody, which is refused, when {' and '.join(dict.fromkeys(reasons))}"
    fix = "write 'empty: admin' or 'empty: skip'; or 'empty: refuse' if that is meant"
    yield Problem(document.at(*here, node.type), "approval.people.none", message, fix, "warning")


def somebody_chooses(item: Item[Approval], here: Steps, node: Node, sources: list[Source]) -> Iterator[Problem]:
    """What a save begins has no dialog, in which the submitter would choose."""
    approval = item.built
    by_submitter = [kind.is_chosen and kind.asks != "previous" for kind, _, _ in sources]
    if approval.trigger == "button" or node.empty != "refuse" or not sources or not all(by_submitter):
        return
    is_always = node in approval.flow
    how = "it could never begin" if is_always else "it is refused where its way leads there"
    message = f"a save begins '{approval.name}', where nobody chooses whom '{node.name}' asks: {how}"
    at = item.document.at(*here, "approvers")
    fix = "name somebody else, or write 'empty: admin', or leave 'trigger' out"
    yield Problem(at, "approval.people.chosen", message, fix, "error" if is_always else "warning")


def another_is_asked(
    facts: Facts, item: Item[Approval], here: Steps, node: Node, sources: list[Source]
) -> Iterator[Problem]:
    """That it is not only the submitter who approves, or the submitter alone with nobody asked in their place."""
    is_own = is_owner(facts, item.built)
    alone = sources and all(kind.asks == "submitter" or (kind.asks == "owner" and is_own) for kind, _, _ in sources)
    if not alone or node.type == "handle" or node.self_approval in ("superior", "department_head"):
        return
    says = {
        "self": "who thereby approves their own submission",
        "skip": "for whom it is skipped, so nobody ever decides",
        "forbid": "who may not decide it, so it is always refused",
    }[node.self_approval]
    message = f"'{node.name}' asks nobody but the submitter, {says}"
    at = item.document.at(*here, node.type)
    yield Problem(at, "approval.people.self", message, "name somebody else below 'approvers'", "warning")


def is_owner(facts: Facts, approval: Approval) -> bool:
    """Whether the submitter is always the owner: `submit_by: {if: owner == user.id}`."""
    if not approval.submit_if or approval.object not in facts.objects:
        return False
    try:
        tree = facts.parsed(approval.submit_if, approval.object)
    except FormulaError:
        return False
    if not isinstance(tree, Compare) or tree.op != "==":
        return False
    sides = (tree.left, tree.right)
    has_owner = any(isinstance(side, Path) and side.steps == ("owner",) for side in sides)
    return has_owner and any(isinstance(side, Actor) and side.attribute == "id" for side in sides)


def threshold_of(text: str) -> tuple[Fraction | None, int | None]:
    """A share of all weights, or a number of them: "60%", "2/3", "3"; (None, None) where it is neither."""
    try:
        if text.endswith("%"):
            return Fraction(Decimal(text[:-1])) / 100, None
        if "/" in text:
            return Fraction(text), None
        return None, int(text)
    except (ValueError, ArithmeticError):
        return None, None


def most_of(sources: list[Source], *, is_weighed: bool) -> int | None:
    """How many people, or what weight, at most; None where that is not fixed."""
    total = 0
    for kind, part, options in sources:
        count = kind.most(options) if kind.most else None
        if count is None:
            return None
        total += count * (part.weight if is_weighed else 1)
    return total


def vote_is_reached(document: Document, here: Steps, node: Node, sources: list[Source]) -> Iterator[Problem]:
    at = document.at(*here, "mode", "vote")
    share, number = threshold_of(node.threshold)
    if share is None and number is None:
        yield Problem(at, "approval.vote", f"'{node.threshold}' is no threshold", "write '60%', '2/3' or a number")
    elif share is not None and not 0 < share <= 1:
        message = f"the threshold of '{node.name}' is {node.threshold} of all votes"
        yield Problem(at, "approval.vote", message, "write a share above 0 and up to 100%")
    elif number is not None:
        most = most_of(sources, is_weighed=True)
        if number < 1:
            yield Problem(at, "approval.vote", f"'{node.name}' needs no votes at all", "write a number above 0")
        elif most is not None and number > most:
            message = f"'{node.name}' needs votes of the weight {number}, and all together have {most} at most"
            yield Problem(at, "approval.vote", message, f"write {most} or less, or a share such as '60%'")


def groups_are_there(
    facts: Facts, document: Document, here: Steps, node: Node, sources: list[Source]
) -> Iterator[Problem]:
    for _, part, _ in sources:
        if part.group not in node.groups:
            if part.group:
                yield facts.no_such("group", part.group, node.groups, at=part.place, code="approval.group",
                                    within=node.name)  # fmt: skip
            else:
                message = f"'{part.kind}' is in no group of '{node.name}'"
                known = ", ".join(node.groups)
                yield Problem(part.place, "approval.group", message, f"add 'group: …', one of {known}")
    for group, least in node.groups.items():
        members = [source for source in sources if source[1].group == group]
        at = document.key(*here, "mode", "per_group", group)
        if not members:
            message = f"nobody is asked for the group '{group}', of which {least} must approve"
            yield Problem(at, "approval.group", message, f"add 'group: {group}' to one of the approvers")
            continue
        most = most_of(members, is_weighed=False)
        if most is not None and least > most:
            message = f"{least} of the group '{group}' must approve, and {most} at most are asked"
            yield Problem(at, "approval.group", message, f"write {most} or less")

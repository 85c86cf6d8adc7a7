"""What comes next, as far as it can be foreseen: the record as it is now, and people as they are now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.errors import EngineError
from engine.process.approval import ports
from engine.process.approval.asking import SPARED, no_approver, rule_for, slots_for
from engine.process.approval.chart import FORKS
from engine.process.approval.conditions import true_branches, with_words
from engine.process.approval.refusals import no_choice
from engine.process.approval.work import Work
from metadata.processes import Node

__all__ = ["Ahead", "ahead", "from_start", "need_approvers", "path_from", "to_choose"]

MOST = 200  # nodes


@dataclass(frozen=True, slots=True)
class Ahead:
    node: str
    type: str
    users: tuple[str, ...] = ()
    is_chosen: bool = False  # somebody still chooses whom
    is_empty: bool = False  # nobody is there now
    is_short: bool = False  # ... or too few to approve
    is_later: bool = False  # who is asked is chosen by who approves before it


def need_approvers(w: Work) -> None:
    """Raises Conflict where a node on the way has nobody whom it could ask, and wants that refused, or too few, and
    BadInput where that is because nobody was chosen."""
    for one in ahead(w):
        node = w.chart.node(one.node)
        if one.is_empty and not one.is_later and node.empty == "refuse":
            raise no_choice(node) if one.is_chosen else no_approver(node)
        if one.is_short and not one.is_later:
            raise no_approver(node, "too few are there to approve at")


def ahead(w: Work) -> list[Ahead]:
    """Nodes after those that are active, in the order in which they would be entered."""
    starts = [run.node for run in w.state.active() if w.node_of(run).type not in FORKS]
    seen: set[str] = set(starts)
    found: list[Ahead] = []
    for name in starts:
        for one in following(w, name):
            for node in path_from(w, one, seen):
                found.append(told(w, node))
    return found


def from_start(w: Work) -> list[Ahead]:
    return [told(w, node) for node in path_from(w, w.chart.first, set())]


def to_choose(w: Work, nodes: Sequence[str], who: str) -> Iterator[tuple[str, ports.Choice]]:
    """(node, what is to be chosen for it) of those of which `who`, submitter or previous, chooses who is asked."""
    sources = w.snapshot.plugins.approvers
    for name in nodes:
        with with_words(w, f"who is asked at '{name}'"):
            choices = ports.chosen_for(w, w.chart.node(name))
        for choice in choices:
            if (sources[choice.source].asks or "submitter") == who:
                yield name, choice


def following(w: Work, name: str) -> Iterator[str]:
    """What comes after a node, beyond the joins of forks."""
    while True:
        kind, target = w.chart.following(name)
        if kind == "node":
            yield target
            return
        if kind == "end":
            return
        name = target


def path_from(w: Work, name: str, seen: set[str]) -> Iterator[Node]:
    """Nodes from this one on, each once."""
    while name and name not in seen and len(seen) < MOST:
        seen.add(name)
        node = w.chart.node(name)
        if node.type in ("condition", "inclusive", "parallel"):
            yield from branches_from(w, node, seen)
            name = next(iter(after(w, name)), "") if node.type != "condition" or not taken(w, node) else ""
            continue
        yield node
        if node.type == "end":
            return
        kind, target = w.chart.following(name)
        name = target if kind == "node" else ""  # a join is gone on from where its fork is


def taken(w: Work, node: Node) -> bool:
    """Whether a branch with something in it is taken: it leads to what comes after the condition by itself."""
    names = true_branches(w, node.name, is_exclusive=True)
    return any(branch.flow for branch in node.branches if branch.name in names)


def branches_from(w: Work, node: Node, seen: set[str]) -> Iterator[Node]:
    names = [branch.name for branch in node.branches]
    if node.type != "parallel":
        names = true_branches(w, node.name, is_exclusive=node.type == "condition")
    for branch in node.branches:
        if branch.name in names and branch.flow:
            yield from path_from(w, branch.flow[0].name, seen)


def after(w: Work, name: str) -> Iterator[str]:
    kind, target = w.chart.following(name)
    if kind == "node":
        yield target


def told(w: Work, node: Node) -> Ahead:
    if node.type not in ("approve", "handle"):
        return Ahead(node.name, node.type)
    sources = w.ctx.snapshot.plugins.approvers
    chosen = [sources[part.kind].asks for part in node.approvers
              if part.kind in sources and sources[part.kind].is_chosen]  # fmt: skip
    is_chosen, is_later = bool(chosen), "previous" in chosen
    try:
        slots = slots_for(w, node)
    except EngineError:
        return Ahead(node.name, node.type, is_chosen=is_chosen, is_empty=True, is_later=is_later)
    users = tuple(
        dict.fromkeys(user for slot in slots if not slot.skipped for user in (slot.user or "", *slot.queue) if user)
    )
    is_skipped = bool(slots) and {slot.skipped for slot in slots} <= SPARED
    is_short = rule_for(node, slots)[1]
    return Ahead(node.name, node.type, users, is_chosen, not users and not is_skipped, is_short, is_later)

"""Does an approval come to an end on every way, and is each of its nodes on one?"""

from collections.abc import Iterator, Sequence
from typing import Any

from metadata.assemble import Item
from metadata.build.approvals import Steps, node_places
from metadata.check.approvals_graph import FINISH, Graph, graph_of
from metadata.check.facts import Facts, steps_value
from metadata.document import Document
from metadata.problem import Place, Problem
from metadata.processes import Approval, Node

__all__ = ["flow_works"]

PEOPLE = ("approve", "handle")
WAITING = (*PEOPLE, "delay", "subprocess")
RETURNS = ("start", "previous", "any")
Places = Sequence[Steps]


def flow_works(facts: Facts, item: Item[Approval]) -> Iterator[Problem]:
    document, approval = item.document, item.built
    places = [here for here, _, _ in node_places(document)]
    graph = graph_of(approval.flow)
    if not any(node.type in (*PEOPLE, "subprocess") for node in graph.nodes):
        message = f"nobody is asked in '{approval.name}': it has no node 'approve' or 'handle'"
        yield Problem(document.key("flow"), "approval.nobody", message, "write '- approve: …' below 'flow'")
    yield from names_are_free(graph, document, places)
    yield from names_lead_on(facts, graph, document, places)
    yield from returns_are_possible(facts, graph, document, places)
    reached = graph.reached([graph.first()])
    yield from all_reached(graph, document, places, reached)
    yield from all_end(graph, document, places, reached)


def at_name(document: Document, here: Steps, node: Node) -> Place:
    return document.at(*here, node.type)


def names_are_free(graph: Graph, document: Document, places: Places) -> Iterator[Problem]:
    for number, node in enumerate(graph.nodes):
        first = graph.by_name[node.name]
        if first != number and node.name not in ("approved", "rejected"):
            there = at_name(document, places[first], graph.nodes[first])
            message = f"two nodes are called '{node.name}': here and in line {there.line}"
            yield Problem(at_name(document, places[number], node), "approval.node.twice", message, "rename one of them")
        seen: set[str] = set()
        for place, branch in enumerate(node.branches):
            if branch.name in seen:
                at = document.at(*places[number], "branches", place, "branch")
                message = f"two branches of '{node.name}' are called '{branch.name}'"
                yield Problem(at, "approval.node.twice", message, "rename one of them")
            seen.add(branch.name)


def names_lead_on(facts: Facts, graph: Graph, document: Document, places: Places) -> Iterator[Problem]:
    for number, node in enumerate(graph.nodes):
        if not node.next:
            continue
        at = document.at(*places[number], "next")
        if node.next not in graph.by_name:
            yield facts.no_such("node", node.next, graph.by_name, at=at, code="approval.node.unknown")
        elif graph.regions[graph.by_name[node.next]] != graph.regions[number]:
            message = f"'{node.name}' cannot go on with '{node.next}': a parallel branch is between them"
            yield Problem(at, "approval.next", message, "name a node of the same branch")


def returns_are_possible(facts: Facts, graph: Graph, document: Document, places: Places) -> Iterator[Problem]:
    for number, node in enumerate(graph.nodes):
        if node.type not in PEOPLE:
            continue
        said = said_at(document, places[number]).get("may_return_to")
        for index, target in enumerate(node.may_return_to):
            if target in RETURNS:
                continue
            is_list = isinstance(said, list)
            at = document.at(*places[number], "may_return_to", *((index,) if is_list else ()))
            if target not in graph.by_name:
                known = [*RETURNS, *(one.name for one in graph.nodes if one.type in PEOPLE)]
                yield facts.no_such("node", target, known, at=at, code="approval.node.unknown")
            elif message := return_fails(graph, number, graph.by_name[target]):
                yield Problem(at, "approval.return", message, "name an earlier node in which somebody is asked")


def return_fails(graph: Graph, number: int, target: int) -> str:
    """Why it cannot be sent back there; "" where it can."""
    node, other = graph.nodes[number], graph.nodes[target]
    region, there = graph.regions[number], graph.regions[target]
    if other.type not in PEOPLE:
        return f"'{node.name}' cannot return to '{other.name}': nobody is asked there"
    if region[: len(there)] != there:
        return f"'{node.name}' cannot return to '{other.name}', which is in another parallel branch"
    if number not in graph.reached(graph.leads[target]) or number == target:
        return f"'{node.name}' cannot return to '{other.name}', which does not come before it"
    return ""


def all_reached(graph: Graph, document: Document, places: Places, reached: set[int]) -> Iterator[Problem]:
    """Of those that follow each other only the first is told, and none inside another that is told."""
    for number, node in enumerate(graph.nodes):
        above, outer = graph.before[number], graph.inside[number]
        if number in reached or (outer is not None and outer not in reached):
            continue
        if above is not None and above not in reached:
            continue
        last = graph.nodes[above] if above is not None else None
        if last is None:
            why = "no node leads to it"
        elif last.next:
            why = f"'{last.name}' before it goes on with '{last.next}'"
        else:
            why = (
                f"no branch of '{last.name}' comes to its end" if last.branches else f"'{last.name}' ends all before it"
            )
        message = f"'{node.name}' is never reached: {why}"
        yield Problem(at_name(document, places[number], node), "approval.unreachable", message,
                      "leave it out, or lead to it with 'next'", "warning")  # fmt: skip


def all_end(graph: Graph, document: Document, places: Places, reached: set[int]) -> Iterator[Problem]:
    """From where no end can be reached it goes round for ever; and it must not go round without anybody."""
    told: set[int] = set()
    waiting = frozenset(number for number, node in enumerate(graph.nodes) if node.type in WAITING)
    for number, node in enumerate(graph.nodes):
        if number not in reached or number in told:
            continue
        trail = graph.trail(number)
        if trail and FINISH not in graph.reached([number]):
            told |= graph.reached([number])
            way = " -> ".join(graph.nodes[one].name for one in trail if one < len(graph.nodes))
            message = f"once it is at '{node.name}', it never ends: {way}"
            yield Problem(at_next(graph, document, places, trail, node), "approval.loop", message,
                          "lead out of it with a condition")  # fmt: skip
        elif trail and number in graph.reached(graph.leads[number], waiting):
            told |= set(trail)
            message = f"from '{node.name}' it comes back to '{node.name}' without anybody being asked"
            yield Problem(at_next(graph, document, places, trail, node), "approval.loop", message,
                          "lead it through a node 'approve', 'handle' or 'delay'")  # fmt: skip


def at_next(graph: Graph, document: Document, places: Places, trail: list[int], node: Node) -> Place:
    """The `next` that closes a circle."""
    for one in trail:
        if one < len(graph.nodes) and graph.nodes[one].next:
            return document.at(*places[one], "next")
    return at_name(document, places[trail[0]], node)


def said_at(document: Document, here: Steps) -> dict[str, Any]:
    found = steps_value(document, here)
    return found if isinstance(found, dict) else {}

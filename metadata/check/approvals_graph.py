"""Where an approval goes from each of its nodes: what cannot be reached, and from where no end can be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from metadata.processes import Node

__all__ = ["FINISH", "Graph", "graph_of"]

FINISH = -1
Region = tuple[tuple[int, int], ...]
"""The branches of parallel and inclusive nodes that a node stands in: (number of the node, number of the branch)."""


@dataclass(slots=True)
class Graph:
    """Nodes by their number in the order of `nodes_in`; those that only join are behind them."""

    nodes: list[Node] = field(default_factory=list)
    leads: dict[int, list[int]] = field(default_factory=dict)
    regions: dict[int, Region] = field(default_factory=dict)
    before: dict[int, int | None] = field(default_factory=dict)  # the one above it in its flow
    inside: dict[int, int | None] = field(default_factory=dict)  # the node of whose branches it is part
    by_name: dict[str, int] = field(default_factory=dict)  # the first of each name
    joins: dict[int, int] = field(default_factory=dict)  # of a parallel node: where its branches come together

    def reached(self, starts: Iterable[int], but: frozenset[int] = frozenset()) -> set[int]:
        """All that can be got to, the starts among them; not through `but`."""
        found: set[int] = set()
        waiting = [one for one in starts if one not in but]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += [other for other in self.leads.get(one, ()) if other not in but]
        return found

    def first(self) -> int:
        return 0 if self.nodes else FINISH

    def trail(self, start: int) -> list[int]:
        """A way from a node back to it; [] where there is none."""
        came: dict[int, int] = {}
        waiting = [start]
        while waiting:
            one = waiting.pop(0)
            for other in self.leads.get(one, ()):
                if other == start:
                    way = [one]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return [*reversed(way), start]
                if other not in came and other != FINISH:
                    came[other] = one
                    waiting.append(other)
        return []


def graph_of(flow: tuple[Node, ...]) -> Graph:
    graph = Graph()
    branches: dict[int, list[int | None]] = {}
    _number(graph, flow, (), None, branches)
    _lead(graph, branches)
    return graph


def _number(
    graph: Graph, flow: tuple[Node, ...], region: Region, inside: int | None, branches: dict[int, list[int | None]]
) -> int | None:
    """Give the nodes of a flow their numbers; the first of them."""
    first: int | None = None
    before: int | None = None
    for node in flow:
        number = len(graph.nodes)
        graph.nodes.append(node)
        graph.regions[number], graph.inside[number], graph.before[number] = region, inside, before
        graph.by_name.setdefault(node.name, number)
        first = number if first is None else first
        before = number
        is_forked = node.type in ("parallel", "inclusive")
        branches[number] = [
            _number(graph, branch.flow, (*region, (number, place)) if is_forked else region, number, branches)
            for place, branch in enumerate(node.branches)
        ]
    return first


def _lead(graph: Graph, branches: Mapping[int, list[int | None]]) -> None:
    """Inner nodes come first, so that it is known whether the branches of an outer one come together."""
    following = {one: number for number, one in graph.before.items() if one is not None}
    for number, node in enumerate(graph.nodes):
        if node.type in ("parallel", "inclusive"):
            graph.joins[number] = len(graph.nodes) + number

    def after(number: int) -> int:
        node = graph.nodes[number]
        if node.next in graph.by_name:
            return graph.by_name[node.next]
        if number in following:
            return following[number]
        outer = graph.inside[number]
        if outer is None:
            return FINISH
        return graph.joins[outer] if outer in graph.joins else after(outer)

    for number in reversed(range(len(graph.nodes))):
        node = graph.nodes[number]
        if node.type == "end":
            graph.leads[number] = [_end(graph, number, node)]
        elif number in graph.joins:
            join = graph.joins[number]
            graph.leads[number] = [join if one is None else one for one in branches[number]]
            graph.leads[join] = [after(number)] if _comes_together(graph, number, node, join) else []
        elif node.type == "condition":
            graph.leads[number] = [after(number) if one is None else one for one in branches[number]]
        else:
            graph.leads[number] = [after(number)]


def _end(graph: Graph, number: int, node: Node) -> int:
    """Within a branch of a fork it ends the branch; a rejection ends all around it, unless a fork goes on."""
    for fork, _ in reversed(graph.regions[number]):
        if node.result == "approved" or graph.nodes[fork].on_reject == "continue":
            return graph.joins[fork]
    return FINISH


def _comes_together(graph: Graph, number: int, node: Node, join: int) -> bool:
    """Whether as many branches as the node waits for can come to their end."""
    ends = [join in graph.reached([one]) for one in graph.leads[number]]
    is_enough = any if node.join == "first" or node.type == "inclusive" or node.on_reject == "continue" else all
    return is_enough(ends)

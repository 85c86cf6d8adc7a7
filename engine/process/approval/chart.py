"""The flow of an approval as a chart: what comes after a node, and within which branches it lies. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from metadata.processes import Approval, Branch, Node

__all__ = ["Chart", "Site", "chart_of"]

FORKS = frozenset({"parallel", "inclusive"})
ASKING = frozenset({"approve", "handle"})


@dataclass(frozen=True, slots=True)
class Site:
    """Where a node lies: `owner` is the node whose branch it is in, "" for the flow of the approval itself."""

    node: Node
    order: int  # among all, as they are written
    owner: str = ""
    branch: str = ""
    after: str = ""  # the next one in the same flow


@dataclass(frozen=True, slots=True)
class Chart:
    approval: Approval
    sites: Mapping[str, Site] = field(default_factory=dict)
    first: str = ""

    def node(self, name: str) -> Node:
        return self.sites[name].node

    def following(self, name: str) -> tuple[str, str]:
        """("node", name) to go on with; ("join", fork) at the end of a branch of a fork; ("end", "") after the last."""
        while True:
            site = self.sites[name]
            if site.node.next:
                return "node", site.node.next
            if site.after:
                return "node", site.after
            if not site.owner:
                return "end", ""
            if self.node(site.owner).type in FORKS:
                return "join", site.owner
            name = site.owner  # after a branch of a condition comes what comes after the condition

    def forks_around(self, name: str) -> tuple[tuple[str, str], ...]:
        """(fork, branch) that a node lies in, the outermost first."""
        found: list[tuple[str, str]] = []
        site = self.sites[name]
        while site.owner:
            if self.node(site.owner).type in FORKS:
                found.append((site.owner, site.branch))
            site = self.sites[site.owner]
        return tuple(reversed(found))

    def may_go_back(self, source: str, target: str) -> bool:
        """Whether `target` lies in no branch that `source` is not in."""
        around = self.forks_around(target)
        return self.forks_around(source)[: len(around)] == around

    def onward(self, name: str) -> frozenset[str]:
        """The node, and all that may be entered after it, beyond the joins of the forks around it."""
        found, waiting = {name}, [name]
        while waiting:
            at = waiting.pop()
            kind, target = self.following(at)
            while kind == "join":
                kind, target = self.following(target)
            firsts = (branch.flow[0].name for branch in self.node(at).branches if branch.flow)
            fresh = {*firsts, *((target,) if kind == "node" else ())} - found
            found |= fresh
            waiting += fresh
        return frozenset(found)

    def outermost(self, name: str) -> str:
        """The fork around a node that lies in no other, else the node."""
        around = self.forks_around(name)
        return around[0][0] if around else name

    def first_of(self, branch: Branch) -> str:
        return branch.flow[0].name if branch.flow else ""

    def asking(self) -> list[Node]:
        return [site.node for site in self.sites.values() if site.node.type in ASKING]


def chart_of(approval: Approval) -> Chart:
    sites = {site.node.name: site for site in _sites(approval.flow, "", "", [0])}
    return Chart(approval, sites, approval.flow[0].name if approval.flow else "")


def _sites(flow: Sequence[Node], owner: str, branch: str, counter: list[int]) -> Iterator[Site]:
    for at, node in enumerate(flow):
        counter[0] += 1
        yield Site(node, counter[0], owner, branch, flow[at + 1].name if at + 1 < len(flow) else "")
        for one in node.branches:
            yield from _sites(one.flow, node.name, one.name, counter)

"""When a node of an approval is decided: a pure function of its slots and of what was decided in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Literal

from metadata.processes import Node

__all__ = ["Decision", "Outcome", "Place", "Rule", "complete", "is_short", "lowered", "rule_of", "votes_needed"]

Decision = Literal["approved", "rejected", "returned"]
Result = Literal["undecided", "approved", "rejected", "returned", "empty"]


@dataclass(frozen=True, slots=True)
class Place:
    """One slot, as its node's rule sees it."""

    key: str
    group: str = ""
    weight: int = 1
    also: tuple[str, ...] = ()  # other groups in which the same person stands: one decision counts in each

    def is_in(self, group: str) -> bool:
        return group == self.group or group in self.also


@dataclass(frozen=True, slots=True)
class Rule:
    mode: Literal["any", "all", "sequence", "vote", "per_group"] = "any"
    reject: Literal["veto", "all_must_reject", "wait"] = "veto"
    threshold: str = ""
    groups: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`open`: slots that may decide now; `waiting`: whose turn comes later; `closed`: who need not decide any more."""

    result: Result
    open: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


def rule_of(node: Node) -> Rule:
    return Rule(node.mode, node.reject, node.threshold, tuple(node.groups.items()))


def complete(rule: Rule, places: Sequence[Place], decisions: Mapping[str, Decision]) -> Outcome:
    """Decided as soon as the result is certain. `decisions` holds what was decided so far, by the slots' keys."""
    undecided = tuple(place.key for place in places if place.key not in decisions)
    result = _result(rule, places, decisions)
    if result != "undecided":
        return Outcome(result, closed=undecided)
    if rule.mode == "sequence":
        return Outcome(result, undecided[:1], undecided[1:])
    return Outcome(result, undecided)


def lowered(rule: Rule, asked: Sequence[Place], skipped: Sequence[Place]) -> Rule:
    """Of a number of votes or of people of a group no more is needed than those who are asked can give, where that is
    because the node itself skips others."""
    votes, threshold = sum(place.weight for place in asked), rule.threshold.strip()
    most = votes + sum(place.weight for place in skipped)
    if rule.mode == "vote" and threshold.isdigit() and votes < int(threshold) <= most:
        rule = replace(rule, threshold=str(votes))
    groups = []
    for group, need in rule.groups:
        there = sum(place.is_in(group) for place in asked)
        is_spared = there < need <= there + sum(place.is_in(group) for place in skipped)
        groups.append((group, there if is_spared else need))
    return replace(rule, groups=tuple(groups))


def is_short(rule: Rule, places: Sequence[Place]) -> bool:
    """Whether those who are asked could not approve, whatever they decide. One alone decides in every mode, but not for
    a group in which nobody is."""
    if rule.mode == "per_group" and any(need and not any(one.is_in(name) for one in places)
                                        for name, need in rule.groups):  # fmt: skip
        return True
    return _result(rule, places, {}) == "rejected"


def votes_needed(threshold: str, total: int) -> int:
    """Of weights: "60%" and "2/3" are shares of all, "3" is a number. At least one."""
    text = threshold.strip()
    if text.endswith("%"):
        return max(1, ceil(Fraction(text[:-1].strip()) / 100 * total))
    if "/" in text:
        return max(1, ceil(Fraction(text.replace(" ", "")) * total))
    return max(1, int(text)) if text else total // 2 + 1


def _result(rule: Rule, places: Sequence[Place], decisions: Mapping[str, Decision]) -> Result:
    made = [decisions[place.key] for place in places if place.key in decisions]
    if not places:
        return "empty"
    if "returned" in made:
        return "returned"
    if len(places) == 1:
        return made[0] if made else "undecided"
    match rule.mode:
        case "any":
            return _any(rule, len(places), made)
        case "vote":
            return _vote(rule, places, decisions)
        case "per_group":
            return _per_group(rule, places, decisions)
        case _:
            return _all(rule, len(places), made)


def _any(rule: Rule, size: int, made: Sequence[Decision]) -> Result:
    if "approved" in made:
        return "approved"
    enough = 1 if rule.reject == "veto" else size
    return "rejected" if made.count("rejected") >= enough else "undecided"


def _all(rule: Rule, size: int, made: Sequence[Decision]) -> Result:
    if "rejected" in made and (rule.reject == "veto" or len(made) == size):
        return "rejected"
    return "approved" if made.count("approved") == size else "undecided"


def _vote(rule: Rule, places: Sequence[Place], decisions: Mapping[str, Decision]) -> Result:
    total = sum(place.weight for place in places)
    need = votes_needed(rule.threshold, total)
    approved, rejected = (
        sum(place.weight for place in places if decisions.get(place.key) == wanted)
        for wanted in ("approved", "rejected")
    )
    if approved >= need:
        return "approved"
    return "rejected" if total - rejected < need else "undecided"


def _per_group(rule: Rule, places: Sequence[Place], decisions: Mapping[str, Decision]) -> Result:
    """A group that the node does not name must approve once."""
    least = {place.group: 1 for place in places} | dict(rule.groups)
    is_decided = True
    for group, need in least.items():
        those = [decisions.get(place.key) for place in places if place.is_in(group)]
        if len(those) - those.count("rejected") < need:
            return "rejected"
        is_decided = is_decided and those.count("approved") >= need
    return "approved" if is_decided else "undecided"

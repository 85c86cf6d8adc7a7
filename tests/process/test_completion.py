"""Node completion against another definition, which looks at every future: all modes, up to 4 slots, all orders."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations, product

import pytest

from engine.process.approval.completion import Decision, Place, Rule, complete, votes_needed

A, R = "approved", "rejected"
KEYS = "abcd"


def places_of(size: int, weights: Sequence[int] = (), groups: Sequence[str] = ()) -> tuple[Place, ...]:
    return tuple(
        Place(KEYS[at], groups[at % len(groups)] if groups else "", weights[at % len(weights)] if weights else 1)
        for at in range(size)
    )


def final(rule: Rule, places: tuple[Place, ...], made: Mapping[str, str]) -> bool:
    """Whether the node is approved when everybody has decided, whatever came first."""
    yes = [place for place in places if made[place.key] == A]
    if len(places) == 1 or rule.mode in ("all", "sequence"):
        return len(yes) == len(places)
    if rule.mode == "any":
        return bool(yes)
    if rule.mode == "vote":
        total = sum(place.weight for place in places)
        return sum(place.weight for place in yes) >= votes_needed(rule.threshold, total)
    return all(
        sum(1 for place in yes if place.group == group) >= dict(rule.groups).get(group, 1)
        for group in {place.group for place in places} | set(dict(rule.groups))
    )


@cache
def slow(rule: Rule, places: tuple[Place, ...], made: tuple[tuple[str, str], ...]) -> str:
    """What all futures agree on; with or-sign the first decision, and who must wait for all does so."""
    known = dict(made)
    if len(places) > 1 and rule.mode == "any" and rule.reject == "veto":
        return made[0][1] if made else "undecided"
    open_ = [place.key for place in places if place.key not in known]
    ends = {
        final(rule, places, known | dict(zip(open_, more, strict=True))) for more in product((A, R), repeat=len(open_))
    }
    if len(ends) > 1:
        return "undecided"
    result = A if ends.pop() else R
    if len(places) > 1 and rule.mode in ("all", "sequence") and rule.reject != "veto" and result == R and open_:
        return "undecided"
    return result


RULES = [
    *(Rule(mode, reject) for mode in ("any", "all", "sequence") for reject in ("veto", "all_must_reject", "wait")),
    *(Rule("vote", threshold=threshold) for threshold in ("", "60%", "2/3", "1", "3", "100%")),
    *(Rule("per_group", groups=groups) for groups in ((), (("x", 1), ("y", 1)), (("x", 2),), (("x", 1), ("y", 2)))),
]  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_order_of_decisions_comes_to_the_same_as_looking_at_every_future(rule: Rule) -> None:
    tried = 0
    for size in range(1, 5):
        shapes = {
            places_of(size),
            places_of(size, (1, 2, 3)),
            places_of(size, (), ("x", "y")),
            places_of(size, (2, 1), "xxy"),
        }
        for places in shapes:
            for order in permutations(range(size)):
                for said in product((A, R), repeat=size):
                    made: dict[str, Decision] = {}
                    for count in range(size + 1):
                        found = complete(rule, places, made)
                        assert found.result == slow(rule, places, tuple(made.items())), (places, made)
                        rest = [place.key for place in places if place.key not in made]
                        if found.result != "undecided":
                            assert (found.open, found.closed) == ((), tuple(rest))
                            break
                        expected = rest[:1] if rule.mode == "sequence" else rest
                        assert (found.open, found.waiting) == (tuple(expected), tuple(rest[len(expected) :]))
                        made[KEYS[order[count]]] = said[count]  # type: ignore[assignment]
                        tried += 1
    assert tried > 500


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_return_ends_the_node_in_every_mode(rule: Rule) -> None:
    places = places_of(4)
    assert complete(rule, places, {"b": "returned"}).result == "returned"
    assert complete(rule, places, {"b": "returned"}).closed == ("a", "c", "d")


def test_a_node_of_nobody_is_empty_and_never_approved() -> None:
    assert complete(Rule("all"), (), {}).result == "empty"


def test_shares_of_votes_are_rounded_up() -> None:
    assert [votes_needed(text, 5) for text in ("60%", "61%", "2/3", "4", "", "0")] == [3, 4, 4, 4, 3, 1]
    assert votes_needed("100%", 7) == 7


def test_a_late_veto_of_an_all_node_does_not_wait_where_it_need_not() -> None:
    places = places_of(3)
    assert complete(Rule("all"), places, {"a": "rejected"}).result == "rejected"
    assert complete(Rule("all", "wait"), places, {"a": "rejected"}).result == "undecided"

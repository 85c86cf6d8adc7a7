"""The engine and tests/access/reference.py agree on who sees and does what, in worlds that Hypothesis makes."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.errors import BadInput, EngineError, Forbidden, NotFound
from engine.service import AggregateQuery, Query, Records, SortKey
from engine.testing import running
from metadata.masks import masked
from tests.access.reference import Person, Reference, World
from tests.access.world import DEFINITIONS, NOTES, NOW, PREDICATES, TEXT, WORLDS, Held, context
from tests.depth import at_depth

pytestmark = pytest.mark.slow
Dict = dict[str, Any]
OWN = ("name", "amount", "region", "phone", "secret", "record_type", "owner")
WORKED_OUT = ("twice", "again", "bare", "card")


def test_it_agrees_with_a_slow_reference(database_url: str) -> None:
    with running(database_url, [TEXT], now=NOW) as site:
        held, reference = Held(site), Reference(DEFINITIONS, PREDICATES)

        @given(drawn=WORLDS, data=st.data())
        @settings(
            max_examples=at_depth(2, 120), deadline=None, derandomize=True, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def compare(drawn: Dict, data: st.DataObject) -> None:
            reference.world = world = held.put(drawn)
            for number, roles, sets in drawn["people"]:
                person = Person(held.users[number], roles | {"base"}, sets)
                if world.user(person.id) is None:
                    continue
                records = Records(context(site, person))
                for name in (*NOTES, "part"):
                    reading_is_alike(reference, person, records, name)
                for _ in range(4):
                    writing_is_alike(reference, person, records, held, data)

        compare()


def outcome(work: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "done", work()
    except EngineError as error:
        return type(error).__name__, error


def worked_out(world: World, name: str, one: Dict) -> Dict:
    """The record as who may everything sees it."""
    if name == "part":
        return one
    found = {**one, "twice": one["amount"] * 2, "again": one["amount"] * 2 + 1, "bare": one["amount"] * 3}
    found["card"] = one["name"] + (one["phone"] or "")
    if name == "closed":
        found["costs"] = sum(each["cost"] for each in world.records["part"] if each["note"] == one["id"])
    return found


def as_seen(reference: Reference, person: Person, name: str, one: Dict) -> Dict:
    found: Dict = {}
    for field, value in worked_out(reference.world, name, one).items():
        sees = reference.sees(person, name, field)
        if sees == 2 or (sees == 1 and value is None):
            found[field] = value
        elif sees == 1:
            found[field] = masked("phone", value)
    return found


def fields_of(name: str) -> tuple[str, ...]:
    if name == "part":
        return ("note", "text", "cost")
    return (*OWN, *WORKED_OUT, "costs" if name == "closed" else "peer")


def reading_is_alike(reference: Reference, person: Person, records: Records, name: str) -> None:
    world = reference.world
    is_known = reference.knows(person, "read", name)
    here = [one for one in world.records[name] if reference.may(person, "read", name, one)] if is_known else []
    kind, found = outcome(lambda: records.list(Query(name, count="exact", limit=100)))
    assert kind == ("done" if is_known else "NotFound")
    for one in world.records[name]:
        kind, got = outcome(lambda one=one: records.get(name, one["id"]))  # type: ignore[misc]
        assert kind == ("done" if one in here else "NotFound")
        if one in here:
            assert same(name, got, as_seen(reference, person, name, one))
    if not is_known:
        return
    assert sorted(one["id"] for one in found.records) == sorted(one["id"] for one in here)
    assert found.count == len(here)
    for got in found.records:
        assert same(name, got, as_seen(reference, person, name, world.record(name, got["id"]) or {}))
    for field in fields_of(name):
        is_open = reference.sees(person, name, field) == 2
        measure = AggregateQuery(name, group=(field,), limit=100)
        queries: list[Callable[[], Any]] = [
            lambda f=field: records.list(Query(name, ("id",), sort=(SortKey(f),), limit=100)),  # type: ignore[misc]
            lambda f=field: records.list(Query(name, ("id",), filter=f"{f} == null", limit=100)),  # type: ignore[misc]
            lambda q=measure: records.aggregate(q),  # type: ignore[misc]
        ]
        sorted_, blank, groups = (outcome(query) for query in queries)
        assert {kind for kind, _ in (sorted_, blank, groups)} == {"done" if is_open else "BadInput"}, field
        if is_open:
            values = [worked_out(world, name, one)[field] for one in here]
            assert len(sorted_[1].records) == len(here)
            assert len(blank[1].records) == sum(value is None for value in values)
            assert sum(group["count()"] for group in groups[1].groups) == len(here)
            assert len(groups[1].groups) == len(set(values))
        seen = outcome(lambda f=field: records.list(Query(name, (f,), limit=100)))  # type: ignore[misc]
        assert seen[0] == ("done" if reference.sees(person, name, field) else "BadInput")
    if name != "part":
        for text in ("ann", "1380"):
            wanted = [
                one["id"] for one in here
                if any(reference.sees(person, name, at) == 2 and text in (one[at] or "") for at in ("name", "phone"))
            ]  # fmt: skip
            kind, got = outcome(lambda text=text: records.list(Query(name, ("id",), search=text, limit=100)))  # type: ignore[misc]
            if kind == "done":
                assert sorted(one["id"] for one in got.records) == sorted(wanted)
            else:
                assert wanted == []


def same(name: str, got: Dict, expected: Dict) -> bool:
    shown = {key: value for key, value in got.items() if key in ("id", *fields_of(name))}
    assert shown == expected, (shown, expected)
    return True


def writing_is_alike(reference: Reference, person: Person, records: Records, held: Held, data: st.DataObject) -> None:
    world, draw = reference.world, data.draw
    name = draw(st.sampled_from([*NOTES, "part"]))
    what = draw(st.sampled_from(["update", "update", "update", "delete", "create", "share"]))
    values: Dict = {}
    if what in ("create", "update"):
        changes = [{"cost": draw(st.integers(0, 9))}] if name == "part" else [
            {"amount": draw(st.integers(0, 9))}, {"region": draw(st.sampled_from(["east", "west", None]))},
            {"secret": draw(st.sampled_from(["x", "z"]))}, {"phone": "13700137000"},
            {"record_type": draw(st.sampled_from(["a", "b"]))},
            {"owner": draw(st.sampled_from([one["id"] for one in world.users if not one["deleted"]]))},
        ]  # fmt: skip
        values = draw(st.sampled_from(changes))
    if what == "create":
        creating_is_alike(reference, person, records, held, name, values)
        return
    if what == "share" and name in ("part", "open"):
        return
    one = draw(st.sampled_from(world.records[name]))
    is_seen = reference.knows(person, "read", name) and reference.may(person, "read", name, one)
    if what == "delete":
        expected = "done"
        if not is_seen:
            expected = "NotFound"
        elif not reference.may(person, "delete", name, one):
            expected = "Forbidden"
        kind, _ = outcome(lambda: records.delete(name, one["id"]))
        assert denied(kind, is_seen) == denied(expected, is_seen)
        if kind == "done":
            held.system.restore(name, one["id"])
        return
    if what == "share":
        may = is_seen and all(reference.may(person, each, name, one) for each in ("share", "update"))
        kind, _ = outcome(lambda: records.share(name, one["id"], {"kind": "role", "to": "role23"}))
        assert denied(kind, is_seen) == denied("done" if may else "Forbidden", is_seen)
        if may:
            world.shares.append(
                {"object": name, "record": one["id"], "to": "role23", "access": "read", "expires_at": None}
            )
        return
    changed = {key: value for key, value in values.items() if one[key] != value}
    after = {**one, **values}
    is_given = "owner" in changed
    is_open = all(reference.sees(person, name, key) == 2 for key in values)  # else a value that is sent back tells it
    expected = "done"
    if not is_seen or not reference.may(person, "update", name, one):
        expected = "Forbidden"
    elif any(
        reference.sees(person, name, key) == 0
        or (not reference.writes(person, "update", name, key) and (key in changed or not is_open))
        for key in values
    ):
        expected = "BadInput"
    elif changed and not reference.may(person, "update", name, after, is_given=is_given):
        expected = "Forbidden"
    kind, answer = outcome(lambda: records.update(name, one["id"], values))
    assert denied(kind, is_seen) == denied(expected, is_seen), (kind, str(answer), expected, values, one)
    if kind == "done":
        one.update(values)
        is_seen_then = reference.may(person, "read", name, one)
        assert (
            set(answer) - {"id", "version"} == set()
            if not is_seen_then
            else same(name, answer, as_seen(reference, person, name, one))
        )


def creating_is_alike(
    reference: Reference, person: Person, records: Records, held: Held, name: str, values: Dict
) -> None:
    world = reference.world
    if name == "part":
        values = {"note": world.records["closed"][0]["id"], "text": "new", **values}
        one = {"id": "", **values}
    else:
        values = {"name": "new", "amount": 1, "record_type": "a", **values}
        one = {"region": None, "phone": None, "secret": None, "peer": None, "owner": person.id, "id": "", **values}
    expected = "done"
    if not reference.knows(person, "create", name):
        expected = "Forbidden"
    elif any(not reference.writes(person, "create", name, key) for key in values):
        expected = "BadInput"
    elif not reference.may(person, "create", name, one):
        expected = "Forbidden"
    kind, answer = outcome(lambda: records.create(name, values))
    assert denied(kind, True) == denied(expected, True), (kind, str(answer), expected, values)
    if kind == "done":
        held.system.delete(name, answer["id"])


def denied(kind: str, is_seen: bool) -> str:
    """ "no" for what may not be done; what is not seen at all must be unknown."""
    assert kind in ("done", "NotFound", "Forbidden", "BadInput")
    return "done" if kind == "done" else "no" if is_seen else "unknown"


assert {Forbidden, NotFound, BadInput}

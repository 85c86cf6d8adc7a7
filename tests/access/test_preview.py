"""What a change of rights would do is told beforehand, in numbers of records, and nothing has changed afterwards."""

import pytest

from engine.access.preview import Effect, preview_definitions
from engine.access.preview_people import preview_person
from engine.errors import BadInput, Forbidden
from engine.publish import plan
from engine.service import Query
from engine.testing import Running
from tests.access.conftest import TEAM


def told(effects: tuple[Effect, ...]) -> set[tuple[str, int, str, str, int, int]]:
    return {(one.people[0][1], one.count, one.object, one.action, one.gained, one.lost) for one in effects}


def planned(team: Running, text: str) -> tuple[Effect, ...]:
    drawn = plan(team.tenant, [team.written(text)])
    assert not drawn.has_errors, drawn.problems
    return drawn.preview.effects


def test_a_plan_tells_who_gains_and_who_loses_records(team: Running) -> None:
    opened = TEAM.replace("label: Lead\nsharing: private", "label: Lead\nsharing: read")
    with team.tenant.database.read() as connection:
        before = preview_definitions(team.context("boss"), connection, team.tenant.snapshot().definitions)
    assert before.effects == ()
    effects = planned(team, opened)
    assert told(effects) == {
        ("Mia", 1, "lead", "read", 1, 0), ("Lin", 1, "lead", "read", 2, 0), ("Sam", 1, "lead", "read", 3, 0),
        ("Eve", 1, "lead", "read", 3, 0),
    }  # fmt: skip
    lin = next(one for one in effects if one.people[0][1] == "Lin")
    assert {title for _, title in lin.gains} == {"mia", "eve"}
    assert lin.losses == ()


def test_people_who_hold_the_same_are_counted_once(team: Running) -> None:
    team.user("moe", "marketing", name="Moe")
    less = TEAM.replace(
        "    can: [read, update, view_all]\n", "    can: [read, update, view_all]\n    rows: name != 'eve'\n"
    )
    [read] = planned(team, less)
    assert (read.action, read.count, read.gained, read.lost) == ("read", 2, 0, 1)
    assert [name for _, name in read.people] == ["Max", "Moe"]
    assert [title for _, title in read.losses] == ["eve"]


def test_a_restriction_rule_is_counted(team: Running) -> None:
    text = TEAM.replace("rows: name != 'VIP'", "rows: name != 'sam'")
    assert told(planned(team, text)) >= {("Ana", 1, "lead", "read", 0, 1), ("Sam", 1, "lead", "read", 0, 1),
                                        ("Lin", 1, "lead", "update", 0, 1)}  # fmt: skip


def test_what_reads_a_new_field_is_said_not_to_be_counted(team: Running) -> None:
    text = TEAM.replace("rows: name != 'VIP'", "rows: extra != 'x'").replace(
        "  name: {type: text, label: Name, required: true, length: 80}\n  phone",
        "  name: {type: text, label: Name, required: true, length: 80}\n  extra: {type: text, label: Extra}\n  phone",
    )
    drawn = plan(team.tenant, [team.written(text)])
    assert [(one.object, one.why) for one in drawn.preview.uncounted] == [("call", "fields"), ("lead", "fields")]


def test_the_hash_of_a_plan_covers_who_gains_or_loses(team: Running) -> None:
    text = TEAM.replace("rows: name != 'VIP'", "rows: name != 'sam'")
    first = plan(team.tenant, [team.written(text)])
    team.records().update("lead", lead(team, "sam"), {"name": "samuel"})
    second = plan(team.tenant, [team.written(text)])
    assert first.preview.effects
    assert second.preview.effects == ()
    assert first.hash != second.hash


def lead(team: Running, name: str) -> str:
    found = team.records().list(Query("lead", ("id",), filter=f"name == '{name}'"))
    return str(found.records[0]["id"])


def test_giving_a_role_and_taking_one(team: Running) -> None:
    eve, boss = team.user("eve"), team.context("boss")
    given = preview_person(boss, eve, {"roles": ["seller", "analyst"]})
    assert told(given.effects) == {("Eve", 1, "lead", "read", 3, 0)}
    taken = preview_person(boss, eve, {"roles": []}).effects
    assert ("Eve", 1, "lead", "update", 0, 1) in told(taken)
    assert ("Eve", 1, "user", "read", 0, 8) in told(taken)
    assert sorted(team.context("eve").actor.roles) == ["seller"]


def test_another_manager_changes_what_those_above_see(team: Running) -> None:
    sam, boss = team.user("sam"), team.context("boss")
    before = team.records().get_row("user", sam, ("manager", "version"))
    found = preview_person(boss, sam, {"manager": team.user("eve")})
    assert told(found.effects) == {
        ("Lin", 1, "lead", "read", 0, 1), ("Lin", 1, "lead", "update", 0, 1),
        ("Mia", 1, "lead", "read", 0, 1), ("Mia", 1, "lead", "update", 0, 1),
        ("Eve", 1, "lead", "read", 1, 0), ("Eve", 1, "lead", "update", 1, 0),
    }  # fmt: skip
    assert team.records().get_row("user", sam, ("manager", "version")) == before


def test_another_department_changes_what_colleagues_see(team: Running) -> None:
    east = team.records().create("department", {"name": "East"})["id"]
    team.user("dee", "desk", name="Dee", department=east)
    found = preview_person(team.context("boss"), team.user("sam"), {"department": east})
    assert told(found.effects) == {("Dee", 1, "lead", "read", 1, 0), ("Dee", 1, "lead", "update", 1, 0)}


def test_only_who_manages_rights_may_ask(team: Running) -> None:
    with pytest.raises(Forbidden):
        preview_person(team.context("mia"), team.user("sam"), {"roles": []})
    with pytest.raises(BadInput):
        preview_person(team.context("boss"), team.user("sam"), {"rules": []})
    with pytest.raises(BadInput):
        preview_person(team.context("boss"), team.user("sam"), {"roles": ["nobody"]})

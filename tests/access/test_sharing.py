"""Who has which records, on both databases: owners, managers, grants, rules and restrictions."""

import pytest

from engine.errors import Forbidden, NotFound
from engine.service import Query, SortKey
from engine.testing import Running


def names(team: Running, username: str, **more: object) -> list[str]:
    found = team.records(username).list(Query("lead", ("name",), sort=(SortKey("name"),), **more))  # type: ignore[arg-type]
    return [record["name"] for record in found.records]


def lead(team: Running, name: str) -> str:
    found = team.records().list(Query("lead", ("id",), filter=f"name == '{name}'"))
    return str(found.records[0]["id"])


def test_people_have_their_own_records_and_those_of_people_below(team: Running) -> None:
    assert names(team, "sam") == ["sam"]
    assert names(team, "lin") == ["lin", "sam"]
    assert names(team, "mia") == ["lin", "mia", "sam"]
    assert names(team, "eve") == ["eve"]
    assert names(team, "boss") == ["eve", "lin", "mia", "sam"]


def test_counts_and_searches_see_the_same(team: Running) -> None:
    found = team.records("lin").list(Query("lead", ("name",), count="exact", search="1380013"))
    assert found.count == 2
    assert names(team, "lin", filter="name == 'eve'") == []


def test_a_manager_who_changes_counts_at_once(team: Running) -> None:
    sam = team.user("sam")
    team.records().update("user", sam, {"manager": team.user("eve")})
    assert names(team, "lin") == ["lin"]
    assert names(team, "eve") == ["eve", "sam"]


def test_what_is_not_shared_is_unknown_to_every_write(team: Running) -> None:
    others = lead(team, "eve")
    for write in (
        lambda: team.records("sam").get("lead", others),
        lambda: team.records("sam").update("lead", others, {"name": "x"}),
        lambda: team.records("sam").delete("lead", others),
        lambda: team.records("sam").history("lead", others),
    ):
        with pytest.raises(NotFound):
            write()
    assert team.records("lin").update("lead", lead(team, "sam"), {"stage": "won"})["stage"] == "won"


def test_lines_follow_their_master(team: Running) -> None:
    own = lead(team, "sam")
    team.records("sam").update("lead", own, {"calls": [{"note": "hello", "cost": "1.00"}]})
    assert [one["note"] for one in team.records("lin").list(Query("call", ("note",))).records] == ["hello"]
    assert team.records("eve").list(Query("call", ("note",))).records == []


def test_public_reading_is_no_public_writing(team: Running) -> None:
    made = team.records("sam").create("report", {"name": "Q3"})
    assert team.records("eve").get("report", made["id"])["name"] == "Q3"
    with pytest.raises(Forbidden) as refusal:
        team.records("eve").update("report", made["id"], {"name": "Q4"})
    assert refusal.value.code == "record.update.forbidden"
    assert team.records("lin").update("report", made["id"], {"name": "Q4"})["name"] == "Q4"


def test_view_all_sees_all_and_writes_only_what_is_theirs(team: Running) -> None:
    assert names(team, "max") == ["eve", "lin", "mia", "sam"]
    with pytest.raises(Forbidden):
        team.records("max").update("lead", lead(team, "eve"), {"stage": "won"})


def test_a_permission_set_reaches_people_through_a_role(team: Running) -> None:
    assert names(team, "ana") == ["eve", "lin", "mia", "sam"]
    assert team.context("ana").scope.has("unmask")
    assert not team.context("sam").scope.has("unmask")
    assert team.context("boss").scope.has("view_audit")


def test_a_permission_set_reaches_people_as_data(team: Running) -> None:
    from dataclasses import replace

    from engine.context import context_of
    from engine.service import Records

    ctx = team.context("sam")
    given = replace(ctx.actor, permission_sets=frozenset({"insight"}))
    found = Records(context_of(team.tenant, given, team.now)).list(Query("lead", ("name",), sort=(SortKey("name"),)))
    assert [one["name"] for one in found.records] == ["eve", "lin", "mia", "sam"]


def test_a_sharing_rule_shares_with_a_role_within_the_rows_of_its_grant(team: Running) -> None:
    assert names(team, "pat") == []
    team.records("eve").update("lead", lead(team, "eve"), {"stage": "won"})
    assert names(team, "pat") == ["eve"]


def test_a_sharing_rule_shares_with_a_department_and_those_below(team: Running) -> None:
    east = team.records().create("department", {"name": "East"})["id"]
    office = team.records().create("department", {"name": "Office", "parent": east})["id"]
    team.records("eve").update("lead", lead(team, "eve"), {"stage": "won"})
    assert names(team, "sam") == ["sam"]
    team.records().update("user", team.user("sam"), {"department": office})
    assert names(team, "sam") == ["eve", "sam"]


def test_a_grant_reaches_a_department(team: Running) -> None:
    west = team.records().create("department", {"name": "West"})["id"]
    team.user("deb", "desk", department=west)
    team.records().update("user", team.user("eve"), {"department": west})
    assert names(team, "deb") == ["eve"]


def test_a_restriction_takes_from_owners_and_from_view_all(team: Running) -> None:
    team.records("boss").update("lead", lead(team, "sam"), {"name": "VIP"})
    assert names(team, "sam") == []
    assert names(team, "ana") == ["eve", "lin", "mia"]
    assert names(team, "boss") == ["eve", "lin", "mia", "VIP"]
    with pytest.raises(Forbidden):
        team.records("eve").update("lead", lead(team, "eve"), {"name": "VIP"})
    assert names(team, "boss", filter="name == 'eve'") == ["eve"]


def test_who_gives_a_record_away_need_not_see_it_any_more(team: Running) -> None:
    given = team.records("sam").update("lead", lead(team, "sam"), {"owner": team.user("eve")})
    assert given == {"id": given["id"], "version": 2}
    assert names(team, "sam") == []
    assert names(team, "eve") == ["eve", "sam"]

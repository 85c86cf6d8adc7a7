"""Records that are given to others by hand."""

from datetime import timedelta

import pytest

from engine.errors import BadInput, Forbidden, NotFound
from engine.service import Query
from engine.testing import Running


def names(team: Running, username: str) -> list[str]:
    return sorted(one["name"] for one in team.records(username).list(Query("lead", ("name",))).records)


def lead(team: Running, name: str) -> str:
    found = team.records().list(Query("lead", ("id",), filter=f"name == '{name}'"))
    return str(found.records[0]["id"])


def test_a_record_is_shared_for_reading_then_for_editing_and_taken_back(team: Running) -> None:
    own, eve = lead(team, "sam"), team.user("eve")
    given = team.records("sam").share("lead", own, {"kind": "user", "to": eve, "reason": "holiday"})
    assert names(team, "eve") == ["eve", "sam"]
    with pytest.raises(Forbidden):
        team.records("eve").update("lead", own, {"stage": "won"})
    again = team.records("sam").share("lead", own, {"kind": "user", "to": eve, "access": "edit"})
    assert team.records("eve").update("lead", own, {"stage": "won"})["stage"] == "won"
    assert [(one.to, one.access) for one in team.records("sam").shares("lead", own)] == [(eve, "edit")]
    with pytest.raises(Forbidden):
        team.records("eve").delete("lead", own)
    with pytest.raises(NotFound):
        team.records("sam").unshare("lead", own, given.id)
    team.records("sam").unshare("lead", own, again.id)
    assert names(team, "eve") == ["eve"]


def test_a_share_ends_at_its_time_by_the_clock_of_the_request(team: Running) -> None:
    own = lead(team, "sam")
    team.records("sam").share(
        "lead", own, {"kind": "user", "to": team.user("eve"), "expires_at": "2026-11-22T03:00:00Z"}
    )
    assert names(team, "eve") == ["eve", "sam"]
    assert team.fixed_now is not None
    team.fixed_now += timedelta(minutes=45)
    assert names(team, "eve") == ["eve"]
    assert team.records("sam").shares("lead", own) == []


def test_roles_and_departments_hold_shares(team: Running) -> None:
    own = lead(team, "sam")
    team.user("leo", "seller")
    team.records("sam").share("lead", own, {"kind": "role", "to": "seller"})
    assert names(team, "leo") == ["sam"]
    west = team.records().create("department", {"name": "West"})["id"]
    office = team.records().create("department", {"name": "Office", "parent": west})["id"]
    team.user("ida", "partner", department=office)
    team.records("boss").share("lead", lead(team, "eve"), {"kind": "department", "to": west})
    team.records().update("lead", lead(team, "eve"), {"stage": "won"})
    assert names(team, "ida") == ["eve"]


def test_only_who_may_share_and_change_a_record_shares_it(team: Running) -> None:
    own, eve = lead(team, "sam"), team.user("eve")
    with pytest.raises(NotFound):
        team.records("eve").share("lead", own, {"kind": "user", "to": eve})
    with pytest.raises(Forbidden) as refusal:
        team.records("max").share("lead", own, {"kind": "user", "to": eve})
    assert refusal.value.code == "record.share.forbidden"
    assert names(team, "eve") == ["eve"]


def test_a_share_says_what_is_wrong_with_it(team: Running) -> None:
    own = lead(team, "sam")
    sent = {"kind": "crowd", "to": 7, "access": "all", "expires_at": "2020-01-01T00:00:00Z", "reason": 1, "who": 2}
    with pytest.raises(BadInput) as refusal:
        team.records("sam").share("lead", own, sent)
    codes = {problem.code for problem in refusal.value.problems}
    assert codes == {"share.kind", "share.access", "share.expires", "share.reason", "share.key"}


def test_shares_over_the_api(team: Running) -> None:
    own, client = lead(team, "sam"), team.client("sam")
    address = f"/api/v1/records/lead/{own}/shares"
    made = client.post(address, json={"kind": "user", "to": team.user("eve")})
    assert (made.status_code, made.json()["access"]) == (201, "read")
    assert [one["id"] for one in client.get(address).json()["shares"]] == [made.json()["id"]]
    assert team.client("eve").get(f"/api/v1/records/lead/{own}").status_code == 200
    assert client.delete(f"{address}/{made.json()['id']}").status_code == 204
    assert team.client("eve").get(f"/api/v1/records/lead/{own}").status_code == 404

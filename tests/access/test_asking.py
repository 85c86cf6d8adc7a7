"""Asking by the API and by command: who manages rights is answered, nobody else; and only about what they see."""

import orjson
import pytest

from engine.cli import main
from engine.service import Query
from engine.testing import Running
from tests.access.conftest import TEAM


def lead(team: Running, name: str) -> str:
    found = team.records().list(Query("lead", ("id",), filter=f"name == '{name}'"))
    return str(found.records[0]["id"])


def test_an_administrator_is_told_why(team: Running) -> None:
    client, own = team.client("boss"), lead(team, "sam")
    body = client.get(f"/api/v1/records/lead/{own}/access?person={team.user('lin')}&action=update").json()
    assert (body["allowed"], body["action"], body["missing"]) == (True, "update", [])
    assert [[one["text"] for one in way] for way in body["ways"]] == [
        ["The role Seller lets Lin change Lead.", "Lin is above the owner: Sam → Lin."]
    ]
    assert body["ways"][0][0]["links"] == [{"kind": "role", "id": "seller"}]
    assert body["needs"][0]["action"] == "read"
    body = client.get(f"/api/v1/records/lead/{own}/access?person={team.user('eve')}").json()
    assert (body["allowed"], [one["code"] for one in body["missing"]]) == (False, ["missing.sharing"])
    body = client.get(f"/api/v1/objects/lead/access?person={team.user('pat')}&action=delete").json()
    assert (body["allowed"], [one["code"] for one in body["missing"]]) == (False, ["missing.grant"])


@pytest.mark.parametrize(
    ("username", "field", "action", "is_allowed", "reasons"),
    [
        ("max", "phone", "see", False, ["Max sees the mask of Phone only.", "Marketing says of Phone: masked."]),
        ("max", "salary", "see", False, ["Salary is hidden from Max.", "Marketing says of Salary: hidden."]),
        ("max", "tax", "see", False, ["Tax is hidden from Max.",
                                      "Tax is worked out from Lead · Salary, which Max does not see.",
                                      "Marketing says of Tax: edit."]),
        ("sam", "salary", "edit", True, ["Sam may write Salary.", "Seller says of Salary: edit."]),
        ("max", "name", "edit", False, ["Max may not write Name.", "Marketing says of Name: read."]),
    ],
)  # fmt: skip
def test_a_field_is_explained(
    team: Running, username: str, field: str, action: str, is_allowed: bool, reasons: list[str]
) -> None:  # fmt: skip
    own = lead(team, "sam")
    body = team.client("boss").get(
        f"/api/v1/records/lead/{own}/access?person={team.user(username)}&field={field}&action={action}"
    ).json()  # fmt: skip
    assert (body["allowed"], [one["text"] for one in body["reasons"]]) == (is_allowed, reasons)


def test_who_sees_a_record_and_why(team: Running) -> None:
    body = team.client("boss").get(f"/api/v1/records/lead/{lead(team, 'sam')}/viewers").json()
    assert [(one["name"], one["reasons"][-1]["code"], one["update"]) for one in body["people"]] == [
        ("Ana", "way.all", False), ("Lin", "way.managers", True), ("Max", "way.all", False),
        ("Mia", "way.managers", True), ("Sam", "way.owner", True), ("The Boss", "way.all", True),
    ]  # fmt: skip
    assert body["after"] is None


def test_nobody_else_is_told_anything(team: Running) -> None:
    own, sam = lead(team, "sam"), team.user("sam")
    client = team.client("sam")
    for path in (f"/records/lead/{own}/access?person={sam}", f"/objects/lead/access?person={sam}",
                 f"/records/lead/{own}/viewers"):  # fmt: skip
        answer = client.get("/api/v1" + path)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.forbidden")
    answer = client.post("/api/v1/access/preview", json={"user": sam, "roles": []})
    assert (answer.status_code, answer.json()["code"]) == (403, "access.forbidden")


def test_what_is_asked_wrongly_is_refused(team: Running) -> None:
    client, own, sam = team.client("boss"), lead(team, "sam"), team.user("sam")
    base = f"/api/v1/records/lead/{own}"
    assert client.get(f"{base}/access").status_code == 400
    assert client.get(f"{base}/access?person={own}").status_code == 404
    assert client.get(f"{base}/access?person=x").status_code == 404
    assert client.get(f"{base}/access?person={sam}&action=reed").json()["code"] == "access.action"
    assert client.get(f"{base}/access?person={sam}&field=nothing").status_code == 404
    assert client.get(f"/api/v1/records/lead/{sam}/access?person={sam}").status_code == 404
    assert client.get(f"/api/v1/objects/nothing/access?person={sam}").status_code == 404
    assert client.get(f"{base}/viewers?after=x").json()["code"] == "access.after"


def test_a_preview_by_the_api(team: Running) -> None:
    answer = team.client("boss").post(
        "/api/v1/access/preview", json={"user": team.user("eve"), "roles": ["seller", "analyst"]}
    )
    [effect] = answer.json()["effects"]
    assert (effect["object"], effect["action"], effect["gained"], effect["lost"]) == ("lead", "read", 3, 0)
    assert sorted(one["title"] for one in effect["gains"]) == ["lin", "mia", "sam"]


def test_the_command_says_the_same(team: Running, capsys: pytest.CaptureFixture[str]) -> None:
    own = lead(team, "sam")
    database = ["--database", team.config.database_url, "--data", str(team.folder)]
    assert main(["access", "explain", "lin", "lead", own, *database]) == 0
    assert capsys.readouterr().out == (
        "allowed\n  + The role Seller lets Lin see Lead.\n  + Lin is above the owner: Sam → Lin.\n"
    )
    assert main(["access", "explain", "eve", "lead", own, "--json", *database]) == 1
    assert orjson.loads(capsys.readouterr().out)["missing"][0]["code"] == "missing.sharing"
    package = team.written(TEAM.replace("label: Lead\nsharing: private", "label: Lead\nsharing: read"))
    assert main(["access", "preview", str(package), *database]) == 0
    out = capsys.readouterr().out
    assert "~ people Sam: see lead +3\n    gain: mia, lin, eve\n" in out
    assert main(["plan", str(package), *database]) == 0
    assert "~ people Sam: see lead +3\n" in capsys.readouterr().out

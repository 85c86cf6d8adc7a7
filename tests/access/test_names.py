"""Names and values of what is hidden stand nowhere: not in what is told of definitions, nor in forms or refusals."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from engine.testing import Running, running
from tests.access.conftest import NOW

HOUSE = """
package: house
version: 1.0.0
label: House
---
object: hushvault
label: Hushvault
plural: Hushvaults
fields:
  name: {type: text, required: true}
  thing: {type: reference, to: thing, label: Thing}
---
object: firm
label: Firm
fields:
  name: {type: text, required: true}
  kind: {type: text}
---
object: paper
label: Paper
sharing: private
fields:
  name: {type: text, required: true}
  firm: {type: reference, to: firm, on_delete: restrict}
  hushfirm: {type: reference, to: firm, on_delete: restrict}
---
object: thing
label: Thing
search: [name, hushf]
unique: [[name, hushf], [name, firm]]
fields:
  name: {type: text, required: true}
  hushf: {type: text, label: Hushf, default: hushvalue}
  hushgovern: {type: choice, label: Hushgovern, default: husha, choices: {husha: Husha, hushb: Hushb}}
  part: {type: choice, depends_on: hushgovern, choices: {x: {label: X, for: [husha]}, y: {label: Y, for: [hushb]}}}
  hushmoney: {type: text, label: Hushmoney}
  amount: {type: currency, currency_from: hushmoney}
  firm: {type: reference, to: firm, filter: "kind == record.hushf"}
  vault: {type: reference, to: hushvault, label: Vault}
  held: {type: inverse, of: hushvault, by: thing, label: Held}
---
approval: hushapproval
label: Hushapproval
object: hushvault
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
---
approval: seen
label: Seen
object: thing
flow: [{approve: boss, label: Boss, approvers: [{user: boss}]}]
---
role: clerk
objects:
  thing: {can: [create, read, update], fields: {hushf: hidden, hushgovern: hidden, hushmoney: hidden}}
  firm: [read, delete]
  paper: {can: [read], fields: {hushfirm: hidden}}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("house")
    with running(f"sqlite:///{folder / 'a.db'}", [HOUSE], now=NOW, ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        site.user("gus", "clerk")
        yield site


def hidden_in(text: str) -> list[str]:
    return sorted(set(re.findall(r"(?i)\w*hush\w+", text)))


@pytest.mark.parametrize("address", ["/api/v1/objects/thing", "/api/v1/openapi.json", "/o/thing/new", "/me"])
def test_hidden_fields_and_objects_are_not_named(house: Running, address: str) -> None:
    for user, is_hidden in (("gus", True), ("boss", False)):
        client = house.client(user, by="token" if "/api/" in address else "session")
        answer = client.get(address)
        assert answer.status_code == 200
        assert (hidden_in(answer.text) == []) is is_hidden


def test_an_object_is_told_with_the_fields_that_are_seen(house: Running) -> None:
    told = {}
    for user in ("gus", "boss"):
        found = house.client(user).get("/api/v1/objects/thing").json()
        options = {one["name"]: one["options"] for one in found["fields"]}
        told[user] = (found["search"], found["unique"], "currency_from" in options["amount"], options["held"])
    assert told["gus"] == (["name"], [["name", "firm"]], False, {})
    assert told["boss"] == (["name", "hushf"], [["name", "hushf"], ["name", "firm"]], True, {})


def refused(site: Running, method: str, path: str, body: Any = None) -> tuple[int, str, str]:
    answer = site.client("gus").request(method, f"/api/v1/records/{path}", json=body)
    assert hidden_in(answer.text) == []
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


def test_refusals_name_no_hidden_field_and_no_hidden_object(house: Running) -> None:
    own = house.records("boss").create("thing", {"name": "own", "hushgovern": "hushb"})["id"]
    assert refused(house, "PATCH", f"thing/{own}", {"part": "x"}) == (
        422, "value.choice.dependent", "'part': 'x' is no choice here",
    )  # fmt: skip
    assert refused(house, "PATCH", f"thing/{own}", {"vault": own}) == (
        422, "reference.unknown", f"'vault': no record has the id '{own}'",
    )  # fmt: skip
    assert refused(house, "POST", "thing", {"name": "own"}) == (
        409, "record.refused", "this thing cannot be saved like this: what you may not see does not allow it",
    )  # fmt: skip


def test_what_keeps_a_record_is_told_where_all_of_it_is_seen(house: Running) -> None:
    boss, gus = house.records("boss"), house.user("gus")
    said = "this firm is referred to by records that you may not see"
    for papers, detail in (
        ([{"owner": gus}], "this firm is referred to by 1 paper by 'firm'"),
        ([{"owner": gus}, {}], said),
        ([{"owner": gus, "hushfirm": True}], said),
    ):  # fmt: skip
        firm = boss.create("firm", {"name": "f"})["id"]
        for one in papers:
            named = {"hushfirm": firm} if one.pop("hushfirm", False) else {"firm": firm}
            boss.create("paper", {"name": "p", **one, **named})
        assert refused(house, "DELETE", f"firm/{firm}") == (409, "delete.restricted", detail)


def test_of_hidden_objects_nobody_says_who_decides(house: Running) -> None:
    sent = {"agent": house.user("boss"), "from": "2027-01-01T00:00:00Z", "to": "2027-02-01T00:00:00Z"}
    for key, name in (
        ("objects", "hushvault"),
        ("objects", "none"),
        ("approvals", "hushapproval"),
        ("approvals", "none"),
    ):
        answer = house.client("gus").post("/api/v1/agents", json={**sent, key: [name]})
        assert (answer.status_code, answer.json()["detail"]) == (422, f"there is no '{name}'")

"""Restoring and deleting while others do the same, and beside records that the person may not know of."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from engine.testing import Running, running

ZOO = """
package: zoo
version: 1.0.0
label: Zoo
---
object: cage
label: Cage
fields:
  name: {type: text, label: Name, required: true}
---
object: vault
label: Vault
fields:
  name: {type: text, label: Name}
---
object: ghost
label: Ghost
fields:
  name: {type: text, label: Name}
  nick: {type: text, label: Nick, unique: true}
  cage: {type: reference, to: cage, label: Cage, on_delete: cascade}
  vault: {type: reference, to: vault, label: Vault, on_delete: restrict}
---
role: keeper
label: Keeper
objects:
  cage: {can: [create, read, update, delete], rows: "owner == user.id"}
"""


@pytest.fixture
def zoo(database_url: str) -> Iterator[Running]:
    with running(database_url, [ZOO], ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        site.user("sam", "keeper")
        yield site


def made(client: TestClient, object_name: str, **values: object) -> str:
    answer = client.post(f"/api/v1/records/{object_name}", json=values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_what_stops_a_restore_is_not_told_to_those_who_may_not_see_it(zoo: Running) -> None:
    boss, sam = zoo.client("boss"), zoo.client("sam")
    cage, vault = made(sam, "cage", name="c"), made(boss, "vault", name="v")
    made(boss, "ghost", name="casper", nick="boo", cage=cage, vault=vault)
    assert sam.delete(f"/api/v1/records/cage/{cage}").status_code == 204
    taker = made(boss, "ghost", nick="boo")

    def refused() -> dict[str, Any]:
        answer = sam.post(f"/api/v1/records/cage/{cage}/restore")
        return {"status": answer.status_code, **answer.json()}

    hidden = {
        "title": "Conflict", "status": 409, "code": "restore.hidden", "fix": "ask an administrator",
        "detail": "what was deleted together with this record cannot come back", "problems": [],
    }  # fmt: skip
    assert refused() == hidden  # a taken nick
    assert boss.post(f"/api/v1/records/cage/{cage}/restore").json()["problems"][0]["path"] == "nick"
    boss.delete(f"/api/v1/records/ghost/{taker}")
    assert boss.delete(f"/api/v1/records/vault/{vault}").status_code == 204
    assert refused() == hidden  # a deleted vault
    boss.post(f"/api/v1/records/vault/{vault}/restore")
    assert sam.post(f"/api/v1/records/cage/{cage}/restore").status_code == 200


def test_one_of_many_restores_counts(zoo: Running) -> None:
    with zoo.client("boss") as boss:
        for _ in range(5):
            cage = made(boss, "cage", name="c")
            made(boss, "ghost", cage=cage)
            boss.delete(f"/api/v1/records/cage/{cage}")
            with ThreadPoolExecutor(8) as pool:
                answers = pool.map(lambda cage=cage: boss.post(f"/api/v1/records/cage/{cage}/restore"), [cage] * 8)
                assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
            history = zoo.records().history("cage", cage)
            assert [change.action for change in history] == ["restore", "delete", "create"]


def test_a_delete_without_a_version_waits_for_those_who_change_the_record(zoo: Running) -> None:
    with zoo.client("boss") as boss:
        for _ in range(4):
            path = f"/api/v1/records/cage/{made(boss, 'cage', name='c')}"

            def act(index: int, path: str = path) -> int:
                if index % 4 == 0:
                    return boss.delete(path).status_code
                return boss.patch(path, json={"name": str(index)}).status_code

            with ThreadPoolExecutor(8) as pool:
                statuses = Counter(pool.map(act, range(16)))
            assert (statuses[204], statuses[412], statuses[500]) == (1, 0, 0)


@pytest.mark.parametrize("path", ["/api/v2", "/api/v1", "/api/v1/", "/api/"])
def test_no_script_is_sent_to_the_sign_in_page(zoo: Running, path: str) -> None:
    for answer in (zoo.client().get(path), zoo.client("boss", by="session").post(path)):
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")

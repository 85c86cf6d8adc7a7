"""What is noted: who, from where, what, when; in the transaction of what it tells of."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from engine.audit.verify import verify
from engine.errors import BadInput
from engine.testing import Running
from tests.audit.conftest import NOW, entries


def told(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in ("kind", "by", "channel", "object", "record", "at"))


def test_a_change_is_told_with_who_from_where_what_and_when(shop: Running) -> None:
    client = shop.client("boss")
    sent = client.post("/api/v1/records/contact", json={"name": "Ada"}, headers={"x-request-id": "r-1"})
    one, boss = sent.json()["id"], shop.user("boss")
    client.patch(f"/api/v1/records/contact/{one}", json={"name": "Ada L."})
    client.delete(f"/api/v1/records/contact/{one}")
    client.post(f"/api/v1/records/contact/{one}/restore")
    found = entries(shop, object_name="contact")
    assert [told(entry) for entry in found] == [
        ("record.create", boss, "api", "contact", one, NOW),
        ("record.update", boss, "api", "contact", one, NOW),
        ("record.delete", boss, "api", "contact", one, NOW),
        ("record.restore", boss, "api", "contact", one, NOW),
    ]
    assert (found[0]["address"], found[0]["request"]) == ("testclient", "r-1")
    assert not verify(shop.tenant).findings


def test_an_entry_holds_no_values(shop: Running) -> None:
    shop.records("boss").create("contact", {"name": "Canary", "phone": "55501234567"})
    assert all("Canary" not in str(entry) and "55501234567" not in str(entry) for entry in entries(shop, ""))


def test_a_field_that_the_history_leaves_out_is_noted_all_the_same(shop: Running) -> None:
    one = shop.records("boss").create("contact", {"name": "Ada"})["id"]
    shop.records("boss").update("contact", one, {"memo": "likes tea"})
    last = entries(shop, object_name="contact")[-1]
    assert (last["kind"], last["record"], last["details"]) == ("record.update", one, None)


def test_a_batch_makes_one_entry_for_each_action(shop: Running) -> None:
    rows = [{"action": "create", "values": {"name": f"n{number}"}} for number in range(1000)]
    made = shop.records("boss").batch("contact", rows, atomic=True)
    some = [{"action": "delete", "id": result.id} for result in made[:3]]
    shop.records("boss").batch("contact", some, atomic=True)
    found = entries(shop, object_name="contact")
    assert [(one["kind"], one["record"], one["details"]["count"]) for one in found] == [
        ("record.create", None, 1000),
        ("record.delete", None, 3),
    ]
    assert verify(shop.tenant).lines >= 1003


def test_what_is_rolled_back_leaves_neither_entry_nor_gap(shop: Running) -> None:
    records = shop.records("boss")
    records.create("contact", {"name": "Ada"})
    before = len(entries(shop, ""))
    with suppress(ZeroDivisionError), shop.tenant.database.together():
        records.create("contact", {"name": "Bob"})
        raise ZeroDivisionError
    with pytest.raises(BadInput):
        records.batch("contact", [{"action": "create", "values": {"name": "C"}},
                                  {"action": "create", "values": {}}], atomic=True)  # fmt: skip
    assert len(entries(shop, "")) == before
    records.create("contact", {"name": "Dan"})
    report = verify(shop.tenant)
    assert (report.entries, report.findings) == (before + 1, ())


def test_a_refused_row_of_a_batch_is_not_told_as_done(shop: Running) -> None:
    rows = [{"action": "create", "values": {"name": "A"}}, {"action": "create", "values": {}}]
    made = shop.records("boss").batch("contact", rows, atomic=False)
    (entry,) = entries(shop, object_name="contact")
    assert (entry["record"], entry["kind"]) == (made[0].id, "record.create")


def test_publishing_is_noted(shop: Running) -> None:
    published = entries(shop, "definitions.publish")
    assert published[-1]["details"]["version"] == shop.tenant.version()


def test_a_refusal_is_noted_after_it(shop: Running) -> None:
    one = shop.records("boss").create("contact", {"name": "Ada"})["id"]
    answer = shop.client("lin").delete(f"/api/v1/records/contact/{one}")
    (entry,) = entries(shop, "refusal")
    assert answer.status_code == 403
    assert told(entry) == ("refusal", shop.user("lin"), "api", "contact", one, NOW)
    assert entry["details"] == {"code": "record.delete.forbidden", "asked": "DELETE /records/{object}/{id}"}


def test_refusals_cannot_fill_the_disk(shop: Running) -> None:
    one = shop.records("boss").create("contact", {"name": "Ada"})["id"]
    client = shop.client("lin")
    for _ in range(40):
        client.delete(f"/api/v1/records/contact/{one}")
    assert len(entries(shop, "refusal")) == 30
    shop.fixed_now = NOW + timedelta(minutes=11)
    client.delete(f"/api/v1/records/contact/{one}")
    assert entries(shop, "refusal")[-1]["details"]["more"] == 10


def test_the_first_refusal_of_a_batch_stands_for_it(shop: Running) -> None:
    one = shop.records("boss").create("contact", {"name": "Ada"})["id"]
    body = {"operations": [{"action": "delete", "id": one}] * 5, "atomic": False}
    shop.client("lin").post("/api/v1/records/contact/batch", json=body)
    (entry,) = entries(shop, "refusal")
    assert (entry["object"], entry["details"]["code"]) == ("contact", "record.delete.forbidden")

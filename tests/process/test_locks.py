"""Does a record stay as it is while an approval runs, with its lines and on every path?"""

from dataclasses import replace
from typing import Any

import pytest

from engine.audit.search import Wanted, find
from engine.errors import Locked, NotFound
from engine.people.handover import hand_over
from engine.process import locks
from engine.service import Records
from engine.store.database import new_id
from engine.testing import Running
from tests.process.orders import NOW, ORDERS
from tests.records.state import refused


def order(site: Running, user: str = "lin", **values: Any) -> dict[str, Any]:
    lines = {"items": [{"text": "pens", "quantity": 2, "parts": [{"name": "cap"}]}], "talks": [{"text": "hello"}]}
    return site.records(user).create("order", {"name": "Pens", "amount": "10.00", **lines, **values})


def locked(site: Running, record: dict[str, Any], user: str = "lin", object_name: str = "order") -> str:
    instance = new_id(NOW)
    ctx = site.context(user)
    with ctx.tenant.database.write() as connection:
        locks.lock(ctx, connection, object_name, record["id"], instance, ("remark", "talks"), "sign_off")
    return instance


def item_of(site: Running, record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = site.records().get("order", record["id"], ("items",))["items"][0]
    return found


def test_refusal_says_by_which_approval_since_when_and_what_to_do(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    with refused(firm, Locked) as refusal:
        firm.records("lin").update("order", record["id"], {"amount": "11.00"})
    assert (refusal.value.code, str(refusal.value)) == (
        "record.locked",
        "this Order is being approved by 'Sign-off' since 2026-11-22 10:15 and stays as it is until that has ended",
    )
    assert refusal.value.fix == "withdraw the approval first"
    with refused(firm, Locked) as other:
        firm.records("boss").delete("order", record["id"])
    assert other.value.fix == "ask 林悦 to withdraw the approval first"


UPDATES: dict[str, dict[str, Any]] = {
    "a field": {"amount": "11.00"},
    "an exempt field with another one": {"remark": "x", "amount": "11.00"},
    "owner with another one": {"owner": None, "amount": "11.00"},
    "a reference": {"client": None},
    "lines": {"items": []},
    "new lines": {"items": [{"text": "ink"}]},
}


@pytest.mark.parametrize("values", UPDATES.values(), ids=UPDATES)
def test_nothing_of_it_is_updated(firm: Running, values: dict[str, Any]) -> None:
    client = firm.records("lin").create("client", {"name": "C"})
    record = order(firm, client=client["id"])
    locked(firm, record)
    with refused(firm, Locked):
        firm.records("lin").update("order", record["id"], values)


def test_exempt_fields_and_lines_and_the_owner_are_written(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    changed = firm.records("lin").update("order", record["id"], {"remark": "late", "talks": [{"text": "bye"}]})
    assert (changed["remark"], [one["text"] for one in changed["talks"]]) == ("late", ["bye"])
    renamed = ORDERS.replace("  remark: {", "  words: {was: remark, ")
    renamed = renamed.replace("  talks: {", "  chats: {was: talks, ")
    firm.publish(renamed.replace("[remark, talks]", "[words, chats]"))
    changed = firm.records("lin").update("order", record["id"], {"words": "later", "chats": [{"text": "hi"}]})
    assert (changed["words"], [one["text"] for one in changed["chats"]]) == ("later", ["hi"])
    sam = firm.user("sam")
    firm.records().update("order", record["id"], {"owner": sam})
    assert firm.records().get("order", record["id"])["owner"] == sam


def test_lines_at_every_depth_are_kept_on_paths_of_their_own(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    item = item_of(firm, record)
    part = item["parts"][0] if "parts" in item else firm.records().get("item", item["id"])["parts"][0]
    records = firm.records("lin")
    paper = {"name": "P", "about": f"order/{record['id']}"}
    other = order(firm)
    for write in (
        lambda: records.update("item", item["id"], {"quantity": 3}),
        lambda: records.delete("item", item["id"]),
        lambda: records.create("item", {"text": "ink", "order": record["id"]}),
        lambda: records.update("part", part["id"], {"name": "lid"}),
        lambda: records.delete("part", part["id"]),
        lambda: records.create("part", {"name": "lid", "item": item["id"]}),
        lambda: records.update("item", item["id"], {"order": other["id"]}),
        lambda: records.update("item", item_of(firm, other)["id"], {"order": record["id"]}),
        lambda: records.create("paper", paper),
        lambda: records.batch("item", [{"action": "create", "values": {"text": "a", "order": record["id"]}}] * 3),
    ):
        with refused(firm, Locked):
            write()
    talk = firm.records().get("order", record["id"], ("talks",))["talks"][0]
    assert records.update("talk", talk["id"], {"text": "free"})["text"] == "free"


def test_other_records_of_the_object_are_free(firm: Running) -> None:
    record, other = order(firm), order(firm)
    locked(firm, record)
    assert firm.records("lin").update("order", other["id"], {"amount": "1.00", "items": []})["amount"] == 1
    firm.records("lin").delete("order", other["id"])


def test_a_batch_refuses_row_by_row(firm: Running) -> None:
    record, other = order(firm), order(firm)
    locked(firm, record)
    operations = [
        {"action": "update", "id": one["id"], "values": {"amount": "2.00"}} for one in (other, record)
    ]  # fmt: skip
    with refused(firm, Locked):
        firm.records("lin").batch("order", operations)
    results = firm.records("lin").batch("order", operations, atomic=False)
    assert [one.error.code if one.error else "" for one in results] == ["", "record.locked"]
    assert firm.records().get("order", other["id"])["amount"] == 2


def test_upsert_is_refused(firm: Running) -> None:
    client = firm.records("lin").create("client", {"name": "C", "code": "c"})
    locked(firm, client, object_name="client")
    with refused(firm, Locked):
        firm.records("lin").upsert("client", "code", "c", {"name": "D"})


def test_a_merge_is_refused_for_master_loser_and_what_refers_to_it(firm: Running) -> None:
    first, second = order(firm), order(firm)
    locked(firm, first)
    for master, other in ((first, second), (second, first)):
        with refused(firm, Locked):
            firm.records("lin").merge("order", master["id"], [other["id"]])
    one, two = (firm.records("lin").create("client", {"name": name}) for name in "ab")
    held = order(firm, client=two["id"])
    locked(firm, held)
    with refused(firm, Locked):
        firm.records("lin").merge("client", one["id"], [two["id"]])


def test_an_unmerge_is_refused(firm: Running) -> None:
    first, second = order(firm), order(firm)
    firm.records("lin").merge("order", first["id"], [second["id"]])
    locked(firm, first)
    with refused(firm, Locked):
        firm.records("lin").unmerge("order", first["id"])


def test_a_line_is_not_restored_into_it(firm: Running) -> None:
    record = order(firm)
    item = item_of(firm, record)
    firm.records("lin").update("order", record["id"], {"items": []})
    locked(firm, record)
    with refused(firm, Locked):
        firm.records("lin").restore("item", item["id"])


def test_what_it_refers_to_is_not_deleted_and_nobody_is_told_who_may_not_see_it(firm: Running) -> None:
    client = firm.records("lin").create("client", {"name": "C"})
    record = order(firm, client=client["id"])
    locked(firm, record)
    with refused(firm, Locked) as seen:
        firm.records("lin").delete("client", client["id"])
    assert seen.value.code == "record.locked"
    for user in ("cleo", "sam"):
        with refused(firm, Locked) as hidden:
            firm.records(user).delete("client", client["id"])
        assert hidden.value.code == "record.locked.hidden"
        assert not hidden.value.problems
        assert "Order" not in str(hidden.value)


def test_roll_ups_of_what_does_not_belong_to_it_go_on(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    firm.records("lin").create("memo", {"name": "m", "order": record["id"]})
    assert firm.records().get("order", record["id"])["memos"] == 1


def test_nobody_is_above_it_not_even_the_system(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    with refused(firm, Locked):
        firm.records().update("order", record["id"], {"amount": "3.00"})


def test_its_owner_is_handed_over(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    report = hand_over(firm.context("boss"), firm.user("lin"), firm.user("sam"))
    assert [(one.object, one.count) for one in report.moved] == [("order", 1), ("item", 1), ("part", 1), ("talk", 1)]
    assert firm.records().get("order", record["id"])["owner"] == firm.user("sam")


def test_unlocked_records_are_free_and_a_second_lock_holds(firm: Running) -> None:
    record = order(firm)
    first, second = locked(firm, record), locked(firm, record)
    ctx = firm.context("lin")
    with ctx.tenant.database.write() as connection:
        locks.unlock(ctx, connection, first)
    with refused(firm, Locked):
        firm.records("lin").update("order", record["id"], {"amount": "3.00"})
    with ctx.tenant.database.write() as connection:
        locks.unlock(ctx, connection, second)
    assert firm.records("lin").update("order", record["id"], {"amount": "3.00"})["amount"] == 3


def test_the_instance_itself_writes_what_it_locked(firm: Running) -> None:
    record = order(firm)
    first = locked(firm, record)
    ctx = firm.context("boss")
    with ctx.tenant.database.together() as connection:
        with locks.exempted(connection, first, ["amount"]):
            firm.records("boss").update("order", record["id"], {"amount": "4.00"})
            with pytest.raises(Locked):
                firm.records("boss").update("order", record["id"], {"cost": "4.00"})
            with pytest.raises(Locked):
                firm.records("boss").update("item", item_of(firm, record)["id"], {"quantity": 4})
        with locks.exempted(connection, first, ["items"]):
            firm.records("boss").update("item", item_of(firm, record)["id"], {"quantity": 5})
        with locks.exempted(connection, first):
            firm.records("boss").update("order", record["id"], {"cost": "5.00"})
        with pytest.raises(Locked):
            firm.records("boss").update("order", record["id"], {"cost": "6.00"})
    found = firm.records().get("order", record["id"], ("amount", "cost", "pieces"))
    assert (found["amount"], found["cost"], found["pieces"]) == (4, 5, 5)


def test_another_instance_does_not_write_it(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    second = locked(firm, record)
    database = firm.tenant.database
    with database.together() as connection, locks.exempted(connection, second), pytest.raises(Locked):
        firm.records("boss").update("order", record["id"], {"cost": "6.00"})


def test_pages_ask_what_is_locked(firm: Running) -> None:
    record, other = order(firm), order(firm)
    instance = locked(firm, record)
    found = locks.locked_by(firm.context("lin"), "order", [record["id"], other["id"]])
    assert list(found) == [record["id"]]
    held = found[record["id"]]
    assert (held.instance, held.label, held.since, held.by) == (instance, "Sign-off", NOW, firm.user("lin"))
    assert held.exempt == {"remark", "talks"}
    item = item_of(firm, record)
    assert locks.locked_by(firm.context("lin"), "item", [item["id"]])[item["id"]].record == record["id"]
    assert locks.locked_by(firm.context("lin"), "client", [record["id"]]) == {}


def test_what_is_gone_is_not_locked(firm: Running) -> None:
    record = order(firm)
    firm.records("lin").delete("order", record["id"])
    ctx = firm.context("lin")
    with ctx.tenant.database.write() as connection, pytest.raises(NotFound):
        locks.lock(ctx, connection, "order", record["id"], new_id(NOW))


def test_an_administrator_of_processes_overrides_it_with_a_reason_that_is_noted(firm: Running) -> None:
    record = order(firm)
    instance = locked(firm, record)
    with refused(firm, Locked):
        Records(replace(firm.context("lin"), override="I want to")).update("order", record["id"], {"amount": "7.00"})
    with refused(firm, Locked):
        firm.records("pat").update("order", record["id"], {"amount": "7.00"})
    Records(replace(firm.context("pat"), override="a slip")).update("order", record["id"], {"amount": "7.00"})
    assert firm.records().get("order", record["id"])["amount"] == 7
    [entry] = find(firm.context("boss"), Wanted(kind="record.override"))[0]
    assert (entry.record, entry.details["instance"], entry.details["reason"], entry.details["fields"]) == (
        record["id"], instance, "a slip", ["amount"],
    )  # fmt: skip


def test_the_api_answers_423_and_takes_a_reason_from_administrators(firm: Running) -> None:
    record = order(firm)
    locked(firm, record)
    path, sent = f"/api/v1/records/order/{record['id']}", {"amount": 8}
    answer = firm.client("lin").patch(path, json=sent)
    assert (answer.status_code, answer.json()["code"]) == (423, "record.locked")
    assert [one["code"] for one in answer.json()["problems"]] == ["record.locked.own"]
    assert firm.client("lin").delete(path).status_code == 423
    assert firm.client("lin").patch(path, json=sent, headers={"Override-Lock": "mine"}).status_code == 403
    assert firm.client("pat").patch(path, json=sent, headers={"Override-Lock": " "}).status_code == 400
    assert firm.client("pat").patch(path, json=sent).status_code == 423
    assert firm.client("pat").patch(path, json=sent, headers={"Override-Lock": "%E7%AC%94%E8%AF%AF"}).status_code == 200
    [entry] = find(firm.context("boss"), Wanted(kind="record.override"))[0]
    assert entry.details["reason"] == "笔误"


def test_what_an_approval_leaves_open_is_not_deleted_while_it_runs(open_desk: Any) -> None:
    desk = open_desk("- approve: head\n  approvers: [{user: bo}]\n", "lock: none")
    desk.submit()
    desk.site.records("ada").update("quote", desk.record, {"amount": 70})
    with refused(desk.site, Locked) as refusal:
        desk.site.records().delete("quote", desk.record)
    assert "is being approved by 'Discount' since" in str(refusal.value)
    other = desk.site.records().create("quote", {"name": "Q"})["id"]
    with refused(desk.site, Locked):
        desk.site.records().merge("quote", other, [desk.record])
    over = Records(replace(desk.site.context(), override="a double"))
    over.delete("quote", desk.record)
    told = find(desk.site.context(), Wanted(kind="record.override"))[0]
    assert [(one.record, one.details["reason"], one.details["fields"]) for one in told] == [
        (desk.record, "a double", ["deleted_at"])
    ]
    desk.record = ""
    desk.submit()
    desk.act("bo", "approve")
    desk.site.records().delete("quote", desk.record)

from datetime import timedelta

from engine.errors import Conflict, Forbidden, NotFound, Stale
from engine.service import Query, Records
from engine.testing import Running
from tests.records.conftest import COMPANY
from tests.records.state import refused


def living(records: Records, object_name: str) -> list[str]:
    return [row["id"] for row in records.list(Query(object_name, ("id",))).records]


def test_deleted_record_is_gone_from_everywhere_but_the_trash(firm: Running) -> None:
    boss = firm.records("boss")
    account = boss.create("account", {"name": "Acme"})
    other = boss.create("account", {"name": "Child", "parent": account["id"]})
    assert boss.get("account", other["id"], ("parent.name",))["parent.name"] == "Acme"
    boss.delete("account", account["id"], if_version=1)
    assert living(boss, "account") == [other["id"]]
    assert boss.options("account", "Acme") == []
    assert boss.titles("account", [account["id"]]) == {}
    assert boss.get("account", other["id"], ("parent.name",))["parent.name"] is None
    with refused(firm, NotFound):
        boss.get("account", account["id"])
    with refused(firm, NotFound):
        boss.update("account", account["id"], {"name": "x"})
    with refused(firm, NotFound):
        boss.delete("account", account["id"])
    trash = boss.list(Query("account", ("name",), in_trash=True)).records
    assert [(row["name"], row["version"]) for row in trash] == [("Acme", 2)]
    assert [change.action for change in boss.history("account", account["id"])] == ["delete", "create"]


def test_restrict_names_what_holds_the_record(firm: Running) -> None:
    boss = firm.records("boss")
    account = boss.create("account", {"name": "Acme"})
    deal = boss.create("deal", {"name": "a", "account": account["id"]})
    boss.create("deal", {"name": "b", "account": account["id"]})
    with refused(firm, Conflict) as refusal:
        boss.delete("account", account["id"])
    assert refusal.value.code == "delete.restricted"
    assert str(refusal.value) == "this account is referred to by 2 deal by 'account'"
    assert refusal.value.problems[0].values == (("object", "deal"), ("field", "account"), ("count", 2))
    with refused(firm, Conflict):  # owns records
        boss.delete("user", firm.user("boss"))
    boss.update("deal", deal["id"], {"account": None})


def test_cascade_and_blanked_references_come_back_as_they_were(firm: Running) -> None:
    boss = firm.records("boss")
    deal = boss.create("deal", {"name": "d"})
    lines = [boss.create("line", {"product": f"p{i}", "deal": deal["id"], "position": i})["id"] for i in range(3)]
    by_deal = boss.create("note", {"name": "by deal", "deal": deal["id"]})
    by_line = boss.create("note", {"name": "by line", "line": lines[0]})
    boss.delete("line", lines[2])  # by itself, before
    boss.delete("deal", deal["id"])
    assert living(boss, "line") == []
    assert boss.get("note", by_deal["id"])["deal"] is None
    assert boss.get("note", by_line["id"])["line"] is None
    assert boss.history("note", by_deal["id"])[0].changes == {"deal": (deal["id"], None)}
    with refused(firm, Conflict) as refusal:
        boss.restore("line", lines[0])
    assert refusal.value.code == "restore.together"
    firm.fixed_now += timedelta(hours=1)
    restored = firm.records("boss").restore("deal", deal["id"])
    assert (restored["name"], restored["version"]) == ("d", 3)
    assert sorted(living(boss, "line")) == sorted(lines[:2])
    assert boss.get("note", by_deal["id"])["deal"] == deal["id"]
    assert boss.get("note", by_line["id"])["line"] == lines[0]
    assert [change.action for change in boss.history("deal", deal["id"])] == ["restore", "delete", "create"]
    assert boss.restore("line", lines[2])["deal"] == deal["id"]


def test_restoring_keeps_what_was_written_since(firm: Running) -> None:
    boss = firm.records("boss")
    first, second = (boss.create("deal", {"name": name})["id"] for name in "ab")
    note = boss.create("note", {"name": "n", "deal": first})["id"]
    boss.delete("deal", first)
    boss.update("note", note, {"deal": second})
    boss.restore("deal", first)
    assert boss.get("note", note)["deal"] == second


def test_restoring_refuses_where_the_parent_is_still_deleted(firm: Running) -> None:
    boss = firm.records("boss")
    deal = boss.create("deal", {"name": "d"})
    line = boss.create("line", {"product": "p", "deal": deal["id"]})
    boss.delete("line", line["id"])
    boss.delete("deal", deal["id"])
    with refused(firm, Conflict) as refusal:
        boss.restore("line", line["id"])
    assert [(problem.path, problem.code) for problem in refusal.value.problems] == [("deal", "restore.reference")]
    boss.restore("deal", deal["id"])
    assert boss.restore("line", line["id"])["version"] == 3
    with refused(firm, Conflict):
        boss.restore("line", line["id"])
    with refused(firm, NotFound):
        boss.restore("line", "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3")


def test_reference_to_a_record_deleted_since_comes_back_blank(firm: Running) -> None:
    boss = firm.records("boss")
    parent = boss.create("account", {"name": "p"})
    child = boss.create("account", {"name": "c", "parent": parent["id"]})
    boss.delete("account", child["id"])
    boss.delete("account", parent["id"])
    assert boss.restore("account", child["id"])["parent"] is None


def test_records_that_refer_to_each_other_are_deleted_and_restored(firm: Running) -> None:
    boss = firm.records("boss")
    one = boss.create("account", {"name": "1"})
    two = boss.create("account", {"name": "2", "parent": one["id"]})
    boss.update("account", one["id"], {"parent": two["id"]})
    boss.update("account", two["id"], {"parent": one["id"]})
    boss.delete("account", one["id"])
    assert boss.get("account", two["id"])["parent"] is None
    assert boss.restore("account", one["id"])["parent"] == two["id"]
    assert boss.get("account", two["id"])["parent"] == one["id"]


def test_restrict_does_not_name_what_is_hidden(firm: Running) -> None:
    """Wen may delete accounts, but may not read deals."""
    boss = firm.records("boss")
    firm.publish(
        COMPANY.replace(
            "  note: [create]\n  deal: {can: [update], rows: \"stage == 'new'\"}", "  account: [read, delete]"
        )
    )
    account = boss.create("account", {"name": "Acme"})
    boss.create("deal", {"name": "a", "account": account["id"]})
    with refused(firm, Conflict) as refusal:
        firm.records("wen").delete("account", account["id"])
    assert str(refusal.value) == "this account is referred to by records that you may not see"


def test_deletion_asks_for_its_own_right_and_version(firm: Running) -> None:
    boss = firm.records("boss")
    deal = boss.create("deal", {"name": "a", "amount": 5000})
    with refused(firm, Forbidden):
        firm.records("ann").delete("deal", deal["id"])
    with refused(firm, Stale):
        boss.delete("deal", deal["id"], if_version=7)
    with refused(firm, NotFound):
        firm.records("sam").delete("deal", deal["id"])
    boss.delete("deal", deal["id"])
    with refused(firm, Forbidden):
        firm.records("ann").restore("deal", deal["id"])
    with refused(firm, NotFound):
        firm.records("sam").restore("deal", deal["id"])
    assert firm.records("sam").list(Query("deal", in_trash=True)).records == []

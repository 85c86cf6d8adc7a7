"""One record of two or three, and two or three of one again: values, references, rights, refusals."""

from datetime import timedelta
from typing import Any

import pytest

from engine.errors import BadInput, Conflict, Forbidden, NotFound, Stale
from engine.service import Query
from engine.service_answers import Place
from engine.testing import Running
from tests.records.state import state as state_of

Records = dict[str, str]


@pytest.fixture
def accounts(firm: Running) -> Records:
    """Acme with a deal, Acme Ltd with two deals and a vault entry, and Other."""
    records = firm.records("boss")
    made = {
        name: records.create("account", {"name": name, **values})["id"]
        for name, values in {
            "Acme": {"credit": 10},
            "Acme Ltd": {"code": "A1", "credit": "12345678901.2345"},
            "Other": {"code": "O1"},
        }.items()
    }
    for name, account in (("d1", "Acme"), ("d2", "Acme Ltd"), ("d3", "Acme Ltd")):
        made[name] = records.create("deal", {"name": name, "account": made[account]})["id"]
    made["secret"] = records.create("vault", {"name": "s", "account": made["Acme Ltd"]})["id"]
    return made


def held(firm: Running, object_name: str, record_id: str, *fields: str) -> list[Any]:
    record = firm.records("boss").get(object_name, record_id, fields)
    return [record[name] for name in fields]


def actions(firm: Running, object_name: str, record_id: str) -> list[tuple[str, dict[str, Any], Any]]:
    """(action, changes, ids that went into it or the id that it went into)"""
    found = firm.records("boss").history(object_name, record_id)
    return [(one.action, dict(one.changes), one.into or tuple(one.others)) for one in found]


def test_values_are_taken_references_moved_and_the_others_deleted(firm: Running, accounts: Records) -> None:
    master, loser = accounts["Acme"], accounts["Acme Ltd"]
    merged = firm.records("boss").merge("account", master, [loser], {"code": loser, "name": master, "credit": loser})
    assert (merged.record["name"], merged.record["code"], merged.record["version"]) == ("Acme", "A1", 2)
    assert str(merged.record["credit"]) == "12345678901.2345"
    assert (merged.others, merged.moved) == ((loser,), {("deal", "account"): 2, ("vault", "account"): 1})
    assert [held(firm, "deal", accounts[one], "account") for one in ("d1", "d2", "d3")] == [[master]] * 3
    assert held(firm, "vault", accounts["secret"], "account") == [master]
    with pytest.raises(NotFound):
        firm.records("boss").get("account", loser)
    trash = firm.records("boss").page(Query("account", ("name",), in_trash=True))
    assert trash.ids == [loser]


def test_every_touched_record_has_it_in_its_history(firm: Running, accounts: Records) -> None:
    master, loser = accounts["Acme"], accounts["Acme Ltd"]
    firm.records("boss").merge("account", master, [loser], {"code": loser})
    assert actions(firm, "account", master)[0] == ("merge", {"code": (None, "A1")}, (loser,))
    assert actions(firm, "account", loser)[0] == ("merge", {}, master)
    assert actions(firm, "deal", accounts["d2"])[0] == ("merge", {"account": (loser, master)}, ())
    assert actions(firm, "deal", accounts["d1"])[0][0] == "create"


def test_three_become_one_and_three_again(firm: Running, accounts: Records) -> None:
    records, master = firm.records("boss"), accounts["Acme"]
    losers = [accounts["Acme Ltd"], accounts["Other"]]
    before = [records.get("account", one) for one in (master, *losers)]
    records.merge("account", master, losers, {"code": losers[1], "credit": losers[0]})
    assert held(firm, "account", master, "code", "credit") == ["O1", 12345678901.2345]
    back = records.unmerge("account", master)
    assert (back.others, back.moved, back.kept) == (
        tuple(losers),
        {("deal", "account"): 2, ("vault", "account"): 1},
        (),
    )
    after = [records.get("account", one) for one in (master, *losers)]
    changed = {"version", "modified_at", "modified_by"}
    assert [{k: v for k, v in one.items() if k not in changed} for one in before] == [
        {k: v for k, v in one.items() if k not in changed} for one in after
    ]
    assert [held(firm, "deal", accounts[one], "account") for one in ("d1", "d2", "d3")] == [
        [master], [losers[0]], [losers[0]],
    ]  # fmt: skip
    assert [actions(firm, "account", one)[0][0] for one in (master, *losers)] == ["unmerge"] * 3
    with pytest.raises(NotFound, match="nothing was merged into this account"):
        records.unmerge("account", master)


def test_what_changed_since_stays_and_is_told(firm: Running, accounts: Records) -> None:
    records, master, loser = firm.records("boss"), accounts["Acme"], accounts["Acme Ltd"]
    records.merge("account", master, [loser], {"code": loser, "credit": loser})
    records.update("account", master, {"credit": 99})
    records.update("deal", accounts["d2"], {"account": accounts["Other"]})
    late = records.create("deal", {"name": "late", "account": master})["id"]
    back = records.unmerge("account", master)
    assert set(back.kept) == {Place("account", master, "credit"), Place("deal", accounts["d2"], "account")}
    assert held(firm, "account", master, "credit", "code") == [99.0, None]
    assert held(firm, "account", loser, "credit", "code") == [12345678901.2345, "A1"]
    owners = [held(firm, "deal", one, "account")[0] for one in (accounts["d2"], accounts["d3"], late)]
    assert owners == [accounts["Other"], loser, master]


def test_a_merge_is_taken_back_for_thirty_days(firm: Running, accounts: Records) -> None:
    start, master, loser = firm.now, accounts["Acme"], accounts["Acme Ltd"]
    firm.records("boss").merge("account", master, [loser])
    firm.fixed_now = start + timedelta(days=30, seconds=1)
    with pytest.raises(Conflict, match="older than 30 days") as refused:
        firm.records("boss").unmerge("account", master)
    assert refused.value.code == "merge.old"
    firm.fixed_now = start + timedelta(days=30)
    assert firm.records("boss").unmerge("account", master).others == (loser,)


def test_merges_are_taken_back_from_the_last_one(firm: Running, accounts: Records) -> None:
    records = firm.records("boss")
    records.merge("account", accounts["Acme"], [accounts["Acme Ltd"]])
    records.merge("account", accounts["Other"], [accounts["Acme"]])
    assert held(firm, "deal", accounts["d2"], "account") == [accounts["Other"]]
    with pytest.raises(Conflict, match="this account is in the trash"):
        records.unmerge("account", accounts["Acme"])
    records.unmerge("account", accounts["Other"])
    records.unmerge("account", accounts["Acme"])
    assert held(firm, "deal", accounts["d2"], "account") == [accounts["Acme Ltd"]]


def test_a_loser_may_be_restored_alone_and_the_merge_taken_back_after(firm: Running, accounts: Records) -> None:
    records, master, loser = firm.records("boss"), accounts["Acme"], accounts["Acme Ltd"]
    records.merge("account", master, [loser])
    assert records.restore("account", loser)["name"] == "Acme Ltd"
    assert held(firm, "deal", accounts["d2"], "account") == [master]
    assert records.unmerge("account", master).others == ()
    assert held(firm, "deal", accounts["d2"], "account") == [loser]


def test_records_that_refer_to_each_other_do_not_refer_to_themselves(firm: Running, accounts: Records) -> None:
    records, master, loser = firm.records("boss"), accounts["Acme"], accounts["Acme Ltd"]
    records.update("account", master, {"parent": loser})
    records.update("account", loser, {"parent": accounts["Other"]})
    records.update("account", accounts["Other"], {"parent": loser})
    records.merge("account", master, [loser])
    assert held(firm, "account", master, "parent") == [None]
    assert held(firm, "account", accounts["Other"], "parent") == [master]
    records.unmerge("account", master)
    assert [held(firm, "account", accounts[one], "parent")[0] for one in ("Acme", "Acme Ltd", "Other")] == [
        loser, accounts["Other"], loser,
    ]  # fmt: skip


def test_records_in_the_trash_come_back_to_the_master(firm: Running, accounts: Records) -> None:
    records, master = firm.records("boss"), accounts["Acme"]
    records.delete("deal", accounts["d2"])
    records.merge("account", master, [accounts["Acme Ltd"]])
    assert records.restore("deal", accounts["d2"])["account"] == master


@pytest.fixture
def deals(firm: Running) -> Records:
    records = firm.records("lin")
    made = {name: records.create("deal", {"name": name})["id"] for name in ("one", "two")}
    for name, position in (("one", 1), ("two", 1), ("two", 2)):
        made[f"{name}{position}"] = records.create(
            "line", {"product": f"{name} {position}", "deal": made[name], "position": position}
        )["id"]
    return made


def test_what_would_be_there_twice_refuses_the_whole_merge(firm: Running, deals: Records) -> None:
    before = state_of(firm)
    with pytest.raises(Conflict) as refused:
        firm.records("lin").merge("deal", deals["one"], [deals["two"]], {"name": deals["two"]})
    assert refused.value.code == "merge.unique"
    assert str(refused.value) == "two records of 'line' would have the same 'deal' and 'position'"
    assert state_of(firm) == before
    firm.records("lin").update("line", deals["two1"], {"position": 3})
    merged = firm.records("lin").merge("deal", deals["one"], [deals["two"]])
    assert merged.moved == {("line", "deal"): 2}


def test_a_clash_of_records_that_one_may_not_see_tells_nothing_of_them(firm: Running, accounts: Records) -> None:
    # The role "broker" below does not read the vault.
    package = firm.folder / "package" / "package.yaml"
    text = package.read_text(encoding="utf-8").replace(
        "account: {type: reference, to: account, label: Account}\n---\nrole: seller",
        "account: {type: reference, to: account, label: Account, unique: true}\n---\nrole: broker\nlabel: Broker\n"
        "objects:\n  account: [read, update, delete]\n---\nrole: seller",
    )
    firm.publish(text)
    firm.user("bo", "broker")
    firm.records("boss").create("vault", {"name": "t", "account": accounts["Acme"]})
    with pytest.raises(Conflict) as refused:
        firm.records("bo").merge("account", accounts["Acme"], [accounts["Acme Ltd"]])
    assert (refused.value.code, refused.value.problems) == ("merge.hidden", ())
    assert "vault" not in str(refused.value)
    firm.records("boss").delete("vault", accounts["secret"])
    merged = firm.records("bo").merge("account", accounts["Acme"], [accounts["Acme Ltd"]])
    assert merged.moved == {}


def test_one_needs_to_change_the_master_and_to_delete_the_others(firm: Running, deals: Records) -> None:
    other = firm.records("sam").create("deal", {"name": "three"})["id"]
    before = state_of(firm)
    with pytest.raises(NotFound):  # seen by sam alone
        firm.records("lin").merge("deal", deals["one"], [other])
    with pytest.raises(NotFound):
        firm.records("lin").merge("deal", other, [deals["one"]])
    with pytest.raises(Forbidden):
        firm.records("ann").merge("deal", deals["one"], [deals["two"]])
    with pytest.raises(NotFound):
        firm.records("nobody").merge("deal", deals["one"], [deals["two"]])
    with pytest.raises(NotFound):
        firm.records("nobody").unmerge("deal", deals["one"])
    assert state_of(firm) == before


def test_versions_and_choices_are_checked_and_all_that_is_wrong_is_said(firm: Running, deals: Records) -> None:
    records, one, two = firm.records("lin"), deals["one"], deals["two"]
    with pytest.raises(Stale):
        records.merge("deal", one, [two], if_versions={one: 1, two: 2})
    with pytest.raises(BadInput) as refused:
        records.merge(
            "deal", one, [two, two], {"nmae": two, "number": two, "fixed": two, "amount": "x"}, {"y": 1}
        )  # fmt: skip
    assert [(p.path, p.code, p.fix) for p in refused.value.problems] == [
        ("others", "merge.others", ""),
        ("values.nmae", "field.unknown", "write 'name'?"),
        ("values.number", "value.read_only", "leave it out"),
        ("values.fixed", "value.read_only", "leave it out"),
        ("values.amount", "merge.source", f"write '{one}'?"),
        ("if_versions.y", "merge.source", ""),
    ]
    for others in ([], [one], [two, "a", "b"]):
        with pytest.raises(BadInput):
            records.merge("deal", one, others)
    with pytest.raises(NotFound):
        records.merge("deal", one, ["not an id"])


def test_a_required_field_keeps_a_value(firm: Running, deals: Records) -> None:
    records = firm.records()
    lines = [records.create("line", {"product": name, "deal": deals["one"]})["id"] for name in ("a", "b")]
    merged = records.merge("line", lines[0], [lines[1]], {"position": lines[1], "product": lines[1]})
    assert (merged.record["product"], merged.record["position"]) == ("b", None)


def test_undoing_is_refused_where_a_value_was_taken_meanwhile(firm: Running, accounts: Records) -> None:
    records, master, loser = firm.records("boss"), accounts["Acme"], accounts["Acme Ltd"]
    records.merge("account", master, [loser])
    records.create("account", {"name": "New", "code": "A1"})
    before = state_of(firm)
    with pytest.raises(Conflict, match="another account has the same 'code'"):
        records.unmerge("account", master)
    assert state_of(firm) == before

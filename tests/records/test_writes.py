from datetime import timedelta
from decimal import Decimal

import pytest

from engine.errors import BadInput, Conflict, Forbidden, NotFound, Stale
from engine.service import Query
from engine.testing import Running
from tests.records.state import refused, state

ABSENT = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"


def codes(error: BadInput | Conflict) -> dict[str, str]:
    return {problem.path: problem.code for problem in error.problems}


def test_new_record_has_defaults_number_owner_and_version(firm: Running) -> None:
    lin = firm.user("lin")
    made = firm.records("lin").create("deal", {"name": "  Pumps ", "amount": 10.5, "notes": "   "})
    assert made["name"] == "Pumps"
    assert made["notes"] is None
    assert (made["stage"], made["number"], made["fixed"], made["amount"]) == ("new", "D-2026-0001", "set", 10.5)
    assert (made["version"], made["owner"], made["created_by"], made["modified_by"]) == (1, lin, lin, lin)
    assert made["created_at"] == made["modified_at"] == "2026-11-22T02:15:00.123Z"
    assert firm.records("lin").get("deal", made["id"]) == made


def test_all_problems_of_a_record_come_at_once(firm: Running) -> None:
    values = {"amount": "much", "stage": "vip", "nmae": 1, "version": 3, "deleted_at": None, "count": 2**63, "id": "x"}
    with refused(firm, BadInput) as refusal:
        firm.records("boss").create("deal", values)
    assert codes(refusal.value) == {
        "amount": "value.number",
        "stage": "value.choice.unknown",
        "nmae": "field.unknown",
        "version": "field.system",
        "deleted_at": "field.system",
        "count": "value.integer.size",
        "id": "field.system",
        "name": "value.required",
    }
    fixes = {problem.path: problem.fix for problem in refusal.value.problems}
    assert fixes["nmae"] == "write 'name'?"


def test_read_only_and_numbered_fields_are_refused_only_when_they_would_change(firm: Running) -> None:
    records = firm.records("boss")
    made = records.create("deal", {"name": "a", "fixed": "set", "number": None})
    assert records.update("deal", made["id"], {"fixed": "set", "number": "D-2026-0001"})["version"] == 1
    with refused(firm, BadInput) as refusal:
        records.update("deal", made["id"], {"fixed": "other", "number": "D-1"})
    assert codes(refusal.value) == {"fixed": "value.read_only", "number": "value.read_only"}
    with refused(firm, BadInput):
        records.create("deal", {"name": "a", "fixed": "other"})


def test_retired_choice_stays_but_does_not_come_anew(firm: Running) -> None:
    with refused(firm, BadInput) as refusal:
        firm.records("boss").create("deal", {"name": "a", "stage": "old"})
    assert codes(refusal.value) == {"stage": "value.choice.retired"}


def test_update_counts_the_version_and_keeps_old_and_new_values(firm: Running) -> None:
    records = firm.records("boss")
    made = records.create("deal", {"name": "a", "amount": "1.10"})
    firm.fixed_now += timedelta(hours=1)
    records = firm.records("lin" if False else "boss")
    changed = records.update("deal", made["id"], {"amount": Decimal("2.20"), "name": "a", "tags": ["risk", "vip"]}, 1)
    assert (changed["version"], changed["amount"], changed["tags"]) == (2, 2.2, ["vip", "risk"])
    assert changed["created_at"] == "2026-11-22T02:15:00.123Z"
    assert changed["modified_at"] == "2026-11-22T03:15:00.123Z"
    newest, oldest = records.history("deal", made["id"])
    assert (newest.action, newest.version, newest.by_name) == ("update", 2, "The Boss")
    assert newest.changes == {"amount": (1.1, 2.2), "tags": (None, ["vip", "risk"])}
    assert newest.at == firm.fixed_now
    assert (oldest.action, oldest.changes["name"], oldest.changes["number"]) == (
        "create",
        (None, "a"),
        (None, "D-2026-0001"),
    )


def test_update_that_changes_nothing_leaves_the_record_alone(firm: Running) -> None:
    records = firm.records("boss")
    values = {"name": "a", "amount": "5", "close_date": "2026-12-01", "called_at": "2026-12-01T10:00:00+08:00",
              "opens_at": "08:30", "is_hot": False, "tags": ["vip"], "count": 3, "rate": "2.5"}  # fmt: skip
    made = records.create("deal", values)
    before = state(firm)
    assert records.update("deal", made["id"], values | {"notes": "  "})["version"] == 1
    assert state(firm) == before


def test_stale_version_is_refused(firm: Running) -> None:
    records = firm.records("boss")
    made = records.create("deal", {"name": "a"})
    records.update("deal", made["id"], {"name": "b"})
    with refused(firm, Stale):
        records.update("deal", made["id"], {"name": "c"}, if_version=1)
    with refused(firm, Stale):
        records.delete("deal", made["id"], if_version=1)


def test_reference_must_lead_to_a_living_record_that_the_writer_sees(firm: Running) -> None:
    boss, lin = firm.records("boss"), firm.records("lin")
    hidden = boss.create("account", {"name": "Hidden"})
    shown = boss.create("account", {"name": "Open", "code": "open"})
    assert lin.create("deal", {"name": "a", "account": shown["id"]})["account"] == shown["id"]
    for target in (hidden["id"], ABSENT):
        with refused(firm, BadInput) as refusal:
            lin.create("deal", {"name": "a", "account": target})
        assert codes(refusal.value) == {"account": "reference.unknown"}
        assert refusal.value.problems[0].message == f"'account': no account has the id '{target}'"
    boss.delete("account", hidden["id"])
    with refused(firm, BadInput):
        boss.create("deal", {"name": "a", "account": hidden["id"]})
    with refused(firm, BadInput):
        boss.create("deal", {"name": "a", "owner": ABSENT})


def test_unique_value_is_refused_at_its_field(firm: Running) -> None:
    records = firm.records("boss")
    first = records.create("account", {"name": "a", "code": "A"})
    with refused(firm, Conflict) as refusal:
        records.create("account", {"name": "b", "code": "A"})
    assert codes(refusal.value) == {"code": "value.unique"}
    other = records.create("account", {"name": "b", "code": "B"})
    with refused(firm, Conflict):
        records.update("account", other["id"], {"code": "A"})
    records.delete("account", first["id"])
    assert records.update("account", other["id"], {"code": "A"})["code"] == "A"
    with refused(firm, Conflict) as refusal:
        records.restore("account", first["id"])
    assert codes(refusal.value) == {"code": "value.unique"}


def test_fields_that_are_unique_together_are_both_named(firm: Running) -> None:
    records = firm.records("boss")
    deal = records.create("deal", {"name": "a"})
    records.create("line", {"product": "p", "deal": deal["id"], "position": 1})
    with refused(firm, Conflict) as refusal:
        records.create("line", {"product": "q", "deal": deal["id"], "position": 1})
    assert codes(refusal.value) == {"deal": "value.unique", "position": "value.unique"}


def test_numbers_have_no_gap_after_a_refusal_and_start_again_each_year(firm: Running) -> None:
    records = firm.records("boss")
    account = records.create("account", {"name": "a", "code": "A"})
    numbers = [records.create("deal", {"name": "a"})["number"]]
    with refused(firm, BadInput):
        records.create("deal", {"name": "b", "account": ABSENT})
    numbers.append(records.create("deal", {"name": "b", "account": account["id"]})["number"])
    firm.fixed_now += timedelta(days=60)
    numbers.append(firm.records("boss").create("deal", {"name": "c"})["number"])
    assert numbers == ["D-2026-0001", "D-2026-0002", "D-2027-0001"]


def test_row_rule_holds_before_and_after_an_update(firm: Running) -> None:
    lin, sam = firm.user("lin"), firm.user("sam")
    records = firm.records("lin")
    mine = records.create("deal", {"name": "mine"})
    with refused(firm, Forbidden):
        records.update("deal", mine["id"], {"owner": sam})
    with refused(firm, Forbidden):
        records.create("deal", {"name": "theirs", "owner": sam})
    theirs = firm.records("sam").create("deal", {"name": "theirs"})
    with refused(firm, NotFound):
        records.update("deal", theirs["id"], {"name": "x"})
    with refused(firm, NotFound):
        records.delete("deal", theirs["id"])
    assert records.update("deal", mine["id"], {"owner": lin, "name": "still mine"})["version"] == 2


def test_row_rule_through_a_reference_holds_for_new_records(firm: Running) -> None:
    lin, sam = firm.records("lin"), firm.records("sam")
    deal = lin.create("deal", {"name": "d"})
    assert lin.create("line", {"product": "p", "deal": deal["id"]})["product"] == "p"
    with refused(firm, BadInput):  # to Sam the deal does not exist
        sam.create("line", {"product": "p", "deal": deal["id"]})
    own = sam.create("deal", {"name": "own"})
    line = sam.create("line", {"product": "p", "deal": own["id"]})
    with refused(firm, BadInput):
        sam.update("line", line["id"], {"deal": deal["id"]})


def test_who_may_only_create_learns_no_more_than_the_id(firm: Running) -> None:
    records = firm.records("wen")
    made = records.create("note", {"name": "a"})
    assert set(made) == {"id", "version"}
    with refused(firm, NotFound):
        records.get("note", made["id"])
    deal = firm.records("boss").create("deal", {"name": "a"})
    with refused(firm, NotFound):  # may update, but may not read: as if it did not exist
        records.update("deal", deal["id"], {"name": "b"})


def test_what_a_role_does_not_grant_is_forbidden_or_unknown(firm: Running) -> None:
    deal = firm.records("boss").create("deal", {"name": "a", "amount": 5000})
    ann = firm.records("ann")
    assert ann.get("deal", deal["id"])["name"] == "a"
    for refuse in (
        lambda: ann.create("deal", {"name": "b"}),
        lambda: ann.update("deal", deal["id"], {"name": "b"}),
        lambda: ann.delete("deal", deal["id"]),
    ):
        with refused(firm, Forbidden):
            refuse()
    for object_name in ("vault", "no_such", "line"):
        with refused(firm, NotFound) as refusal:
            ann.create(object_name, {"name": "x"})
        assert str(refusal.value) == f"no object '{object_name}'"


def test_upsert_creates_once_and_then_updates(firm: Running) -> None:
    records = firm.records("boss")
    made, is_new = records.upsert("account", "code", "A1", {"name": "Acme"})
    assert (is_new, made["code"], made["version"]) == (True, "A1", 1)
    again, is_new = records.upsert("account", "code", "A1", {"name": "Acme 2", "code": "A1"})
    assert (is_new, again["id"], again["version"]) == (False, made["id"], 2)
    for field, values in (("name", {}), ("nosuch", {}), ("code", {"code": "B"})):
        with refused(firm, BadInput):
            records.upsert("account", field, "A1", {"name": "x"} | values)
    assert len(records.list(Query("account")).records) == 1


def test_upsert_does_not_tell_of_a_record_that_is_hidden(firm: Running) -> None:
    firm.records("boss").create("account", {"name": "a", "code": "X"})
    with refused(firm, Forbidden):
        firm.records("lin").upsert("account", "code", "X", {"name": "b"})
    with refused(firm, Forbidden):
        firm.records("lin").upsert("account", "code", "Y", {"name": "b"})


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x\udfff"])
def test_text_that_a_database_cannot_hold_is_refused(firm: Running, text: str) -> None:
    with refused(firm, BadInput) as refusal:
        firm.records("boss").create("deal", {"name": text, "notes": text})
    assert codes(refusal.value) == {"name": "value.text.character", "notes": "value.text.character"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -(10**19), "1e5", True, [1], {"a": 1}])
def test_odd_numbers_are_refused(firm: Running, value: object) -> None:
    with refused(firm, BadInput) as refusal:
        firm.records("boss").create("deal", {"name": "a", "amount": value, "count": value})
    assert set(codes(refusal.value)) == {"amount", "count"}


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE deal; --", '" OR 1=1', "%_\\", "$1 ? :x %s {}", "NULL", "\u202e", "🎉"]
)
def test_signs_of_sql_are_letters_like_others(firm: Running, text: str) -> None:
    records = firm.records("boss")
    made = records.create("deal", {"name": text, "notes": text})
    assert made["name"] == text
    assert [row["id"] for row in records.list(Query("deal", conditions=(("name", "=", text),))).records] == [made["id"]]
    assert len(records.list(Query("deal", search=text)).records) == 1
    assert records.options("deal", text) == [(made["id"], text, text)]
    assert records.list(Query("deal", search=text + "x")).records == []

"""Records that may be the same thing: refused or warned of on every way in, and told only as far as one may see."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.cli import main
from engine.errors import Candidate, Conflict, NeedsConfirmation
from engine.service import Query, Records
from engine.store.database import Connection
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
PACKAGE = """
package: office
version: 1.0.0
label: Office
languages: [en, zh-CN]
---
object: firm
label: Firm
fields:
  name: {type: text, label: Name, required: true}
  phone: {type: phone, label: Phone}
  city: {type: text, label: City}
  status: {type: choice, label: Status, choices: {live: Live, dropped: Dropped}}
  number: {type: autonumber, label: Number, format: "F-{0000}"}
duplicates:
  - rule: same_firm
    match: {name: company, phone: phone}
    action: block
    filter: "status != 'dropped'"
  - rule: same_phone
    match: {phone: phone}
    message: {en: Is this firm new?, zh-CN: 这是新公司吗？}
---
object: person
label: Person
fields:
  name: {type: text, label: Name}
  email: {type: email, label: Mail}
  firm: {type: reference, to: firm, label: Firm}
  born_on: {type: date, label: Born}
  weight: {type: decimal, label: Weight}
duplicates:
  - rule: same_person
    match: {name: {how: fuzzy, threshold: 85}}
  - rule: same_mail
    match: {email: email}
    action: block
  - rule: same_colleague
    match: {name: name, firm: exact, born_on: exact, weight: exact}
    action: block
---
object: plain
label: Plain
fields: {name: {type: text, label: Name}}
---
role: seller
label: Seller
objects:
  firm: {can: [create, read, update, delete], rows: "owner == user.id"}
  person: {can: [create, read, update, delete], rows: "owner == user.id"}
  plain: [create, read]
---
role: writer
label: Writer
objects:
  person: [create]
"""


@pytest.fixture
def office(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], now=NOW) as site:
        site.user("lin", "seller", name="林悦", language="zh-CN")
        site.user("sam", "seller", name="Sam")
        site.user("boss", "admin")
        site.user("wen", "writer")
        yield site


ACME = {"name": "Acme Co., Ltd.", "phone": "021-5555 1234"}
SAME = {"name": "ACME Limited", "phone": "+86 21 5555 1234"}


def count(office: Running, name: str) -> int | None:
    return office.records().list(Query(name, count="exact")).count


def warned(office: Running, username: str, object_name: str, values: dict[str, Any]) -> list[Any]:
    ctx = office.context(username)
    Records(ctx).create(object_name, values)
    return ctx.warnings


def test_a_rule_that_blocks_refuses_the_second_record_and_names_the_first(office: Running) -> None:
    first = office.records("sam").create("firm", ACME)["id"]
    with pytest.raises(Conflict) as refused:
        office.records("sam").create("firm", SAME)
    assert refused.value.code == "duplicate.found"
    assert str(refused.value) == "there is already such a record: 'Acme Co., Ltd.'"
    assert [(p.path, p.code, p.candidates) for p in refused.value.problems] == [
        ("name", "duplicate.found", (Candidate("firm", first, "Acme Co., Ltd."),)),
        ("phone", "duplicate.found", ()),
    ]
    assert count(office, "firm") == 1
    assert office.records("sam").create("firm", {"name": "Other"})["number"] == "F-0002"  # no number was lost


def test_all_fields_must_match_and_a_blank_matches_nothing(office: Running) -> None:
    records = office.records("sam")
    records.create("firm", ACME)
    records.create("firm", {"name": "Acme"})
    records.create("firm", {"name": "Acme"})
    records.create("firm", {"name": "Acme Tools", "phone": ACME["phone"]})
    assert count(office, "firm") == 4


def test_a_rule_that_warns_saves_and_tells(office: Running) -> None:
    first = office.records("sam").create("firm", ACME)["id"]
    (warning,) = warned(office, "sam", "firm", {"name": "Widgets", "phone": "+862155551234"})
    assert (warning.path, warning.code, warning.message) == ("phone", "duplicate.possible", "Is this firm new?")
    assert (warning.is_worded, warning.candidates) == (True, (Candidate("firm", first, "Acme Co., Ltd."),))
    assert count(office, "firm") == 2


def test_the_rules_own_message_is_in_the_persons_language(office: Running) -> None:
    office.records("lin").create("firm", ACME)
    (warning,) = warned(office, "lin", "firm", {"name": "Widgets", "phone": "+862155551234"})
    assert warning.message == "这是新公司吗？"


def test_who_is_asked_first_has_saved_nothing(office: Running) -> None:
    office.records("sam").create("firm", ACME)
    asking = Records(replace(office.context("sam"), stops_at_warnings=True))
    with pytest.raises(NeedsConfirmation) as asked:
        asking.create("firm", {"name": "Widgets", "phone": "+862155551234"})
    assert [one.code for one in asked.value.warnings] == ["duplicate.possible"]
    assert count(office, "firm") == 1


def test_what_one_may_not_see_blocks_without_a_word_of_it(office: Running) -> None:
    office.records("lin").create("firm", ACME)
    with pytest.raises(Conflict) as refused:
        office.records("sam").create("firm", SAME)
    assert (refused.value.code, refused.value.fix) == ("duplicate.found", "ask an administrator")
    assert str(refused.value) == "there may already be such a record"
    assert [(p.path, p.code, p.candidates) for p in refused.value.problems] == [
        ("name", "duplicate.hidden", ()), ("phone", "duplicate.hidden", ()),
    ]  # fmt: skip
    assert "Acme" not in repr(refused.value.problems)


def test_what_one_may_not_see_is_not_warned_of(office: Running) -> None:
    office.records("lin").create("firm", ACME)
    assert warned(office, "sam", "firm", {"name": "Widgets", "phone": ACME["phone"]}) == []
    assert len(warned(office, "boss", "firm", {"name": "Gadgets", "phone": ACME["phone"]})) == 1


def test_who_may_not_read_the_object_is_told_nothing(office: Running) -> None:
    values = {"name": "Ada", "email": "ada@example.com"}
    office.records("boss").create("person", values)
    with pytest.raises(Conflict, match=r"^there may already be such a record$"):
        office.records("wen").create("person", values)


def test_the_filter_says_which_records_count(office: Running) -> None:
    office.records("sam").create("firm", {**ACME, "status": "dropped"})
    second = office.records("sam").create("firm", {**SAME, "status": "live"})
    with pytest.raises(Conflict):
        office.records("sam").create("firm", ACME)
    office.records("sam").update("firm", second["id"], {"status": "dropped"})
    office.records("sam").create("firm", ACME)


def test_deleted_records_do_not_count_and_do_not_come_back_beside_their_double(office: Running) -> None:
    records = office.records("sam")
    first = records.create("firm", ACME)["id"]
    records.delete("firm", first)
    second = records.create("firm", SAME)["id"]
    with pytest.raises(Conflict) as refused:
        records.restore("firm", first)
    assert refused.value.problems[0].candidates == (Candidate("firm", second, "ACME Limited"),)
    records.delete("firm", second)
    assert records.restore("firm", first)["name"] == "Acme Co., Ltd."
    with pytest.raises(Conflict):
        records.create("firm", SAME)


def test_a_change_is_checked_where_it_touches_what_is_compared(office: Running) -> None:
    records = office.records("sam")
    records.create("firm", ACME)
    other = records.create("firm", {**SAME, "name": "Widgets"})["id"]
    records.update("firm", other, {"city": "上海"})
    with pytest.raises(Conflict):
        records.update("firm", other, {"name": "Acme"})
    records.update("firm", other, {"phone": None})
    records.update("firm", other, {"name": "Acme"})
    with pytest.raises(Conflict):
        records.update("firm", other, {"phone": ACME["phone"]})
    records.update("firm", other, {"name": "Widgets", "phone": ACME["phone"]})


def test_the_old_value_of_a_changed_record_is_free(office: Running) -> None:
    records = office.records("sam")
    first = records.create("firm", ACME)["id"]
    records.update("firm", first, {"name": "Widgets"})
    records.create("firm", SAME)


def test_a_batch_finds_doubles_within_itself(office: Running) -> None:
    creates = [{"action": "create", "values": values} for values in (ACME, SAME, {"name": "Widgets"})]
    with pytest.raises(Conflict, match=r"^operation 1: there is already such a record: 'Acme Co., Ltd.'$"):
        office.records("sam").batch("firm", creates)
    assert count(office, "firm") == 0
    results = office.records("sam").batch("firm", creates, atomic=False)
    assert [result.error.code if result.error else "" for result in results] == ["", "duplicate.found", ""]
    assert count(office, "firm") == 2


def test_each_record_of_a_batch_has_its_own_warnings(office: Running) -> None:
    office.records("sam").create("firm", ACME)
    creates = [
        {"action": "create", "values": {"name": "One"}},
        {"action": "create", "values": {"name": "Two", "phone": ACME["phone"]}},
    ]
    results = office.records("sam").batch("firm", creates)
    assert [[one.code for one in result.warnings] for result in results] == [[], ["duplicate.possible"]]


def test_the_system_is_blocked_but_not_warned(office: Running) -> None:
    office.records().create("firm", ACME)
    assert warned(office, "", "firm", {"name": "Widgets", "phone": ACME["phone"]}) == []
    with pytest.raises(Conflict, match=r"'Acme Co., Ltd.'"):
        office.records().create("firm", SAME)


def test_fuzzy_names_are_found_whatever_is_wrong_with_them(office: Running) -> None:
    office.records("sam").create("person", {"name": "Jonathan Smith"})
    office.records("sam").create("person", {"name": "王小明"})
    assert [
        one.title for w in warned(office, "sam", "person", {"name": "Smith, Jonathon"}) for one in w.candidates
    ] == ["Jonathan Smith"]
    (warning,) = warned(office, "sam", "person", {"name": "WANG Xiaoming"})
    assert [one.title for one in warning.candidates] == ["王小明"]
    assert warned(office, "sam", "person", {"name": "Jane Smithers"}) == []


def test_numbers_dates_and_references_are_compared_as_they_are(office: Running) -> None:
    records = office.records("sam")
    firm = records.create("firm", {"name": "Acme"})["id"]
    values = {"name": "林悦", "firm": firm, "born_on": "1990-02-03", "weight": "61.50"}
    records.create("person", values)
    records.create("person", {**values, "weight": 61.4})
    with pytest.raises(Conflict):
        records.create("person", {**values, "name": "Yue Lin", "weight": 61.5})


def test_a_reference_that_a_deletion_empties_is_no_longer_compared(office: Running) -> None:
    records = office.records("sam")
    firm = records.create("firm", {"name": "Acme"})["id"]
    values = {"name": "林悦", "firm": firm, "born_on": "1990-02-03", "weight": 61}
    one = records.create("person", values)["id"]
    records.delete("firm", firm)
    other = records.create("person", {**values, "firm": None})["id"]
    assert records.get("person", one)["firm"] is None
    records.restore("firm", firm)  # and fills the reference again
    with pytest.raises(Conflict):
        records.update("person", other, {"firm": firm})


def test_of_two_who_save_the_same_at_once_one_is_refused(office: Running) -> None:
    def save(number: int) -> str:
        try:
            office.records("sam" if number % 2 else "lin").create("firm", SAME if number % 3 else ACME)
        except Conflict as refused:
            return refused.code
        return "saved"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(save, range(8)))
    assert outcomes == ["duplicate.found"] * 7 + ["saved"]


def test_an_object_without_rules_writes_no_keys(office: Running) -> None:
    office.records("sam").create("plain", {"name": "Acme"})
    office.records("sam").create("firm", {"name": "Acme"})
    with office.tenant.database.read() as connection:
        assert connection.rows("SELECT count(*) FROM fs_duplicate_key") == [(0,)]


def test_a_record_like_no_other_costs_one_look_up_and_one_like_another_two(
    office: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    rows = Connection.rows

    def listening(self: Connection, sql: str, params: Any = ()) -> Any:
        heard.append(sql)
        return rows(self, sql, params)

    monkeypatch.setattr(Connection, "rows", listening)
    office.records("boss").create("firm", ACME)
    (which,) = [sql for sql in heard if "fs_duplicate_key" in sql]
    heard.clear()
    with pytest.raises(Conflict):
        office.records("boss").create("firm", SAME)
    again, look_up = [sql for sql in heard if "fs_duplicate_key" in sql]
    assert again == which
    if office.tenant.database.dialect == "sqlite":
        with office.tenant.database.read() as connection:
            plan = connection.rows(f"EXPLAIN QUERY PLAN {look_up}", ("",) * look_up.count("?"))
        steps = [row[-1] for row in plan]
        assert "SEARCH k USING INDEX sqlite_autoindex_fs_duplicate_key_1 (key=?)" in steps
        assert [step for step in steps if step.startswith("SCAN") and not step.startswith("SCAN p")] == []


def test_keys_are_verified_and_made_anew(office: Running, capsys: pytest.CaptureFixture[str]) -> None:
    acme = office.records("sam").create("firm", ACME)["id"]
    office.records("sam").create("person", {"name": "林悦"})
    common = ["--database", office.config.database_url, "--data", str(office.folder)]
    assert main(["duplicates", "verify", *common]) == 0
    with office.tenant.database.write() as connection:
        connection.run(f"DELETE FROM fs_duplicate_key WHERE record = '{acme}'")
    assert main(["duplicates", "verify", *common]) == 1
    assert capsys.readouterr().out == f"all keys are right\nfirm: {acme}\nthe keys of 1 records are wrong\n"
    assert main(["duplicates", "rebuild", *common]) == 0
    assert main(["duplicates", "verify", "--json", *common]) == 0
    with pytest.raises(Conflict):
        office.records("sam").create("firm", SAME)

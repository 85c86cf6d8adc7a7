"""Are records named by a text with formulas in it, wherever their names are read, and found by it?"""

from collections.abc import Iterator

import pytest

from engine.service import Query, SortKey
from engine.testing import Running, running
from tests.records.conftest import NOW

FILES = """
package: sales
version: 1.0.0
label: Sales
---
object: account
label: Account
fields:
  name: {type: text, required: true}
---
object: deal
label: Deal
title: "{account.name} - {number}"
duplicates:
  - {rule: same, match: {number: exact}}
fields:
  number: {type: text, required: true}
  account: {type: reference, to: account}
  amount: {type: decimal, scale: 2}
---
object: step
label: Step
title: "{{{deal.display_name}}}: it's {done_on}"
fields:
  deal: {type: reference, to: deal, required: true}
  done_on: {type: date}
"""


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [FILES], now=NOW, ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        yield site


def made(site: Running) -> dict[str, str]:
    boss = site.records("boss")
    account = boss.create("account", {"name": "Bolt 机械"})["id"]
    found = {"account": account}
    for number, of in (("K-2", account), ("K-1", account), ("K-3", None)):
        found[number] = boss.create("deal", {"number": number, "account": of})["id"]
    found["step"] = boss.create("step", {"deal": found["K-1"], "done_on": "2026-11-22"})["id"]
    return found


def test_a_record_is_named_by_the_text(site: Running) -> None:
    ids, boss = made(site), site.records("boss")
    assert boss.titles("deal", [ids["K-1"], ids["K-3"]]) == {ids["K-1"]: "Bolt 机械 - K-1", ids["K-3"]: " - K-3"}
    assert boss.titles("step", [ids["step"]]) == {ids["step"]: "{Bolt 机械 - K-1}: it's 2026-11-22"}
    assert boss.get("deal", ids["K-2"])["display_name"] == "Bolt 机械 - K-2"
    boss.update("account", ids["account"], {"name": "Nut"})
    assert boss.titles("deal", [ids["K-1"]]) == {ids["K-1"]: "Nut - K-1"}


def test_it_is_sorted_searched_and_looked_up_by(site: Running) -> None:
    ids, boss = made(site), site.records("boss")
    page = boss.list(Query("deal", ("display_name",), sort=(SortKey("display_name"),)))
    assert [record["display_name"] for record in page.records] == [" - K-3", "Bolt 机械 - K-1", "Bolt 机械 - K-2"]
    page = boss.list(Query("deal", ("number",), filter="display_name == 'Bolt 机械 - K-2'"))
    assert [record["number"] for record in page.records] == ["K-2"]
    page = boss.list(Query("step", ("deal.display_name",)))
    assert [record["deal.display_name"] for record in page.records] == ["Bolt 机械 - K-1"]
    found = boss.options("deal", "机械 - k-1", 5)
    assert [(one[0], one[1]) for one in found] == [(ids["K-1"], "Bolt 机械 - K-1")]


def test_duplicates_and_screens_show_it(site: Running) -> None:
    ids = made(site)
    with site.client("boss", by="session") as client:
        sent = client.post("/api/v1/records/deal", json={"number": "K-1"})
        assert sent.json()["_warnings"][0]["candidates"] == [
            {"object": "deal", "id": ids["K-1"], "title": "Bolt 机械 - K-1"}
        ]
        assert "<h1" in (page := client.get(f"/o/deal/{ids['K-1']}").text)
        assert "Bolt 机械 - K-1" in page.split("<h1")[1].split("</h1>")[0]
        assert page.count("Display name") == 1  # the heading of the list of steps
        assert "Bolt 机械 - K-1" in client.get("/o/step").text
        assert "Bolt 机械 - K-1" in client.get("/o/deal").text
        assert client.get("/o/deal/new").status_code == 200


def test_a_title_that_is_changed_is_a_step_of_the_plan(site: Running) -> None:
    made(site)
    site.publish(FILES.replace('"{account.name} - {number}"', '"{number} / {TEXT(amount)}"'))
    page = site.records("boss").list(Query("deal", ("display_name",), sort=(SortKey("display_name"),)))
    assert [record["display_name"] for record in page.records] == ["K-1 / ", "K-2 / ", "K-3 / "]
    site.publish(FILES.replace('"{account.name} - {number}"', "number").replace("display_name", "number"))
    assert "display_name" not in site.records("boss").list(Query("deal")).records[0]


LINKED = """
package: links
version: 1.0.0
label: Links
---
object: person
label: Person
fields:
  name: {type: text, required: true}
  boss: {type: reference, to: person}
  since: {type: date}
  page: {type: formula, formula: "HYPERLINK('/o/person/' + ID_TEXT(boss), boss.name)", returns: markdown}
  own: {type: formula, formula: "ID_TEXT(id)", returns: text}
  month: {type: formula, formula: "DATE_TEXT(since, 'yyyy-MM')", returns: text}
"""


def test_a_formula_gives_a_link_the_id_and_the_month(database_url: str) -> None:
    with running(database_url, [LINKED], now=NOW, ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        records = site.records("boss")
        first = records.create("person", {"name": "Li [x](y)", "since": "2026-03-09"})
        second = records.create("person", {"name": "B", "boss": first["id"]})
        assert (first["page"], first["month"], first["own"]) == (None, "2026-03", first["id"])
        assert second["page"] == f"[Li \\[x\\](y)](/o/person/{first['id']})"
        found = records.list(Query("person", ("name",), filter=f"ID_TEXT(boss) == '{first['id']}'"))
        assert [one["name"] for one in found.records] == ["B"]
        shown = site.client("boss", by="session").get(f"/o/person/{second['id']}").text
        assert f'href="/o/person/{first["id"]}"' in shown
        assert ">Li [x](y)</a>" in shown

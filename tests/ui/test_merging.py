"""Possible duplicates on screens, and records merged there: with a browser only what needs one."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from engine.service import Query
from engine.testing import Running, running
from tests.ui.conftest import PACKAGE, Shop, Visitors, served

RULES = """
  phone: {type: phone, label: {en: Telephone, zh-CN: 电话}}
  about: {type: longtext, label: {en: About, zh-CN: 简介}}
  partners: {type: multi_reference, to: company, label: {en: Partners, zh-CN: 伙伴}}
  number: {type: autonumber, label: {en: Number, zh-CN: 编号}, format: "C-{0000}"}
duplicates:
  - {rule: same_company, match: {name: company}}
  - {rule: same_phone, match: {phone: phone}, action: block, message: {en: We know this number., zh-CN: 该号码已存在。}}
---
object: deal
"""
WITH_RULES = PACKAGE.replace("---\nobject: deal\n", RULES.lstrip("\n"), 1)


@pytest.fixture(scope="module")
def shop(front_end: None) -> Iterator[Shop]:
    with running(packages=[WITH_RULES], ui="ui.pages:mount") as site, served(site) as url:
        site.user("ann", "seller", name="Ann Lee", language="en", time_zone="UTC")
        site.user("ming", "seller", name="王小明", language="zh-CN", time_zone="Asia/Shanghai")
        site.user("rob", "reader", name="Rob Reader", language="en", time_zone="UTC")
        yield Shop(site, url)


@pytest.fixture
def pair(shop: Shop) -> Iterator[dict[str, str]]:
    """Two companies that are one, with two deals and one."""
    made = {
        "Acme": shop.company("Acme", city="Berlin"),
        "ACME Ltd": shop.company("ACME Ltd", city="Hamburg", phone="021-5555 1234", about="<b>Pumps</b>"),
    }
    for name, company in (("Pipes", "Acme"), ("Pumps", "ACME Ltd"), ("Valves", "ACME Ltd")):
        made[name] = shop.deal(name, company)
    yield made
    records = shop.site.records("ann")
    for name in ("deal", "company"):
        for one in records.page(Query(name, ("id",))).ids:
            records.delete(name, one)


def page(site: Running, address: str, username: str = "ann") -> str:
    answer = site.client(username, by="session").get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def post(site: Running, address: str, data: dict[str, Any], username: str = "ann") -> Any:
    return site.client(username, by="session").post(address, data=data)


def test_a_records_page_tells_its_possible_duplicates(shop: Shop, pair: dict[str, str]) -> None:
    text = page(shop.site, f"/o/company/{pair['Acme']}")
    assert "Possible duplicates: 1" in text
    assert f'<a href="/o/company/{pair["ACME Ltd"]}"' in text
    assert f'href="/o/company/merge?ids={pair["Acme"]},{pair["ACME Ltd"]}"' in text
    reader = page(shop.site, f"/o/company/{pair['Acme']}", "rob")
    assert "Possible duplicates: 1" in reader
    assert "/merge?ids=" not in reader
    assert "可能重复的记录：1" in page(shop.site, f"/o/company/{pair['Acme']}", "ming")
    assert "Possible duplicates" not in page(shop.site, f"/o/deal/{pair['Pipes']}")


def test_a_form_that_is_refused_shows_the_record_that_is_there(shop: Shop, pair: dict[str, str]) -> None:
    answer = post(shop.site, "/o/company/new", {"name": "New", "phone": "+86 21 5555 1234"})
    assert answer.status_code == 409
    assert "Telephone: We know this number." in answer.text
    assert f'<a href="/o/company/{pair["ACME Ltd"]}" target="_blank"' in answer.text
    chinese = post(shop.site, "/o/company/new", {"name": "New", "phone": "+86 21 5555 1234"}, "ming")
    assert "电话: 该号码已存在。" in chinese.text


def test_values_that_differ_can_be_chosen_and_what_will_move_is_counted(shop: Shop, pair: dict[str, str]) -> None:
    text = page(shop.site, f"/o/company/merge?ids={pair['Acme']},{pair['ACME Ltd']}")
    chosen = dict(re.findall(r'name="take\.(\w+)" value="([0-9a-f-]+)" checked', text))
    newer = pair["ACME Ltd"]
    assert chosen == {"name": newer, "city": newer, "phone": newer, "about": newer}
    assert re.findall(r'name="keep" value="([0-9a-f-]+)" checked', text) == [newer]  # the fuller one
    assert "&lt;b&gt;Pumps&lt;/b&gt;" in text
    counts = re.findall(r"</small>(\d+)</div>", text)
    assert counts == ["1", "2"]
    assert 'name="take.number"' not in text  # the engine's own
    assert "C-000" in text


def test_references_of_every_kind_are_shown_and_counted(shop: Shop, pair: dict[str, str]) -> None:
    third = shop.company("Zenith", partners=[pair["Acme"]])
    shop.site.records("ann").update("company", pair["ACME Ltd"], {"partners": [third]})
    text = page(shop.site, f"/o/company/merge?ids={pair['Acme']},{pair['ACME Ltd']}")
    assert re.findall(r'name="take\.partners" value="([0-9a-f-]+)" checked', text) == [pair["ACME Ltd"]]
    assert re.search(r"Zenith</span>", text)
    row = text[text.index("Companies · Partners") :]
    assert re.findall(r"</small>(\d+)</div>", row)[:2] == ["1", "0"]


def test_a_merge_page_is_for_those_who_may_and_for_two_or_three(shop: Shop, pair: dict[str, str]) -> None:
    client = shop.site.client("rob", by="session")
    assert client.get(f"/o/company/merge?ids={pair['Acme']},{pair['ACME Ltd']}").status_code == 403
    client = shop.site.client("ann", by="session")
    for ids, status in ((pair["Acme"], 400), ("", 400), ("x,y", 400), (f"{pair['Acme']},{pair['Pipes']}", 404)):
        assert client.get(f"/o/company/merge?ids={ids}").status_code == status
    assert client.get(f"/o/nothing/merge?ids={pair['Acme']},{pair['ACME Ltd']}").status_code == 404


def test_a_merge_that_is_refused_keeps_the_choices(shop: Shop, pair: dict[str, str]) -> None:
    one, two = pair["Acme"], pair["ACME Ltd"]
    sent = {"ids": [one, two], "keep": one, "take.city": two, "take.name": one, f"version.{two}": "7"}
    answer = post(shop.site, "/o/company/merge", sent)
    assert answer.status_code == 409
    assert "Somebody has changed one of these records meanwhile." in answer.text
    assert dict(re.findall(r'name="take\.(\w+)" value="([0-9a-f-]+)" checked', answer.text)) == {
        "city": two,
        "name": one,
    }
    assert re.findall(r'name="keep" value="([0-9a-f-]+)" checked', answer.text) == [one]


def test_the_timeline_tells_of_a_merge_and_offers_to_take_it_back(shop: Shop, pair: dict[str, str]) -> None:
    one, two = pair["Acme"], pair["ACME Ltd"]
    answer = post(shop.site, "/o/company/merge", {"ids": [one, two], "keep": one, "take.city": two, "take.name": one})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/o/company/{one}")
    text = page(shop.site, f"/o/company/{one}")
    assert "merged ACME Ltd into this record" in text
    assert "changed City from Berlin to Hamburg" in text
    assert f'action="/o/company/{one}/unmerge"' in text
    assert "将 ACME Ltd 合并到此记录" in page(shop.site, f"/o/company/{one}", "ming")
    assert f'action="/o/company/{one}/unmerge"' not in page(shop.site, f"/o/company/{one}", "rob")
    assert "changed Company from ACME Ltd to Acme" in page(shop.site, f"/o/deal/{pair['Pumps']}")
    shop.site.records("ann").update("company", one, {"city": "Bremen"})
    undone = shop.site.client("ann", by="session")
    assert undone.post(f"/o/company/{one}/unmerge").headers["location"] == f"/o/company/{one}"
    text = undone.get(f"/o/company/{one}").text
    assert "The merge was taken back. Values that were changed since stay: 1." in text
    assert "took the merge with ACME Ltd back" in text
    assert f'action="/o/company/{one}/unmerge"' not in text
    assert "took the merge with Acme back" in page(shop.site, f"/o/company/{two}")
    again = post(shop.site, f"/o/company/{one}/unmerge", {})
    assert (again.status_code, "There is no merge to take back" in again.text) == (409, True)


@pytest.mark.browser
def test_two_rows_are_picked_merged_and_taken_apart_again(visitor: Visitors, pair: dict[str, str]) -> None:
    ann = visitor("ann")
    ann.go("/o/company")
    merge_link = ann.page.locator("[data-merge]")
    ann.page.get_by_label("Select Acme", exact=True).check()
    expect(merge_link).to_be_hidden()
    ann.page.get_by_label("Select ACME Ltd", exact=True).check()
    merge_link.click()
    assert ann.violations() == []
    ann.page.get_by_role("radio", name="Keep this record").first.check()
    ann.page.get_by_role("radio", name="Berlin").check()
    ann.page.get_by_role("button", name="Merge").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("ACME Ltd")
    expect(ann.page.get_by_text("Berlin", exact=True)).to_be_visible()
    ann.page.get_by_role("button", name="Undo").click()
    expect(ann.page.get_by_text("The merge was taken back.")).to_be_visible()
    expect(ann.page.get_by_text("Possible duplicates: 1")).to_be_visible()


@pytest.mark.browser
def test_a_form_asks_and_saves_when_it_is_confirmed(visitor: Visitors, pair: dict[str, str]) -> None:
    ann = visitor("ann")
    ann.go("/o/company")
    ann.page.keyboard.press("n")
    name = ann.page.get_by_label("Name")
    name.fill("Acme, Inc.")
    name.press("Enter")
    expect(ann.page.get_by_text("Not saved yet: please look at this first.")).to_be_visible()
    expect(ann.page.get_by_role("dialog").get_by_role("link", name="ACME Ltd")).to_be_visible()
    assert ann.violations() == []
    name.press("Enter")  # asks again: only the button confirms
    expect(ann.page.get_by_text("Not saved yet: please look at this first.")).to_be_visible()
    ann.page.get_by_role("button", name="Save anyway").click()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("Acme, Inc.")

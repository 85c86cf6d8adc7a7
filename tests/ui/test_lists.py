"""Can a person find records: sort, filter, search, page?"""

import re

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Visitors

pytestmark = pytest.mark.browser


def names(person) -> list[str]:  # type: ignore[no-untyped-def]
    return person.page.locator("#rows .name a").all_inner_texts()


def test_a_list_shows_the_default_view_with_its_count(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    assert names(ann)[:2] == ["Deal 59", "Deal 58"]
    assert ann.page.locator("#count").inner_text() == "60 records"
    row = ann.page.locator("#rows tr").first
    assert row.locator("td").all_inner_texts()[1:-1] == [
        "Deal 59",
        "Globex",
        "Won",
        "¥6,900",
        "59%",
        "Dec 4, 2026",
        "Ann Lee",
    ]


def test_a_header_sorts_and_says_so(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.get_by_role("columnheader", name="Amount").get_by_role("link").click()
    expect(ann.page.locator("#rows .name a").first).to_have_text("Deal 00")
    expect(ann.page.get_by_role("columnheader", name="Amount")).to_have_attribute("aria-sort", "ascending")
    ann.page.get_by_role("columnheader", name="Company").get_by_role("link").click()
    expect(ann.page.locator("#rows tr").first.locator("td").nth(2)).to_have_text("Acme")
    assert "sort=company.name" in ann.page.url


def test_paging_goes_on_below_and_every_record_comes_once(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    assert len(names(ann)) == 50
    ann.page.get_by_role("link", name="Load more").click()
    expect(ann.page.locator("#rows tr")).to_have_count(60)
    assert len(set(names(ann))) == 60
    expect(ann.page.locator("#more")).to_have_count(0)


def test_search_and_quick_filters_narrow_while_typing_and_stay_in_the_address(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.get_by_label("Search in this list").fill("Deal 1")
    expect(ann.page.locator("#count")).to_have_text("10 records")
    ann.page.get_by_label("Stage", exact=True).select_option("won")
    expect(ann.page.locator("#count")).to_have_text("3 records")
    expect(ann.page).to_have_url(re.compile(r"q=Deal\+1&is\.stage=won"))
    ann.page.reload()
    assert names(ann) == ["Deal 17", "Deal 14", "Deal 11"]


def test_a_filter_is_built_shown_as_a_chip_and_taken_away(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.get_by_text("Filter", exact=True).click()
    ann.page.get_by_label("Field", exact=True).select_option(label="Amount")
    ann.page.get_by_label("Condition").select_option(label=">")
    ann.page.get_by_label("Value").fill("6,700")
    ann.page.get_by_role("button", name="Add the filter").click()
    expect(ann.page.locator(".chip")).to_have_text(re.compile(r"Amount > ¥6,700"))
    assert names(ann) == ["Deal 59", "Deal 58"]
    ann.page.get_by_label("Search in this list").fill("59")
    expect(ann.page.locator("#count")).to_have_text("1 record")
    ann.page.get_by_role("link", name="Remove the filter Amount > ¥6,700").click()
    expect(ann.page.locator(".chip")).to_have_count(0)
    assert names(ann) == ["Deal 59"]


def test_a_filter_by_reference_offers_a_lookup(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.get_by_text("Filter", exact=True).click()
    ann.page.get_by_label("Field", exact=True).select_option(label="Company")
    ann.page.locator("#add-value").press_sequentially("glo")
    ann.page.get_by_role("option", name="Globex").click()
    ann.page.get_by_role("button", name="Add the filter").click()
    expect(ann.page.locator("#count")).to_have_text("20 records")
    expect(ann.page.locator(".chip")).to_have_text(re.compile("Company is Globex"))


def test_nothing_that_matches_offers_to_clear_the_filters(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal?q=zebra")
    ann.page.get_by_role("heading", name="Nothing matches").wait_for()
    ann.page.get_by_role("link", name="Clear the filters").click()
    expect(ann.page.locator("#count")).to_have_text("60 records")


def test_keys_walk_the_list_open_a_record_and_reach_the_search(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    for key in ("j", "j", "k", "j"):
        ann.page.keyboard.press(key)
    assert ann.page.evaluate("document.activeElement.textContent") == "Deal 58"
    ann.page.keyboard.press("Enter")
    ann.page.get_by_role("heading", name="Deal 58", level=1).wait_for()
    ann.page.keyboard.press("/")
    ann.page.keyboard.type("globex")
    ann.page.keyboard.press("Enter")
    ann.page.get_by_role("link", name="Globex").first.wait_for()
    assert ann.page.url.endswith("/search?q=globex")


def test_a_row_opens_where_it_is_clicked(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.locator("#rows tr").nth(3).locator("td").nth(4).click()
    ann.page.get_by_role("heading", name="Deal 56", level=1).wait_for()


def test_a_reader_is_offered_no_changes(visitor: Visitors) -> None:
    rob = visitor("rob")
    rob.go("/o/deal")
    assert rob.page.get_by_role("link", name="New", exact=True).count() == 0
    rob.go(f"/o/deal/{visitor.shop.deals['Deal 00']}")
    assert rob.page.get_by_role("link", name="Edit").count() == 0
    rob.go("/o/deal/new")
    rob.page.get_by_role("heading", name="You may not do that").wait_for()

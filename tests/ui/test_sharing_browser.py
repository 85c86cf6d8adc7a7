"""Sharing a record and looking behind a mask, at a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Shop, served
from tests.ui.rights import filled, lead

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(front_end: None, sqlite_url: str) -> Iterator[Shop]:
    with filled(sqlite_url) as site, served(site) as url:
        yield Shop(site, url)


def test_a_record_is_shared_in_the_dialog_and_a_toast_says_so(shop: Shop, visitor: object) -> None:
    record = lead(shop.site)
    ann = visitor("ann")  # type: ignore[operator]
    ann.go(f"/o/lead/{record}")
    ann.page.get_by_label("More for this record").click()
    ann.page.get_by_role("link", name="Share…").click()
    sheet = ann.page.locator("#sheet")
    expect(sheet.get_by_role("heading", name="Share Known")).to_be_visible()
    assert ann.violations() == []
    sheet.get_by_role("combobox", name="Person").fill("Bob")
    sheet.get_by_role("option", name="Bob Ray").click()
    sheet.get_by_label("They may").select_option("edit")
    sheet.get_by_role("button", name="Share", exact=True).click()
    expect(ann.page.get_by_text("Shared with Bob Ray.")).to_be_visible()
    expect(ann.page.get_by_text("shared this record with Bob Ray for editing")).to_be_visible()
    assert shop.site.records("bob").get("lead", record)["name"] == "Known"
    ann.page.get_by_label("More for this record").click()
    ann.page.get_by_role("link", name="Share…").click()
    sheet.get_by_role("radio", name="Role").check()
    expect(sheet.locator("#f-to_role")).to_be_visible()
    expect(sheet.locator("#f-to_user")).to_be_hidden()
    sheet.get_by_role("button", name="End the share with Bob Ray").click()
    expect(sheet.get_by_role("button", name="End the share with Bob Ray")).to_have_count(0)
    assert shop.site.records("ann").shares("lead", record) == []


def test_the_eye_shows_a_masked_value_and_hides_it_again(shop: Shop, visitor: object) -> None:
    record = lead(shop.site)
    rea = visitor("rea", phone=True)  # type: ignore[operator]
    rea.go(f"/o/lead/{record}")
    highlights = rea.page.locator(".highlights")
    expect(highlights.get_by_text("138****8888")).to_be_visible()
    eye = highlights.get_by_role("button", name="Show Phone")
    eye.click()
    expect(highlights.get_by_text("13877778888")).to_be_visible()
    expect(highlights.get_by_text("138****8888")).to_be_hidden()
    assert rea.violations() == []
    eye.click()
    expect(highlights.get_by_text("138****8888")).to_be_visible()
    expect(highlights.get_by_text("13877778888")).to_have_count(0)


def test_a_record_that_may_only_be_read_says_whom_to_ask(shop: Shop, visitor: object) -> None:
    record = lead(shop.site)
    shop.site.records("ann").share("lead", record, {"kind": "user", "to": shop.site.user("bob")})
    bob = visitor("bob")  # type: ignore[operator]
    bob.go(f"/o/lead/{record}")
    said = "You may read this, not change it. Ask Ann Lee, who owns it, or an administrator."
    expect(bob.page.get_by_text(said)).to_be_visible()
    expect(bob.page.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    bob.go(f"/o/lead/{record}/edit")
    expect(bob.page.get_by_text(said)).to_be_visible()
    bob.page.get_by_role("link", name="Back to the record").click()
    expect(bob.page).to_have_url(f"{shop.url}/o/lead/{record}")

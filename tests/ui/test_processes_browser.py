"""The bell, stages, runs and the pages of the setup, at a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.process.automation import desk as runs
from engine.process.notices import notify
from tests.ui.conftest import Shop, Visitors, served
from tests.ui.processes import desk

pytestmark = pytest.mark.browser
POLL_MS = 21_000


@pytest.fixture
def shop(front_end: None, sqlite_url: str) -> Iterator[Shop]:
    with desk(sqlite_url, now=None) as site, served(site) as url:
        yield Shop(site, url)


def tell(shop: Shop, subject: str, link: str = "") -> None:
    ctx = shop.site.context("chen")
    with ctx.tenant.database.write() as connection:
        notify(ctx, connection, [shop.site.user("ann")], "automation", values={"subject": subject}, link=link)


def deal(shop: Shop, **values: object) -> str:
    return str(shop.site.records("ann").create("deal", {"name": "Gear line", **values})["id"])


def test_the_bell_counts_without_reloading_and_what_is_opened_is_read(shop: Shop, visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.page.clock.install()
    ann.go("/o/deal")
    bell = ann.page.locator("[data-bell]")
    expect(bell).to_have_accessible_name("Notifications")
    tell(shop, "Look at the tickets", "/o/ticket")
    tell(shop, "Something else")
    ann.page.clock.fast_forward(POLL_MS)
    expect(bell.locator(".bell-count")).to_have_text("2")
    expect(bell).to_have_accessible_name("Notifications, 2 unread")
    expect(ann.page).to_have_title("(2) Deals · Fieldstone")
    bell.click()
    sheet = ann.page.locator("#sheet")
    expect(sheet.get_by_role("heading", name="Notifications")).to_be_visible()
    assert ann.violations() == []
    sheet.get_by_role("button", name="Mark as read: Something else").click()
    expect(sheet.get_by_text("1 unread")).to_be_visible()
    sheet.get_by_role("link", name="Look at the tickets").click()
    expect(ann.page).to_have_url(f"{shop.url}/o/ticket")
    expect(bell.locator(".bell-count")).to_be_hidden()
    expect(ann.page).to_have_title("Tickets · Fieldstone")


def test_the_bell_asks_for_nothing_while_nobody_looks(shop: Shop, visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.page.clock.install()
    asked: list[str] = []
    ann.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/state") else None)
    ann.go("/o/deal")
    ann.page.wait_for_load_state("networkidle")
    assert len(asked) == 1
    ann.page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    ann.page.clock.fast_forward(5 * POLL_MS)
    assert len(asked) == 1
    ann.page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', {value: false, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    ann.page.wait_for_load_state("networkidle")
    assert len(asked) == 2
    ann.page.clock.fast_forward(11 * 60_000)  # nobody has touched the page since
    ann.page.clock.fast_forward(POLL_MS)
    seen = len(asked)
    ann.page.clock.fast_forward(5 * POLL_MS)
    assert len(asked) == seen


def test_a_stage_asks_for_its_fields_in_a_dialog_and_says_what_is_missing(shop: Shop, visitor: Visitors) -> None:
    record = deal(shop, amount=10)
    ann = visitor("ann")
    ann.go(f"/o/deal/{record}")
    path = ann.page.locator(".path-flow")
    won = path.get_by_role("button", name="Won")
    won.hover()
    expect(ann.page.locator(".stage-tip")).to_have_text("From 'New' one cannot go to 'Won'.")
    assert ann.violations() == []
    path.get_by_role("link", name="Negotiation").click()
    sheet = ann.page.locator("#sheet")
    expect(sheet.get_by_role("heading", name="Change to Negotiation")).to_be_visible()
    assert ann.violations() == []
    sheet.get_by_role("button", name="Change to Negotiation").click()
    expect(sheet.locator(".field .wrong")).to_have_text("Needed for 'Negotiation'")
    sheet.get_by_label("Next step").fill("Send the contract")
    sheet.get_by_role("button", name="Change to Negotiation").click()
    expect(path.locator("[aria-current='step']")).to_have_text("Negotiation")
    shut = ann.page.locator(".path-moves").get_by_role("button", name="Mark as won")
    shut.focus()
    expect(shut).to_have_attribute("aria-disabled", "true")
    expect(ann.page.get_by_text("Agree on price and terms.")).to_be_visible()


def test_on_a_phone_the_stage_is_in_view_and_moves_are_in_a_menu(shop: Shop, visitor: Visitors) -> None:
    record = deal(shop, amount=10, close_date="2030-01-05", next_step="Call")
    shop.site.records("ann").update("deal", record, {"stage": "negotiation"})
    ann = visitor("ann", phone=True)
    ann.go(f"/o/deal/{record}")
    expect(ann.page.locator(".path-flow [aria-current='step']")).to_be_in_viewport(ratio=0.9)
    ann.page.get_by_text("Change Stage").click()
    menu = ann.page.locator(".path-menu .menu-sheet")
    expect(menu.get_by_text("Legal has to check the contract first.").last).to_be_visible()
    assert ann.violations() == []
    menu.get_by_role("button", name="Proposal").click()
    expect(ann.page.locator(".path-flow [aria-current='step']")).to_have_text("Proposal")


def test_a_button_on_a_record_ends_with_a_toast(shop: Shop, visitor: Visitors) -> None:
    record = deal(shop, amount=10)
    ann = visitor("ann")
    ann.go(f"/o/deal/{record}")
    ann.page.get_by_role("button", name="Ask legal").click()
    expect(ann.page.locator("#toasts")).to_contain_text("Done: Ask legal.")
    assert shop.site.records("ann").get("deal", record)["is_checked"] is True


def test_a_failed_run_is_found_and_run_again(shop: Shop, visitor: Visitors) -> None:
    record = deal(shop, amount=600000)
    shop.site.work()
    chen = visitor("chen")
    chen.go("/")
    chen.page.get_by_label("Your account").click()
    chen.page.get_by_role("link", name="Automations").click()
    chen.page.get_by_role("link", name="Tell the owner of a large deal").click()
    chen.page.get_by_role("link", name="Gear line").click()
    expect(chen.page.get_by_text("There is no choice 'Gear line'")).to_have_count(1)
    shop.site.records("ann").update("deal", record, {"name": "price"})
    chen.page.get_by_role("button", name="Run again").click()
    expect(chen.page.locator("#toasts")).to_contain_text("The run is carried out again")
    shop.site.work()
    chen.page.reload()
    expect(chen.page.locator("h1 .pill")).to_have_text("Completed")


def test_an_automation_is_rehearsed_in_the_dialog(shop: Shop, visitor: Visitors) -> None:
    deal(shop, amount=131000)
    chen = visitor("chen")
    chen.go("/setup/automations/write_customer")
    chen.page.get_by_role("link", name="Rehearse").click()
    sheet = chen.page.locator("#sheet")
    sheet.get_by_role("combobox", name="Deal").fill("Gear")
    sheet.get_by_role("option", name="Gear line").click()
    sheet.get_by_role("button", name="Rehearse").click()
    expect(sheet.get_by_text("buyer@example.com")).to_be_visible()
    expect(sheet.get_by_text("The condition holds for this record.")).to_be_visible()
    assert chen.violations() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_screens_have_no_violations(shop: Shop, visitor: Visitors, theme: str, phone: bool) -> None:
    record = deal(shop, amount=600000, name="Unbroken" * 10)
    lost = deal(shop, loss_reason="price")
    shop.site.records("ann").update("deal", lost, {"stage": "lost"})
    shop.site.work()
    [run] = runs.list_runs(shop.site.context("chen"), automation="tell_owner").runs
    tell(shop, "Something")
    found = {}
    for username, paths in (
        ("ann", ("/notifications", "/me", f"/o/deal/{record}", f"/o/deal/{lost}", f"/o/deal/{record}/move?to=lost")),
        ("chen", (
            "/setup/automations", "/setup/automations/tell_owner", f"/setup/automations/tell_owner/runs/{run.id}",
            "/setup/automations/write_customer/rehearse", "/setup/jobs?state=all", "/setup/jobs", "/setup/templates",
            f"/setup/templates/large_deal?record={record}", "/setup/calendars?year=2026", f"/o/deal/{lost}",
        )),
    ):  # fmt: skip
        person = visitor(username, phone=phone, color_scheme=theme)
        for path in paths:
            person.go(path)
            if violations := person.violations():
                found[path] = violations
            assert person.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{path} is too wide"
    assert found == {}


def test_a_button_of_records_that_are_picked_asks_first_and_says_how_it_went(shop: Shop, visitor: Visitors) -> None:
    deals = [deal(shop, amount=131000), deal(shop, amount=5)]
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.get_by_label("Select all").check()
    bar = ann.page.locator("#bulk-bar")
    bar.get_by_text("Run…").click()
    bar.get_by_role("button", name="Write to the customer").click()
    assert ann.violations() == []
    ann.page.get_by_role("dialog").get_by_role("button", name="Write to the customer").click()
    expect(ann.page.get_by_text("Done: 1. Not possible: 1. Of these nothing was changed.")).to_be_visible()
    assert [shop.site.records("ann").get("deal", one)["rating"] for one in deals] == ["hot", None]

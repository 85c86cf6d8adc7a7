"""Approving at a browser: submit, decide on a phone, return and come again, several at once, by a mail."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.process.approval import mail_links
from tests.ui.approval_desk import Desk, filled
from tests.ui.conftest import Shop, Visitors, served

pytestmark = pytest.mark.browser

NARROW = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
def desk(front_end: None, sqlite_url: str) -> Iterator[Desk]:
    with filled(sqlite_url) as made:
        yield made


@pytest.fixture
def shop(desk: Desk) -> Iterator[Shop]:
    with served(desk.site) as url:
        yield Shop(desk.site, url)


def test_a_quote_is_submitted_and_approved_at_the_phone_and_a_copy_is_sent(desk: Desk, visitor: Visitors) -> None:
    record = desk.quote("Gearbox", 12)
    sam = visitor("sam")
    sam.go(f"/o/quote/{record}")
    sam.page.get_by_role("link", name="Submit for approval").click()
    sheet = sam.page.locator("#sheet")
    expect(sheet.get_by_text("Who will be asked")).to_be_visible()
    expect(sheet.get_by_text("王伟")).to_be_visible()
    assert sam.violations() == []
    sheet.get_by_label("Comment").fill("Before Friday, please")
    sheet.get_by_label("Attachments", exact=True).set_input_files(
        {"name": "drawing.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 drawing"}
    )
    expect(sheet.get_by_role("link", name="drawing.pdf")).to_be_visible()
    expect(sheet.get_by_text("16 B")).to_be_visible()
    assert sam.violations() == []
    sheet.get_by_role("button", name="Submit").click()
    expect(sam.page.get_by_text("Gearbox was submitted for approval.")).to_be_visible()
    expect(sam.page.get_by_text("Locked: Discount approval runs since")).to_be_visible()
    assert sam.violations() == []

    wang = visitor("wang", phone=True)
    wang.page.clock.install()
    wang.go("/")
    wang.page.get_by_role("navigation", name="Shortcuts").get_by_role("link", name="Inbox").click()
    assert wang.violations() == []
    assert wang.page.evaluate(NARROW) <= 0
    wang.page.get_by_role("link", name="Gearbox").first.click()
    expect(wang.page.locator(".approval-asked").get_by_text("Before Friday, please")).to_be_visible()
    assert wang.violations() == []
    assert wang.page.evaluate(NARROW) <= 0
    approve = wang.page.get_by_role("link", name="Approve", exact=True)
    box = approve.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] > 844 * 0.7
    wang.page.get_by_label("Payment terms").fill("45 days")
    approve.click()
    sheet = wang.page.locator("#sheet")
    sheet.get_by_label("Comment").fill("Fine")
    sheet.get_by_label("Attachments", exact=True).set_input_files(
        {"name": "a-photograph-of-the-signed-order-form.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff photo"}
    )
    attached = sheet.locator(".upload-list a")
    expect(attached).to_have_text("a-photograph-of-the-signed-order-form.jpg")
    wang.page.set_viewport_size({"width": 390, "height": 400})  # as above a keyboard: the dialog scrolls
    attached.scroll_into_view_if_needed()
    box, foot = attached.bounding_box(), sheet.locator(".form-foot").bounding_box()
    assert box is not None
    assert foot is not None
    assert box["y"] + box["height"] <= foot["y"]
    wang.page.set_viewport_size({"width": 390, "height": 844})
    assert wang.page.evaluate(NARROW) <= 0
    assert wang.violations() == []
    sheet.get_by_role("button", name="Approve").click()
    expect(wang.page.get_by_text("You approved Gearbox.")).to_be_visible()
    expect(wang.page.get_by_text("Nothing waits for you")).to_be_visible()
    assert desk.site.records("sam").get("quote", record)["terms"] == "45 days"
    badge = wang.page.get_by_role("navigation", name="Shortcuts").locator("[data-todo]")
    expect(badge).to_be_hidden()
    desk.submit(desk.quote("Shafts", 12))
    wang.page.clock.fast_forward(21_000)
    expect(badge).to_have_text("1 (1 to do)")  # without reloading
    expect(wang.page.get_by_role("navigation", name="Boxes").get_by_role("link", name="To do")).to_have_text("To do1")

    he = visitor("he")
    he.go("/inbox?box=cc")
    he.page.get_by_role("link", name="Gearbox").first.click()
    expect(he.page.get_by_text("The approval has ended: approved")).to_be_visible()
    with he.page.expect_download() as download:
        he.page.get_by_role("link", name="a-photograph-of-the-signed-order-form.jpg").click()
    assert download.value.path().read_bytes() == b"\xff\xd8\xff photo"
    assert he.violations() == []


def test_it_is_returned_with_a_reason_and_submitted_again(desk: Desk, visitor: Visitors) -> None:
    record = desk.quote("Gearbox", 12)
    desk.submit(record)
    wang = visitor("wang", color_scheme="dark")
    wang.go(f"/o/quote/{record}")
    panel = wang.page.get_by_role("region", name="Approval")
    panel.get_by_role("link", name="Return").click()
    sheet = wang.page.locator("#sheet")
    sheet.get_by_role("button", name="Return").click()
    expect(sheet.get_by_text("a comment is needed")).to_be_visible()
    assert wang.violations() == []
    sheet.get_by_label("Comment").fill("8 % at most")
    sheet.get_by_role("button", name="Return").click()
    expect(wang.page.get_by_text("You returned Gearbox.")).to_be_visible()
    expect(wang.page).to_have_url(f"{wang.url}/o/quote/{record}")

    sam = visitor("sam")
    sam.go(f"/o/quote/{record}")
    expect(sam.page.get_by_role("region", name="Approval").get_by_text("Returned", exact=True)).to_be_visible()
    expect(sam.page.get_by_role("link", name="Edit", exact=True)).to_be_visible()
    desk.site.records("sam").update("quote", record, {"discount": 8})
    sam.page.get_by_role("link", name="Submit again").click()
    sam.page.locator("#sheet").get_by_role("button", name="Submit again").click()
    expect(sam.page.get_by_text("Gearbox was submitted again.")).to_be_visible()
    expect(sam.page.get_by_role("region", name="Approval").get_by_text("Round 2")).to_be_visible()


def test_several_are_picked_by_keys_and_approved_with_one_comment(desk: Desk, visitor: Visitors) -> None:
    for name in ("One", "Two", "Three"):
        desk.submit(desk.quote(name))
        desk.site.fixed_now = desk.site.now.replace(minute=desk.site.now.minute + 1)
    wang = visitor("wang")
    wang.go("/inbox")
    expect(wang.page.get_by_role("link", name="Inbox (3 to do)")).to_be_visible()
    for key in ("j", "x", "j", "x"):
        wang.page.keyboard.press(key)
    expect(wang.page.get_by_text("2 selected")).to_be_visible()
    assert wang.violations() == []
    wang.page.get_by_role("button", name="Approve…").click()
    sheet = wang.page.locator("#sheet")
    expect(sheet.get_by_role("heading", name="Approve 2")).to_be_visible()
    sheet.get_by_label("Comment for all").fill("Both fine")
    assert wang.violations() == []
    sheet.get_by_role("button", name="Approve").click()
    expect(wang.page.get_by_text("2 approved.")).to_be_visible()
    assert [row.title for row in desk.approvals("wang").inbox("todo").rows] == ["One"]
    wang.page.keyboard.press("j")
    wang.page.keyboard.press("a")
    wang.page.locator("#sheet").get_by_role("button", name="Approve").click()
    expect(wang.page.get_by_text("You approved One.")).to_be_visible()


def test_a_signer_is_added_in_a_dialog_and_the_way_shows_them(desk: Desk, visitor: Visitors) -> None:
    desk.submit(desk.quote("Gearbox", 30))
    wang = visitor("wang")
    wang.go(f"/inbox/{desk.task('wang')}")
    wang.page.get_by_label("More", exact=True).click()
    wang.page.get_by_role("link", name="Add signer before").click()
    sheet = wang.page.locator("#sheet")
    sheet.get_by_role("combobox", name="People").fill("Li")
    sheet.get_by_role("option", name="Li Na").click()
    assert wang.violations() == []
    sheet.get_by_role("button", name="Add signer before").click()
    expect(wang.page.get_by_text("The signers were added.")).to_be_visible()
    expect(wang.page.get_by_text("added Li Na before")).to_be_visible()
    expect(wang.page.get_by_role("link", name="Approve", exact=True)).to_have_count(0)


def test_a_mail_decides_without_signing_in(desk: Desk, visitor: Visitors) -> None:
    instance = desk.submit(desk.quote("Gearbox", 12))
    with desk.site.tenant.database.write() as connection:
        made = mail_links.make(desk.site.context("wang"), connection, desk.task("wang"))
    nobody = visitor("", phone=True)
    nobody.go(mail_links.PATH + made["reject"])
    assert nobody.violations() == []
    assert desk.approvals("sam").instance(instance).state == "RUNNING"
    nobody.page.get_by_label("Comment").fill("Too much")
    nobody.page.get_by_role("button", name="Reject").click()
    expect(nobody.page.get_by_text("Your decision was recorded: Reject.")).to_be_visible()
    assert nobody.violations() == []
    assert desk.approvals("sam").instance(instance).state == "REJECTED"


def test_administrators_suspend_with_a_reason(desk: Desk, visitor: Visitors) -> None:
    instance = desk.submit(desk.quote("Gearbox", 12))
    boss = visitor("boss")
    boss.go("/setup/approvals")
    assert boss.violations() == []
    boss.page.get_by_role("link", name="Gearbox").click()
    boss.page.locator("summary", has_text="Administration").click()
    boss.page.get_by_role("link", name="Suspend").click()
    sheet = boss.page.locator("#sheet")
    sheet.get_by_label("Reason").fill("An audit")
    sheet.get_by_role("button", name="Suspend").click()
    expect(boss.page.get_by_text("Suspended: nobody can decide now.")).to_be_visible()
    assert boss.violations() == []
    assert desk.approvals("sam").instance(instance).state == "SUSPENDED"


def test_an_agent_is_set_and_decides_for_who_is_away(desk: Desk, visitor: Visitors) -> None:
    wang = visitor("wang")
    wang.go("/me")
    part = wang.page.locator("#away")
    part.get_by_role("combobox", name="Who decides for you").fill("陈")
    part.get_by_role("option", name="陈静").click()
    part.get_by_label("Last day").fill("2026-12-04")
    part.get_by_role("button", name="Set an agent").click()
    expect(wang.page.get_by_text("陈静 decides for you")).to_be_visible()
    assert wang.violations() == []
    instance = desk.submit(desk.quote("Gearbox", 12))
    chen = visitor("chen", phone=True)
    chen.go("/inbox")
    expect(chen.page.get_by_text("王伟 is away until Dec 4, 2026: you decide for them.")).to_be_visible()
    expect(chen.page.get_by_text("For 王伟")).to_be_visible()
    assert chen.violations() == []
    chen.page.get_by_role("link", name="Approve Gearbox").click()
    chen.page.locator("#sheet").get_by_role("button", name="Approve").click()
    expect(chen.page.get_by_text("You approved Gearbox.")).to_be_visible()
    assert desk.approvals("sam").instance(instance).state == "APPROVED"

"""Can a person write records: create, mend mistakes, edit, delete, undo?"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Visitors

pytestmark = pytest.mark.browser


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()


def test_a_record_is_created_in_a_dialog_after_its_mistakes_are_mended(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.get_by_role("link", name="New", exact=True).click()
    form = ann.page.get_by_role("dialog")
    form.get_by_label("Amount").fill("12,x")
    form.get_by_label("Mail").fill("nobody")
    form.get_by_label("Notes").fill("kept <b>as typed</b>")
    save(ann.page)
    expect(form.get_by_role("alert")).to_contain_text("Not saved: 4 things to mend")
    expect(form.locator("#f-name-wrong")).to_have_text("Name is required")
    expect(form.locator("#f-amount-wrong")).to_have_text("'12,x' is not a number")
    expect(form.get_by_label("Amount")).to_have_value("12,x")
    expect(form.get_by_label("Notes")).to_have_value("kept <b>as typed</b>")
    assert ann.page.evaluate("document.activeElement.id") == "f-name"
    ann.page.keyboard.type("Compressor")
    form.locator("#f-company").press_sequentially("acm")
    form.get_by_role("option", name="Acme").click()
    form.get_by_label("Amount").fill("12,000.50")
    form.get_by_label("Mail").fill("buyer@example.com")
    form.get_by_text("Key account").click()
    form.get_by_label("Private").check()
    form.get_by_label("Close date").fill("2026-12-24")
    form.get_by_label("Call at").fill("2026-12-01T09:30")
    form.get_by_label("Web site").fill("example.com/shop")
    save(ann.page)
    ann.page.get_by_role("heading", name="Compressor", level=1).wait_for()
    expect(ann.page.get_by_role("status")).to_contain_text("Compressor was created.")
    facts = ann.page.locator("main").inner_text()
    for shown in (
        "¥12,000.50",
        "Key account",
        "Dec 24, 2026",
        "Dec 1, 2026 9:30",
        "example.com/shop",
        "kept <b>as typed</b>",
    ):
        assert shown in facts
    assert ann.page.get_by_role("link", name="example.com/shop").get_attribute("href") == "https://example.com/shop"


def test_the_same_form_works_as_a_page(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go(f"/o/deal/new?company={visitor.shop.companies['Globex']}")
    expect(ann.page.locator("#f-company")).to_have_value("Globex")
    save(ann.page)
    expect(ann.page.locator("#f-name-wrong")).to_have_text("Name is required")
    expect(ann.page.locator("#f-company")).to_have_value("Globex")
    ann.page.get_by_label("Name").fill("By page")
    save(ann.page)
    ann.page.get_by_role("heading", name="By page", level=1).wait_for()


def test_the_keyboard_alone_creates_a_record(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.keyboard.press("n")
    ann.page.locator("dialog[open]").wait_for()
    ann.page.keyboard.type("By keyboard")
    ann.page.keyboard.press("Tab")
    ann.page.keyboard.type("精密")
    ann.page.get_by_role("option", name="华东精密机械").wait_for()
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.press("Enter")
    ann.page.keyboard.press("Control+Enter")
    ann.page.get_by_role("heading", name="By keyboard", level=1).wait_for()


def test_an_edit_is_saved_and_told_in_the_timeline(visitor: Visitors) -> None:
    ann, deal = visitor("ann"), visitor.shop.deal("To edit", "Acme", amount=100)
    ann.go(f"/o/deal/{deal}")
    ann.page.keyboard.press("e")
    ann.page.get_by_role("dialog").get_by_label("Amount").fill("250")
    save(ann.page)
    expect(ann.page.locator(".highlights")).to_contain_text("¥250")
    expect(ann.page.locator(".timeline li").first).to_contain_text("Ann Lee changed Amount from ¥100 to ¥250")


def test_one_field_is_edited_where_it_stands(visitor: Visitors) -> None:
    ann, deal = visitor("ann"), visitor.shop.deal("One field", "Acme")
    ann.go(f"/o/deal/{deal}")
    ann.page.get_by_role("link", name="Edit Pieces").click(force=True)
    form = ann.page.get_by_role("dialog")
    expect(form.locator("input:not([type=hidden])")).to_have_count(1)  # waits until the dialog is filled
    form.get_by_label("Pieces").fill("12")
    save(ann.page)
    expect(ann.page.locator(".timeline li").first).to_contain_text("set Pieces to 12")


def test_a_click_on_a_stage_moves_the_record(visitor: Visitors) -> None:
    ann, deal = visitor("ann"), visitor.shop.deal("To move", "Acme")
    ann.go(f"/o/deal/{deal}")
    ann.page.locator(".path").get_by_role("button", name="Won").click()
    expect(ann.page.locator(".path [aria-current=step]")).to_have_text("Won")
    expect(ann.page.locator(".path .is-past")).to_have_count(2)


def test_input_is_kept_when_somebody_else_was_faster(visitor: Visitors) -> None:
    ann, deal = visitor("ann"), visitor.shop.deal("Contested", "Acme", amount=1)
    ann.go(f"/o/deal/{deal}/edit")
    visitor.shop.site.records("ming").update("deal", deal, {"amount": 2})
    ann.page.get_by_label("Amount").fill("3")
    save(ann.page)
    notice = ann.page.get_by_role("alert")
    expect(notice).to_contain_text("王小明 has changed this record since you opened it.")
    expect(notice.get_by_role("row", name="Amount")).to_contain_text("¥2")
    expect(notice.get_by_role("row", name="Amount")).to_contain_text("¥3")
    expect(ann.page.get_by_label("Amount")).to_have_value("3")
    save(ann.page)
    expect(ann.page.locator(".highlights")).to_contain_text("¥3")


def test_a_deletion_is_undone_from_the_toast(visitor: Visitors) -> None:
    ann, deal = visitor("ann"), visitor.shop.deal("To delete", "Acme")
    ann.go(f"/o/deal/{deal}")
    ann.page.get_by_label("More for this record").click()
    ann.page.get_by_role("button", name="Delete").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(ann.page.locator("#toasts")).to_contain_text("To delete was deleted.")
    assert ann.page.url.endswith("/o/deal")
    ann.page.get_by_role("button", name="Undo").click()
    expect(ann.page.locator("#toasts")).to_contain_text("To delete was restored.")
    ann.go(f"/o/deal/{deal}")
    ann.page.get_by_role("heading", name="To delete", level=1).wait_for()


def test_picked_rows_are_deleted_and_restored_from_the_list_of_deleted_ones(visitor: Visitors) -> None:
    ann = visitor("ann")
    for number in (1, 2):
        visitor.shop.deal(f"Bulk {number}", "Acme")
    ann.go("/o/deal?q=Bulk")
    ann.page.get_by_label("Select Bulk 1").check()
    ann.page.get_by_label("Select Bulk 2").check()
    ann.page.locator("#bulk-bar").get_by_role("button", name="Delete").click()
    expect(ann.page.locator("#toasts")).to_contain_text("2 records were deleted.")
    ann.go("/o/deal/deleted")
    ann.page.get_by_role("button", name="Restore Bulk 1").click()
    expect(ann.page.locator("#toasts")).to_contain_text("Bulk 1 was restored.")
    ann.go("/o/deal?q=Bulk")
    expect(ann.page.locator("#rows .name")).to_have_text(["Bulk 1"])


def test_picked_rows_are_changed_together(visitor: Visitors) -> None:
    ann = visitor("ann")
    for number in (1, 2, 3):
        visitor.shop.deal(f"Group {number}", "Acme")
    ann.go("/o/deal?q=Group")
    ann.page.get_by_label("Select all").check()
    ann.page.locator("#bulk-bar").get_by_text("Change", exact=True).click()
    ann.page.get_by_label("Field to change").select_option(label="Owner")
    ann.page.locator("#bulk-value").fill("王")
    ann.page.locator(".bulk-sheet").get_by_role("option", name="王小明").click()
    ann.page.get_by_role("button", name="Change the picked records").click()
    expect(ann.page.locator("#toasts")).to_contain_text("3 records were changed.")
    ann.go("/o/deal?q=Group")
    expect(ann.page.locator("#rows .person")).to_have_text(["王小明"] * 3)


def test_a_record_that_others_need_is_not_deleted_and_the_page_says_why(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go(f"/o/company/{visitor.shop.companies['Acme']}")
    ann.page.get_by_label("More for this record").click()
    ann.page.get_by_role("button", name="Delete").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(ann.page.get_by_role("alert")).to_contain_text("refer to this record in 'Company'")
    ann.page.get_by_role("heading", name="Acme", level=1).wait_for()


def test_leaving_a_dialog_with_input_asks_first(visitor: Visitors) -> None:
    ann, asked = visitor("ann"), []
    ann.go("/o/deal")
    ann.page.keyboard.press("n")
    ann.page.get_by_role("dialog").get_by_label("Name").fill("half")
    ann.page.once("dialog", lambda question: (asked.append(question.message), question.dismiss()))
    ann.page.keyboard.press("Escape")
    assert asked == ["Leave without saving your changes?"]
    expect(ann.page.get_by_role("dialog").get_by_label("Name")).to_have_value("half")
    ann.page.once("dialog", lambda question: question.accept())
    ann.page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    expect(ann.page.locator("dialog[open]")).to_have_count(0)


def test_a_phone_creates_a_record_in_chinese(visitor: Visitors) -> None:
    ming = visitor("ming", phone=True)
    ming.go("/")
    ming.page.get_by_role("navigation", name="快捷入口").get_by_role("link", name="交易").tap()
    ming.page.get_by_role("link", name="新建").tap()
    form = ming.page.get_by_role("dialog")
    form.get_by_label("名称").fill("手机订单")
    save_button = form.get_by_role("button", name="保存")
    save_button.tap()
    expect(form.locator("#f-company-wrong")).to_have_text("请填写公司")
    form.locator("#f-company").fill("华东")
    form.get_by_role("option", name="华东精密机械").tap()
    save_button.tap()
    ming.page.get_by_role("heading", name="手机订单", level=1).wait_for()
    ming.go("/o/deal?q=手机")
    expect(ming.page.locator("#rows .name")).to_have_text(["手机订单"])
    assert ming.page.evaluate("getComputedStyle(document.querySelector('#rows tr')).display") == "block"


def test_rich_text_is_edited_with_its_toolbar_and_cleaned(visitor: Visitors) -> None:
    ann, deal = visitor("ann"), visitor.shop.deal("Story", "Acme")
    ann.go(f"/o/deal/{deal}/edit?only=story")
    area = ann.page.get_by_role("textbox", name="Story")
    area.click()
    ann.page.get_by_role("button", name="Bold").click()
    ann.page.keyboard.type("loud")
    save(ann.page)
    assert re.search(r"<(b|strong)>loud</", ann.page.locator(".rich").inner_html())

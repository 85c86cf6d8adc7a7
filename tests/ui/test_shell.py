"""Sign in and out, language, theme, menus, the session's end."""

import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Shop, Visitors

pytestmark = pytest.mark.browser


def test_a_person_signs_in_reaches_the_page_that_was_asked_for_and_signs_out(visitor: Visitors) -> None:
    ann = visitor("")
    ann.go("/o/deal?q=59")
    assert "/login?next=" in ann.page.url
    ann.page.get_by_label("User name").fill("ann")
    ann.page.get_by_label("Password", exact=True).fill("wrong")
    ann.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(ann.page.get_by_role("alert")).to_have_text("User name or password is wrong.")
    expect(ann.page.get_by_label("User name")).to_have_value("ann")
    ann.page.get_by_label("Password", exact=True).fill("a long password 1")
    ann.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(ann.page.locator("#rows .name")).to_have_text(["Deal 59"])
    ann.page.get_by_label("Your account").click()
    ann.page.get_by_role("button", name="Sign out").click()
    ann.page.get_by_text("You are signed out.").wait_for()
    ann.go("/")
    assert "/login" in ann.page.url


def test_the_sign_in_page_switches_language_and_carries_it_along(visitor: Visitors) -> None:
    ann = visitor("")
    ann.go("/login")
    ann.page.get_by_role("link", name="简体中文").click()
    ann.page.get_by_label("用户名").fill("ann")
    ann.page.get_by_label("密码", exact=True).fill("a long password 1")
    ann.page.get_by_role("button", name="登录").click()
    ann.page.get_by_role("heading", name="Ann Lee").wait_for()
    assert ann.page.locator("html").get_attribute("lang") == "zh-CN"


def test_a_browser_in_chinese_gets_the_sign_in_page_in_chinese(visitor: Visitors) -> None:
    somebody = visitor("", locale="zh-CN")
    somebody.go("/login")
    somebody.page.get_by_role("heading", name="登录").wait_for()


def test_the_language_of_a_page_is_switched_where_one_is(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal?is.stage=won")
    ann.page.get_by_label("Language").click()
    ann.page.get_by_role("button", name="简体中文").click()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("交易")
    expect(ann.page.locator("#count")).to_have_text("20 条记录")
    assert "is.stage=won" in ann.page.url
    assert ann.page.locator("#rows .pill").first.inner_text() == "赢单"


def test_the_theme_is_kept_and_in_the_page_from_the_first_byte(visitor: Visitors) -> None:
    ann = visitor("ann", color_scheme="light")
    ann.go("/")
    assert ann.page.locator("html").get_attribute("data-bs-theme") == "light"
    ann.page.get_by_label("Appearance").click()
    ann.page.get_by_role("button", name="Dark").click()
    expect(ann.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    ann.go("/o/deal")
    assert 'data-bs-theme="dark"' in ann.page.request.get(ann.url + "/o/deal").text()
    assert ann.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 24)"


def test_as_the_device_follows_the_device(visitor: Visitors) -> None:
    ann = visitor("ann", color_scheme="dark")
    ann.go("/")
    expect(ann.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    ann.page.emulate_media(color_scheme="light")
    expect(ann.page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_a_session_that_ends_leads_to_sign_in_and_back(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.context.clear_cookies()
    ann.page.get_by_label("Search in this list").fill("x")
    ann.page.get_by_role("heading", name="Sign in").wait_for()


def test_the_drawer_of_a_phone_opens_and_closes(visitor: Visitors) -> None:
    ann = visitor("ann", phone=True)
    ann.go("/")
    ann.page.get_by_role("button", name="More").tap()
    ann.page.get_by_role("navigation", name="Menu").get_by_role("link", name="Companies").tap()
    ann.page.get_by_role("heading", name="Companies", level=1).wait_for()


def test_home_greets_and_shows_what_is_open(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/")
    expect(ann.page.get_by_role("heading", level=1)).to_contain_text("Ann Lee")
    expect(ann.page.locator(".tile-card").first).to_contain_text("60")
    expect(ann.page.get_by_role("heading", name="My open deals")).to_contain_text("40")


def test_home_tells_what_changed_last_of_the_menus_objects_only(visitor: Visitors, shop: Shop) -> None:
    shop.site.user("zoe", "reader", name="Zoe New")  # a change of an object that no menu leads to
    ann = visitor("ann")
    ann.go("/")
    changed = ann.page.locator("ul.recent")
    expect(changed.get_by_role("link")).to_have_count(9)
    expect(changed).not_to_contain_text("Zoe New")


def test_the_skip_link_is_first_and_leads_to_the_content(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.keyboard.press("Tab")
    assert ann.page.evaluate("document.activeElement.textContent") == "Skip to content"
    ann.page.keyboard.press("Enter")
    assert ann.page.evaluate("document.activeElement.id") == "main"

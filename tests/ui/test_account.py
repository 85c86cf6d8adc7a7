"""A person's own account and the pages before a session, in a browser."""

import pyotp
import pytest
from playwright.sync_api import expect

from tests.ui.conftest import Shop, Visitors

pytestmark = pytest.mark.browser
PASSWORD = "a long password 1"


def test_codes_are_set_up_and_asked_for_at_the_next_sign_in(visitor: Visitors, shop: Shop) -> None:
    shop.site.user("tess", "seller", password=PASSWORD, name="Tess", language="en")
    tess = visitor("tess")
    tess.go("/")
    tess.page.get_by_label("Your account").click()
    tess.page.get_by_role("link", name="Account and security").click()
    part = tess.page.locator("#codes")
    part.get_by_label("Your password").fill(PASSWORD)
    part.get_by_role("button", name="Set it up").click()
    app = pyotp.TOTP(part.locator("code").inner_text().replace(" ", ""))
    assert part.get_by_role("img").evaluate("image => image.naturalWidth") > 100
    part.get_by_label("Code").fill(app.now())
    part.get_by_role("button", name="Switch on").click()
    expect(tess.page.locator(".codes li")).to_have_count(10)
    recovery = tess.page.locator(".codes li").first.inner_text()
    assert tess.violations() == []
    again = visitor("")
    again.go("/login")
    again.page.get_by_label("User name").fill("tess")
    again.page.get_by_label("Password", exact=True).fill(PASSWORD)
    again.page.get_by_role("button", name="Sign in", exact=True).click()
    again.page.get_by_role("heading", name="One more step").wait_for()
    assert again.violations() == []
    again.page.get_by_label("Code").fill("000000")
    again.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(again.page.get_by_role("alert")).to_contain_text("The code is wrong")
    again.page.get_by_label("Code").fill(recovery)
    again.page.get_by_role("button", name="Sign in", exact=True).click()
    again.page.get_by_role("heading", name="Tess").wait_for()


def test_a_token_is_shown_once_and_revoked(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/me")
    ann.page.get_by_label("What it is for").fill("Nightly import")
    ann.page.get_by_text("Only certain objects").click()
    ann.page.get_by_label("Deals").check()
    ann.page.get_by_role("button", name="Make a token").click()
    expect(ann.page.locator(".shown-once code")).to_contain_text("fs_")
    ann.go("/me")
    expect(ann.page.locator(".shown-once")).to_have_count(0)
    line = ann.page.locator(".account-list li", has_text="Nightly import")
    expect(line).to_contain_text("Reads only")
    expect(line).to_contain_text("Deals")
    line.get_by_role("button").click()
    expect(ann.page.locator(".account-list li", has_text="Nightly import")).to_have_count(0)
    expect(ann.page.get_by_role("status")).to_contain_text("The token was revoked.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(visitor: Visitors, scheme: str) -> None:
    ann = visitor("ann", color_scheme=scheme)
    ann.go("/me")
    assert ann.violations() == []
    nobody = visitor("", color_scheme=scheme, phone=True)
    for path in ("/login", "/login/forgot", "/login/password?link=made-up"):
        nobody.go(path)
        assert nobody.violations() == [], path

"""Is every screen usable by everybody, in both themes, and quiet under the strict policy?"""

import pytest
from playwright.sync_api import expect

from tests.depth import IS_DEEP
from tests.ui.conftest import Visitors

pytestmark = pytest.mark.browser

PAIRINGS = [("light", False), ("dark", True), *([("dark", False), ("light", True)] if IS_DEEP else [])]
SCREENS = {
    "home": "/",
    "list": "/o/deal",
    "list with filters": "/o/deal?q=deal&is.stage=open&where=amount~gt~10",
    "empty list": "/o/deal?q=nothing+has+this+name",
    "new": "/o/deal/new",
    "search": "/search?q=acme",
    "deleted": "/o/deal/deleted",
    "no such page": "/o/nothing",
}


@pytest.mark.parametrize(("theme", "phone"), PAIRINGS)
def test_screens_have_no_violations(visitor: Visitors, theme: str, phone: bool) -> None:
    ann = visitor("ann", phone=phone, color_scheme=theme)
    found = {}
    deal = visitor.shop.deals["Deal 00"]
    for name, path in {**SCREENS, "record": f"/o/deal/{deal}", "edit": f"/o/deal/{deal}/edit"}.items():
        ann.go(path)
        if violations := ann.violations():
            found[name] = violations
        assert ann.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name} is too wide"
    assert found == {}
    if not phone:  # where the columns do not fit, they scroll within their card, beside what each row can do
        ann.page.set_viewport_size({"width": 900, "height": 700})
        ann.go("/o/deal")
        assert ann.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        expect(ann.page.locator("td.more button").first).to_be_in_viewport()


@pytest.mark.parametrize("theme", ["light", *(["dark"] if IS_DEEP else [])])
def test_sign_in_and_dialogs_have_no_violations(visitor: Visitors, theme: str) -> None:
    nobody = visitor("", color_scheme=theme)
    nobody.go("/login")
    nobody.page.get_by_role("button", name="Sign in", exact=True).click()
    nobody.page.get_by_role("alert").wait_for()
    assert nobody.violations() == []

    ann = visitor("ann", color_scheme=theme)
    ann.go("/o/deal")
    ann.page.keyboard.press("n")
    ann.page.locator("dialog[open]").get_by_role("button", name="Save").click()
    ann.page.locator("dialog .wrong").first.wait_for()
    assert ann.violations() == []
    ann.page.get_by_label("Company", exact=False).first.press_sequentially("ac")
    ann.page.get_by_role("option", name="Acme").wait_for()
    assert ann.violations() == []


SMALL = """() => [...document.querySelectorAll("main, header, .tabbar")]
  .flatMap(part => [...part.querySelectorAll("button, summary, .btn, a.tile-card, .segment a, a.crumb, select"),
    ...part.querySelectorAll("input:not([type=hidden])")])
  .filter(e => e.checkVisibility() && !e.closest(".unseen, .pick, .options, .toggle"))
  .map(e => [e.outerHTML.slice(0, 90), e.getBoundingClientRect()])
  .filter(([, box]) => box.width && (box.height < 39.5 || box.width < 39.5))
  .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""


def test_what_is_tapped_on_a_phone_is_large_enough(visitor: Visitors) -> None:
    ann = visitor("ann", phone=True)
    for path in ("/", "/o/deal", "/o/deal/new", f"/o/deal/{visitor.shop.deals['Deal 01']}"):
        ann.go(path)
        assert ann.page.evaluate(SMALL) == [], path
    ann.go("/o/deal")
    cell, card = (ann.page.locator(name).first.bounding_box() for name in ("#rows td.number", "#rows"))
    assert cell is not None
    assert card is not None
    assert card["width"] - cell["width"] < 40  # values stand at the end of the line, not in its middle


@pytest.mark.parametrize(("theme", "phone"), PAIRINGS)
def test_screens_about_permissions_have_no_violations(visitor: Visitors, theme: str, phone: bool) -> None:
    visitor.shop.site.user("root", "admin", name="Root")
    root = visitor("root", phone=phone, color_scheme=theme)
    deal, ann = visitor.shop.deals["Deal 00"], visitor.shop.site.user("ann")
    found = {}
    for path in ("/setup/permissions", "/setup/permissions/role/seller", f"/setup/people/{ann}/access",
                 f"/o/deal/{deal}/access?person={ann}&action=update"):  # fmt: skip
        root.go(path)
        if violations := root.violations():
            found[path] = violations
        assert root.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{path} is too wide"
    assert found == {}

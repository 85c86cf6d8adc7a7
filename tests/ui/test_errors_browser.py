"""What went wrong is said over the page, at a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.errors import Busy
from tests.ui.conftest import Shop, Visitors, served
from tests.ui.processes import desk

pytestmark = pytest.mark.browser


@pytest.fixture
def shop(front_end: None, sqlite_url: str) -> Iterator[Shop]:
    with desk(sqlite_url, now=None) as site, served(site) as url:
        yield Shop(site, url)


def test_what_was_typed_is_still_there_after_a_failure(
    shop: Shop, visitor: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise Busy("busy")

    ann = visitor("ann")
    ann.go("/o/deal")
    ann.page.get_by_role("link", name="New").first.click()
    sheet, trouble = ann.page.locator("#sheet"), ann.page.locator("#trouble")
    sheet.get_by_label("Name").fill("Gear line")
    with monkeypatch.context() as broken:
        broken.setattr("engine.service.Records.create", busy)
        sheet.get_by_role("button", name="Save").click()
        expect(trouble.get_by_role("heading", name="Busy at the moment")).to_be_visible()
    assert ann.violations() == []
    [complaint] = ann.complaints  # the browser's own, about the status
    assert "a status of 503" in complaint
    ann.complaints.clear()
    trouble.get_by_text("Close").click()
    expect(trouble).to_be_hidden()
    expect(sheet.get_by_label("Name")).to_have_value("Gear line")
    sheet.get_by_role("button", name="Save").click()
    expect(ann.page.locator("#toasts")).to_contain_text("Gear line was created.")

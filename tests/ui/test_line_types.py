"""Files, secrets and addresses in the lines of a record."""

import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.files import catalogue
from engine.sealed import Sealed
from engine.secrets import decrypt
from engine.testing import running
from tests.ui.conftest import Shop, Visitors, served

PACKAGE = """\
package: rack
version: 1.0.0
label: {en: Rack, zh-CN: 机柜}
languages: [en, zh-CN]
---
object: rack
label: {en: Rack, zh-CN: 机柜}
plural: {en: Racks, zh-CN: 机柜}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}}
  slots: {type: table, of: slot, label: {en: Slots, zh-CN: 插槽}}
---
object: slot
kind: child
label: {en: Slot, zh-CN: 插槽}
plural: {en: Slots, zh-CN: 插槽}
fields:
  rack: {type: reference, to: rack, master: true, label: {en: Rack, zh-CN: 机柜}}
  name: {type: text, label: {en: Name, zh-CN: 名称}}
  token: {type: secret, label: {en: Token, zh-CN: 令牌}}
  paper: {type: file, label: {en: Paper, zh-CN: 文件}}
  place: {type: address, label: {en: Place, zh-CN: 地址}}
---
role: fitter
label: Fitter
objects: {rack: [create, read, update, delete], slot: [create, read, update, delete], user: [read]}
"""
PLAIN = "line-token-4711"


@pytest.fixture(scope="module")
def shop(front_end: None) -> Iterator[Shop]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site, served(site) as url:
        site.user("ann", "fitter", name="Ann Lee", language="en", time_zone="UTC")
        yield Shop(site, url)


def rack(shop: Shop, name: str) -> tuple[str, str]:
    """A rack with one slot that holds everything; the ids of both."""
    file = catalogue.add(shop.site.context("ann"), "a.txt", io.BytesIO(b"a")).id
    line = {"name": "One", "token": PLAIN, "paper": file, "place": {"city": "Berlin"}}
    made = shop.site.records("ann").create("rack", {"name": name, "slots": [line]})
    return made["id"], made["slots"][0]["id"]


def kept(shop: Shop, slot: str) -> str | None:
    stored = shop.site.records("ann").get_row("slot", slot, ("token",))["token"]
    return decrypt(shop.site.context(), "slot", "token", stored) if isinstance(stored, Sealed) else None


def send(shop: Shop, path: str, **form: object) -> tuple[int, str]:
    client = shop.site.client("ann", by="session")
    answer = client.post(path, data={**form, "_csrf": client.headers["x-csrf-token"]})
    return answer.status_code, answer.text


def test_a_line_holds_a_file_with_its_name(shop: Shop) -> None:
    _, slot = rack(shop, "Named")
    line = shop.site.records("ann").get("slot", slot)
    assert (line["paper"]["name"], line["paper"]["size"], line["place"]) == ("a.txt", 1, {"city": "Berlin"})


def test_a_secret_of_a_line_stays_where_its_input_is_left_empty(shop: Shop) -> None:
    record, slot = rack(shop, "Kept")
    line = {"slots": "", "slots.0.id": slot, "slots.0.name": "Two", "slots.0.token": ""}
    assert send(shop, f"/o/rack/{record}/edit", name="Kept", **line)[0] == 303
    assert (shop.site.records("ann").get("slot", slot)["name"], kept(shop, slot)) == ("Two", PLAIN)
    assert send(shop, f"/o/rack/{record}/edit", name="Kept", **line, **{"slots.0.token._clear": "1"})[0] == 303
    assert kept(shop, slot) is None


def test_a_line_that_nobody_touched_is_none(shop: Shop) -> None:
    record, slot = rack(shop, "Spare")
    spare = {
        "slots.1.name": "",
        "slots.1.token": "",
        "slots.1.paper": "",
        "slots.1.place": ["parts:city,street", "", ""],
    }
    form = {"slots": "", "slots.0.id": slot, "slots.0.name": "One", **spare}
    assert send(shop, f"/o/rack/{record}/edit", name="Spare", **form)[0] == 303
    assert len(shop.site.records("ann").get("rack", record, ("slots",))["slots"]) == 1


def test_a_copy_holds_no_secret(shop: Shop) -> None:
    record, _ = rack(shop, "Copied")
    page = shop.site.client("ann", by="session").get(f"/o/rack/new?_like={record}").text
    assert "Leave empty to keep" not in page
    assert PLAIN not in page


@pytest.mark.browser
def test_a_new_line_takes_a_file_and_an_address(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/rack/new")
    page = ann.page
    page.locator("#f-name").fill("Browser")
    line = page.locator("tbody.line").first
    line.get_by_role("textbox", name="Name").fill("New")
    line.get_by_role("button", name="More fields of this line").click()
    paper = {"name": "new.txt", "mimeType": "text/plain", "buffer": b"new"}
    line.locator("input[type='file']").set_input_files(paper)
    expect(line.get_by_role("link", name="new.txt")).to_be_visible()
    line.get_by_label("City").fill("Paris")
    assert ann.violations() == []
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Browser", level=1).wait_for()
    record = page.url.rsplit("/", 1)[1]
    found = visitor.shop.site.records("ann").get("rack", record, ("slots",))["slots"]
    assert [(one["paper"]["name"], one["place"]) for one in found] == [("new.txt", {"city": "Paris"})]

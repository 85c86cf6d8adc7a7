"""Lines in the form of their record: typed, pasted, moved, removed, refused; and on the record's page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from engine.service import Records
from engine.testing import Running, running
from tests.ui.conftest import Shop, Visitors, served
from tests.ui.workshop import PACKAGE, fill, quote

PASTED = 'Cable\t"Red\ncable"\t12\t3.5\tno\ngear BOX\tBox\t2\t"1,000"\tyes\nNowhere\tx\t1\t1\t\n'


@pytest.fixture(scope="module")
def site() -> Iterator[Running]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site:
        site.ids = fill(site)  # type: ignore[attr-defined]
        yield site


@pytest.fixture(scope="module")
def shop(site: Running, front_end: None) -> Iterator[Shop]:
    with served(site) as url:
        yield Shop(site, url, companies=site.ids)  # type: ignore[attr-defined]


def ids_of(site: Running) -> dict[str, str]:
    found: dict[str, str] = site.ids  # type: ignore[attr-defined]
    return found


def lines(site: Running, record: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = site.records("ann").get("quote", record, ("lines",))["lines"]
    return found


def test_the_form_has_each_line_and_blank_ones_for_browsers_without_script(site: Running) -> None:
    record = quote(site, ids_of(site), "Three", 3)
    page = site.client("ann", by="session").get(f"/o/quote/{record}/edit").text
    assert page.count('<tbody class="line" data-line="') == 3 + 1  # the last one is what the script copies
    assert page.count('<tbody class="line line-spare"') == 3
    assert 'name="lines.0.product" value="' + ids_of(site)["Gear box"] in page
    assert '<td class="number" data-total="quantity" data-label="Quantity">6</td>' in page
    assert '<td class="number" data-total="amount" data-label="Amount">¥3,085.90</td>' in page
    assert "data-total" not in page.split("Price")[0].split("<tfoot>")[-1]


def test_lines_are_sent_with_the_form_in_the_order_in_which_they_stand(site: Running) -> None:
    record = quote(site, ids_of(site), "Ordered", 3)
    first, second, _ = lines(site, record)
    cable = ids_of(site)["Cable"]
    client = site.client("ann", by="session")
    sent = {
        "lines": "", "lines.1.id": second["id"], "lines.1.text": "Now first", "lines.0.id": first["id"],
        "lines.7.product": cable, "lines.7.quantity": "1,000", "lines.7.is_free": ["", "true"], "lines.7.why": "Gift",
        "lines.3.product": "", "lines.3.quantity": "1", "lines.3.is_free": "",  # as it was offered: no line
    }  # fmt: skip
    answer = client.post(f"/o/quote/{record}/edit", data=sent)
    assert answer.status_code == 422
    assert "Items, line 3: Quantity: At most 500 of a product" in answer.text
    assert answer.text.count('value="1,000"') == 1
    assert [line["text"] for line in lines(site, record)] == ["Gear box", "Servo motor", "Cable"]
    assert client.post(f"/o/quote/{record}/edit", data={**sent, "lines.7.quantity": "12"}).status_code == 303
    found = lines(site, record)
    assert [(line["text"], line["quantity"], line["amount"]) for line in found] == [
        ("Now first", 2, 1799), ("Gear box", 1, 1250), ("Cable", 12, 0),
    ]  # fmt: skip
    assert [line["id"] for line in found[:2]] == [second["id"], first["id"]]
    client.post(f"/o/quote/{record}/edit", data={"lines": ""})
    assert lines(site, record) == []


def test_a_mistake_stands_at_its_cell(site: Running) -> None:
    record = quote(site, ids_of(site), "Wrong", 1)
    (line,) = lines(site, record)
    client = site.client("ann", by="session")
    sent = {
        "lines": "",
        "lines.4.id": line["id"],
        "lines.4.quantity": "0",
        "lines.5.text": "x",
        "lines.5.is_free": "true",
    }
    page = client.post(f"/o/quote/{record}/edit", data=sent).text
    assert '<a href="#f-lines.0.quantity">Items, line 1: Quantity: 1 is the least allowed</a>' in page
    assert 'id="f-lines.0.quantity-wrong"' in page
    page = client.post(f"/o/quote/{record}/edit", data={**sent, "lines.4.quantity": "1"}).text
    assert '<a href="#f-lines.1.product">Items, line 2: Product is required</a>' in page
    assert '<a href="#f-lines.1.why">Items, line 2: Why free is required</a>' in page
    assert '<tr class="line-more is-open">' in page  # where the mistake is


def test_the_page_shows_lines_with_their_sums(site: Running) -> None:
    record = quote(site, ids_of(site), "Shown", 4)
    page = site.client("ann", by="session").get(f"/o/quote/{record}").text
    table = page.split('aria-label="Items"')[1].split("</table>")[0]
    assert table.count("<tr>") == 1 + 4 + 1
    assert [table.index(one) for one in ("Gear box", "Servo motor", "Cable")] == sorted(
        table.index(one) for one in ("Gear box", "Servo motor", "Cable")
    )
    assert 'data-label="Total: Amount">¥8,085.90</td>' in table
    assert "Items" not in page.split("</dl>")[-1].split("None yet")[-1].split("Timeline")[0].split("</table>")[-1]


def test_two_hundred_lines_take_no_more_queries_than_two(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client("ann", by="session")
    asked: list[str] = []
    page = Records.page
    monkeypatch.setattr(Records, "page", lambda self, query: asked.append(query.object) or page(self, query))
    counts = []
    for count in (2, 200):
        record = quote(site, ids_of(site), f"{count} lines", count)
        asked.clear()
        answer = client.get(f"/o/quote/{record}/edit")
        assert answer.text.count('<tbody class="line" data-line="') == count + 1
        counts.append(sorted(asked))
    assert counts[0] == counts[1]


def live(page: Page) -> Locator:
    found = page.locator("form[data-is-live]")
    found.wait_for()
    return found


def cells(page: Page, name: str) -> list[str]:
    rows = page.locator("tbody.line:not(.is-gone)")
    return [rows.nth(n).locator(f"[name$='.{name}']").last.input_value() for n in range(rows.count())]


@pytest.mark.browser
def test_a_record_is_created_with_its_lines(visitor: Visitors) -> None:
    ann, ids = visitor("ann"), visitor.shop.companies
    page = ann.page
    ann.go(f"/o/quote/new?record_type=sale&customer={ids['Acme']}")
    form = live(page)
    page.locator("#f-name").fill("With lines")
    rows = page.locator("tbody.line")
    expect(rows).to_have_count(1)  # one to begin with, which is not sent if nobody fills it
    rows.nth(0).get_by_role("combobox").press_sequentially("gear")
    page.get_by_role("option", name="Gear box").click()
    expect(rows.nth(0).locator("[name$='.price']")).to_have_value("1250")  # fetched
    expect(rows.nth(0).locator("[name$='.text']")).to_have_value("Gear box")
    rows.nth(0).locator("[name$='.quantity']").fill("3")
    expect(rows.nth(0).locator("output")).to_have_text("¥3,750")
    expect(form.locator("[data-worked='net']")).to_have_text("¥3,562.50")
    expect(form.locator("[data-worked='pieces']")).to_have_text("3")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    page.keyboard.type("serv")
    page.get_by_role("option", name="Servo motor").wait_for()
    page.keyboard.press("Enter")
    expect(rows.nth(1).locator("output")).to_have_text("¥899.50")
    rows.nth(1).get_by_role("switch").check()
    expect(rows.nth(1).locator("output")).to_have_text("¥0")
    rows.nth(1).get_by_role("button", name="More fields of this line").click()
    expect(rows.nth(1).get_by_label("Why free")).to_be_visible()
    rows.nth(1).get_by_label("Why free").fill("Sample")
    page.get_by_role("button", name="Add line").click()
    expect(rows).to_have_count(3)
    expect(form.locator("[data-worked='pieces']")).to_have_text("4")  # the third is not there yet
    rows.nth(0).locator("[name$='.quantity']").fill("600")
    page.keyboard.press("Tab")
    expect(rows.nth(0).locator(".wrong")).to_have_text("At most 500 of a product")
    assert ann.violations() == []
    rows.nth(0).locator("[name$='.quantity']").fill("2")
    expect(rows.nth(0).locator(".wrong")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="With lines", level=1).wait_for()
    assert ann.violations() == []
    record = page.url.rsplit("/", 1)[1]
    found = lines(visitor.shop.site, record)
    assert [(line["text"], line["quantity"], line["amount"], line["why"]) for line in found] == [
        ("Gear box", 2, 2500, None), ("Servo motor", 1, 0, "Sample"),
    ]  # fmt: skip


@pytest.mark.browser
def test_lines_are_pasted_moved_and_removed(visitor: Visitors) -> None:
    ann, site = visitor("ann", phone=False), visitor.shop.site
    page = ann.page
    record = quote(site, visitor.shop.companies, "To be sorted", 2)
    ann.go(f"/o/quote/{record}/edit")
    form = live(page)
    total = form.locator("[data-worked='total']")
    expect(total).to_have_text("¥3,049")
    page.get_by_role("button", name="Add line").click()
    page.evaluate(
        """(text) => {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
      document.activeElement.dispatchEvent(event);
    }""",
        PASTED,
    )
    expect(page.locator("[data-form-says]")).to_have_text("3 lines pasted")
    assert cells(page, "text") == ["Gear box", "Servo motor", "Red cable", "Box", "x"]
    assert cells(page, "price") == ["1250", "899.5", "3.5", "1,000", "1"]  # what was pasted, not what was fetched
    expect(total).to_have_text("¥3,092")
    rows = page.locator("tbody.line:not(.is-gone)")
    rows.nth(4).get_by_role("button", name="Remove this line").click()
    expect(total).to_have_text("¥3,091")
    page.get_by_role("button", name="Undo").click()
    expect(total).to_have_text("¥3,092")
    rows.nth(4).get_by_role("button", name="Remove this line").click()
    rows.nth(0).locator(".line-grip").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-form-says]")).to_have_text("Line moved to place 2")
    assert cells(page, "text") == ["Servo motor", "Gear box", "Red cable", "Box"]
    grip, target = (rows.nth(n).locator(".line-grip").bounding_box() for n in (0, 2))
    assert grip is not None
    assert target is not None
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(grip["x"] + 5, target["y"] + 20, steps=8)
    page.mouse.move(grip["x"] + 5, target["y"] + 34, steps=4)
    page.mouse.up()
    assert cells(page, "text") == ["Gear box", "Red cable", "Servo motor", "Box"]
    rows.nth(3).get_by_role("button", name="More fields of this line").click()
    rows.nth(3).get_by_label("Why free").fill("Sample")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="To be sorted", level=1).wait_for()
    assert [line["text"] for line in lines(site, record)] == ["Gear box", "Red cable", "Servo motor", "Box"]


@pytest.mark.browser
def test_two_hundred_lines_answer_at_once(visitor: Visitors) -> None:
    ann = visitor("ann")
    record = quote(visitor.shop.site, visitor.shop.companies, "Long form", 200)
    ann.page.goto(f"{ann.url}/o/quote/{record}/edit", timeout=30_000)
    live(ann.page)
    spent = ann.page.evaluate("""async () => {
      const inputs = [...document.querySelectorAll('[name$=".quantity"]')];
      const spent = [];
      for (const input of inputs.slice(0, 40)) {
        const start = performance.now();
        input.value = '7';
        input.dispatchEvent(new Event('input', {bubbles: true}));
        await Promise.resolve(); await Promise.resolve();
        spent.push(performance.now() - start);
      }
      return spent.sort((a, b) => a - b)[20];
    }""")
    expect(ann.page.locator("[data-worked='pieces']")).to_have_text("760")
    assert spent < 30  # milliseconds for each keystroke: 3 on a quiet machine


@pytest.mark.browser
def test_on_a_phone_each_line_is_a_card(visitor: Visitors) -> None:
    ann = visitor("ming", phone=True)
    record = quote(visitor.shop.site, visitor.shop.companies, "On a phone", 2)
    ann.go(f"/o/quote/{record}/edit")
    live(ann.page)
    card = ann.page.locator("tbody.line").nth(1)
    expect(card.get_by_text("数量")).to_be_visible()
    card.get_by_label("数量").fill("4")
    expect(card.locator("output")).to_have_text("¥3,598")
    assert ann.page.evaluate("document.documentElement.scrollWidth") == 390
    assert ann.violations() == []


@pytest.mark.browser
def test_lines_are_written_without_script(visitor: Visitors) -> None:
    ann = visitor("ann", java_script_enabled=False)
    record = quote(visitor.shop.site, visitor.shop.companies, "Plain", 1)
    ann.go(f"/o/quote/{record}/edit")
    rows = ann.page.locator("tbody.line")
    expect(rows).to_have_count(4)
    expect(rows.nth(3)).to_be_visible()
    rows.nth(0).get_by_label("Quantity").fill("5")
    rows.nth(0).get_by_label("Note").fill("By hand")
    ann.page.get_by_role("button", name="Save").click()
    ann.page.get_by_role("heading", name="Plain", level=1).wait_for()
    (line,) = lines(visitor.shop.site, record)
    assert (line["quantity"], line["note"]) == (5, "By hand")

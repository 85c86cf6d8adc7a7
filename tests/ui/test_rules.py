"""Do forms and pages show what conditions, defaults, fetched values and record types say: at once, and as one types?"""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from playwright.sync_api import expect

from engine.testing import Running, running
from tests.ui.conftest import Shop, Visitors, served
from tests.ui.workshop import PACKAGE, fill, quote


@pytest.fixture(scope="module")
def site() -> Iterator[Running]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site:
        site.ids = fill(site)  # type: ignore[attr-defined]
        yield site


@pytest.fixture(scope="module")
def shop(site: Running, front_end: None) -> Iterator[Shop]:
    with served(site) as url:
        yield Shop(site, url, companies=site.ids)  # type: ignore[attr-defined]


class Form(HTMLParser):
    """The fields of a form as it is first painted: which are hidden, marked as required, disabled, what they hold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fields: dict[str, dict[str, Any]] = {}
        self.live: dict[str, Any] = {}
        self.open: list[tuple[str, str]] = []  # (tag, field that begins with it)
        self.section_hidden: list[bool] = []
        self.text = text
        self.feed(text)

    @property
    def field(self) -> dict[str, Any] | None:
        names = [name for _, name in self.open if name]
        return self.fields[names[-1]] if names else None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if tag == "form" and "data-live" in found:
            self.live = json.loads(found["data-live"] or "")
        name = found.get("data-field") or ""
        if name and name not in self.fields:
            is_hidden = "hidden" in found or any(self.section_hidden)
            self.fields[name] = {"hidden": is_hidden, "must": False, "locked": False, "value": None, "text": ""}
        if tag == "fieldset":
            self.section_hidden.append("hidden" in found)
        if (field := self.field) is not None:
            field["must"] |= "data-must" in found and "hidden" not in found
            field["locked"] |= tag == "fieldset" and "disabled" in found
            if tag == "input" and "value" in found and field["value"] is None:
                field["value"] = found["value"]
            if tag == "option" and "selected" in found:
                field["value"] = found["value"]
        if tag not in ("input", "br", "use", "hr", "meta", "link"):
            self.open.append((tag, name))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        return  # of icons

    def handle_endtag(self, tag: str) -> None:
        if tag == "fieldset" and self.section_hidden:
            self.section_hidden.pop()
        while self.open:
            closed, _ = self.open.pop()
            if closed == tag:
                break

    def handle_data(self, data: str) -> None:
        if (field := self.field) is not None and any(tag == "output" for tag, _ in self.open):
            field["text"] += data.strip()


def form(site: Running, path: str, username: str = "ann") -> Form:
    answer = site.client(username, by="session").get(path)
    assert answer.status_code == 200, answer.text
    return Form(answer.text)


def test_the_first_paint_of_a_new_form_has_defaults_fetched_values_and_conditions(site: Running) -> None:
    found = form(site, f"/o/quote/new?record_type=sale&customer={site.ids['Acme']}&starts=2026-11-10").fields  # type: ignore[attr-defined]
    assert found["region"]["value"] == site.ids["North"]  # type: ignore[attr-defined]
    assert found["terms"]["value"] == "30"
    assert found["discount"]["value"] == "5"  # of the region that was fetched
    assert found["ends"]["value"] == "2026-12-10"
    assert found["days"]["text"] == "30"
    assert found["reason"]["hidden"]
    assert not found["country"]["hidden"]
    assert not found["discount"]["locked"]


def test_the_first_paint_of_an_edit_form_follows_the_stored_values(site: Running) -> None:
    lost = quote(site, site.ids, "Lost one", status="lost", reason="Too dear", serial="S-1")  # type: ignore[attr-defined]
    found = form(site, f"/o/quote/{lost}/edit").fields
    assert not found["reason"]["hidden"]
    assert found["reason"]["must"]
    assert found["country"]["hidden"]
    assert found["serial"]["locked"]  # set once
    won = quote(site, site.ids, "Won one", 2, status="won")  # type: ignore[attr-defined]
    found = form(site, f"/o/quote/{won}/edit").fields
    assert found["discount"]["locked"]
    assert not found["serial"]["locked"]
    assert (found["total"]["text"], found["net"]["text"], found["pieces"]["text"]) == ("¥3,049", "¥2,896.55", "3")


def test_a_refused_form_comes_back_as_its_input_has_it(site: Running) -> None:
    record = quote(site, site.ids, "Refused")  # type: ignore[attr-defined]
    client = site.client("ann", by="session")
    answer = client.post(f"/o/quote/{record}/edit", data={"status": "lost", "reason": "", "ends": "2026-10-01"})
    assert answer.status_code == 422
    found = Form(answer.text).fields
    assert not found["reason"]["hidden"]
    assert found["days"]["text"] == "-31"
    assert "Reason of the loss is required" in answer.text
    assert "It ends before it starts" in answer.text
    kept = site.records("ann").get("quote", record, ("status", "ends"))
    assert (kept["status"], str(kept["ends"])) == ("draft", "2026-12-01")


def test_a_warning_of_a_rule_is_confirmed(site: Running) -> None:
    record = quote(site, site.ids, "Doubtful")  # type: ignore[attr-defined]
    client = site.client("ann", by="session")
    answer = client.post(f"/o/quote/{record}/edit", data={"discount": "40"})
    assert (answer.status_code, "More than 30 % is unusual" in answer.text) == (409, True)
    assert "Save anyway" in answer.text
    assert client.post(f"/o/quote/{record}/edit", data={"discount": "40", "_confirm": "1"}).status_code == 303
    assert site.records("ann").get("quote", record, ("discount",))["discount"] == 40


def test_a_page_leaves_out_what_conditions_hide(site: Running) -> None:
    client = site.client("ann", by="session")
    draft = quote(site, site.ids, "A draft", country="cn")  # type: ignore[attr-defined]
    page = client.get(f"/o/quote/{draft}").text
    assert "<dt>Country</dt>" in page
    assert "Reason of the loss" not in page
    lost = quote(site, site.ids, "A loss", status="lost", reason="Too dear")  # type: ignore[attr-defined]
    page = client.get(f"/o/quote/{lost}").text
    assert "<dt>Country</dt>" not in page
    assert "<dt>Reason of the loss</dt>" in page


def test_a_new_record_of_an_object_with_types_asks_for_the_type_first(site: Running) -> None:
    client = site.client("ann", by="session")
    page = client.get(f"/o/quote/new?customer={site.ids['Acme']}").text  # type: ignore[attr-defined]
    links = re.findall(r'href="(/o/quote/new\?[^"]*)"', page)
    assert links == [
        f"/o/quote/new?customer={site.ids['Acme']}&amp;record_type={name}"
        for name in ("sale", "repair")  # type: ignore[attr-defined]
    ]
    assert "Work on a machine of the customer." in page
    assert "Rent" not in page  # retired
    repair = form(site, "/o/quote/new?record_type=repair")
    assert "<legend>Repair</legend>" in repair.text  # a layout of its own
    assert '<input type="hidden" name="record_type" value="repair">' in repair.text
    data = {"record_type": "repair", "name": "Mend it", "customer": site.ids["Acme"], "status": "draft"}  # type: ignore[attr-defined]
    made = client.post("/o/quote/new", data=data)
    page = client.get(made.headers["location"]).text
    assert 'type-pill">Repair<' in page
    assert re.findall(r'title="Change to ([^"]*)"', page) == ["Sent", "Repaired"]  # stages of this type only


def test_a_copy_leaves_out_what_is_not_copied_and_takes_the_lines(site: Running) -> None:
    record = quote(site, site.ids, "Original", 2, serial="S-77")  # type: ignore[attr-defined]
    found = form(site, f"/o/quote/new?_like={record}")
    assert found.fields["name"]["value"] == "Original"
    assert found.fields["serial"]["value"] == ""
    assert 'name="lines.0.text" value="Gear box"' in found.text
    assert 'name="lines.1.quantity" value="2"' in found.text
    assert 'name="lines.0.id"' not in found.text


def rules_of(site: Running, username: str) -> tuple[str, Any]:
    client = site.client(username, by="session")
    address = form(site, "/o/quote/new?record_type=sale", username).live["module"]
    return address, client.get(address)


def test_the_rules_are_a_module_that_is_kept_under_its_content(site: Running) -> None:
    address, answer = rules_of(site, "ann")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "It ends before it starts" in answer.text
    assert "结束日期早于开始日期" in rules_of(site, "ming")[1].text
    other = site.client("ann", by="session").get("/o/quote/rules-0000.js")
    assert (other.status_code, other.headers["cache-control"]) == (200, "no-store")
    assert site.client().get(address).status_code == 303


def test_rules_tell_nothing_of_objects_that_may_not_be_read(site: Running) -> None:
    """Cleo reads quotes and products, but no regions and no customers."""
    address, answer = rules_of(site, "cleo")
    assert address != rules_of(site, "ann")[0]
    assert "region.discount" not in answer.text
    assert 'are too many for "' not in rules_of(site, "ann")[1].text.replace('are too many for ",{', "")
    assert "are too many for … of …" in answer.text.replace('","', "")
    assert "customer.terms" not in answer.text
    assert "product.price" in answer.text
    ids = site.ids  # type: ignore[attr-defined]
    hidden = site.client("cleo", by="session").get(f"/o/quote/reach?field=customer&id={ids['Acme']}").json()
    assert hidden == {"values": {}, "fill": {}}


def test_what_is_behind_a_reference_is_told_to_those_who_may_read_it(site: Running) -> None:
    ids, client = site.ids, site.client("ann", by="session")  # type: ignore[attr-defined]
    found = client.get(f"/o/quote/reach?field=customer&id={ids['Acme']}").json()
    behind = {"customer.region": ids["North"], "customer.terms": "30"}
    assert found["values"] == behind | {"customer.name": "Acme", "customer.region.name": "North"}
    assert found["fill"]["region"] == {"value": ids["North"], "title": "North", "text": ""}
    line = client.get(f"/o/quote/reach?field=product&lines=lines&id={ids['Servo motor']}").json()
    assert line["fill"]["price"]["value"] == "899.5"
    for asked in ("field=customer&id=nonsense", "field=name&id=1", "field=&id="):
        answer = client.get(f"/o/quote/reach?{asked}")
        assert answer.status_code == 200
        assert set(answer.json()["values"].values()) <= {None}
    assert client.get("/o/quote/reach?field=product&lines=nosuch&id=1").status_code == 404


def test_settings_are_one_page_without_a_list(site: Running) -> None:
    client = site.client("ann", by="session")
    answer = client.get("/o/company_settings")
    assert answer.status_code == 303
    address = answer.headers["location"]
    page = client.get(address).text
    assert "/o/company_settings/new" not in page
    assert "data-delete" not in page.split('role="menu"')[0].split("page-actions")[1].split("</details>")[0]
    assert 'class="crumb"' not in page
    assert client.post(f"{address}/edit", data={"tax": "19"}).status_code == 303
    assert "19%" in client.get(address).text


def test_a_record_of_a_tree_shows_what_is_above_and_below_it(site: Running) -> None:
    records, client = site.records("ann"), site.client("ann", by="session")
    machines = records.create("category", {"name": "Machines"})["id"]
    pumps = records.create("category", {"name": "Pumps", "parent": machines})["id"]
    small = records.create("category", {"name": "Small pumps", "parent": pumps})["id"]
    page = client.get(f"/o/category/{small}").text
    crumbs = page.split('class="crumbs"')[1].split("</nav>")[0]
    assert re.findall(r'href="([^"]*)">([^<]*)<', crumbs) == [
        ("/o/category", "Categories"), (f"/o/category/{machines}", "Machines"), (f"/o/category/{pumps}", "Pumps"),
    ]  # fmt: skip
    assert f'href="/o/category/{small}">Small pumps' in client.get(f"/o/category/{pumps}").text
    found = client.get("/o/category/options?q=pump").json()
    assert [(one["title"], one["subtitle"]) for one in found] == [
        ("Pumps", "Machines"), ("Small pumps", "Machines \u203a Pumps"),
    ]  # fmt: skip


def test_a_lookup_offers_what_its_filter_lets_through(site: Running) -> None:
    ids, client = site.ids, site.client("ann", by="session")  # type: ignore[attr-defined]
    quote(site, ids, "Filtered one")
    quote(site, ids, "Filtered two", customer=ids["华东精密机械"])
    page = client.get("/o/task/new").text
    assert 'data-of="task.quote" data-reads="customer"' in page

    def offered(customer: str) -> list[str]:
        found = client.get(f"/o/quote/options?q=Filtered&of=task.quote&r.customer={customer}").json()
        return [one["title"] for one in found]

    assert offered(ids["Acme"]) == ["Filtered one"]
    assert offered(ids["华东精密机械"]) == ["Filtered two"]
    assert offered("") == []
    assert len(client.get("/o/quote/options?q=Filtered").json()) == 2
    assert client.get("/o/quote/options?q=x&of=nosuch.quote").status_code == 404


@pytest.mark.browser
def test_a_form_thinks_along(visitor: Visitors) -> None:
    ann, ids = visitor("ann"), visitor.shop.companies
    page = ann.page
    ann.go("/o/quote/new?record_type=sale")
    page.locator("form[data-is-live]").wait_for()
    field = lambda name: page.locator(f"[data-field='{name}']").first  # noqa: E731
    says = page.locator("[data-form-says]")
    # Conditions
    expect(field("reason")).to_be_hidden()
    page.get_by_label("Status").select_option("lost")
    expect(field("reason")).to_be_visible()
    expect(field("reason").locator("[data-must]")).to_be_visible()
    expect(field("country")).to_be_hidden()
    page.get_by_label("Status").select_option("draft")
    expect(field("reason")).to_be_hidden()
    # Values behind a reference, and a default that follows them until somebody changes it
    page.locator("#f-customer").press_sequentially("acm")
    page.get_by_role("option", name="Acme").click()
    expect(page.locator("#f-region")).to_have_value("North")
    expect(page.get_by_label("Days to pay")).to_have_value("30")
    expect(page.get_by_label("Discount")).to_have_value("5")
    page.get_by_label("Days to pay").fill("14")
    page.locator("#f-customer").fill("华东")
    page.get_by_role("option", name="华东精密机械").click()
    expect(page.locator("#f-region")).to_have_value("South")
    expect(page.get_by_label("Discount")).to_have_value("10")
    expect(page.get_by_label("Days to pay")).to_have_value("14")  # fetched only where it is blank
    page.get_by_label("Discount").fill("7.5")
    page.locator("#f-region").fill("Nor")
    page.get_by_role("option", name="North").click()
    page.get_by_label("Starts").fill("2026-11-10")
    expect(page.get_by_label("Ends")).to_have_value("2026-12-10")
    expect(page.get_by_label("Discount")).to_have_value("7.5")
    expect(field("days").locator("output")).to_have_text("30")
    # Rules: said once a field is left, gone when it is mended
    page.get_by_label("Ends").fill("2026-11-01")
    wrong = field("ends").locator(".wrong")
    expect(wrong).to_have_text("It ends before it starts")
    expect(page.get_by_label("Ends")).to_have_attribute("aria-describedby", "f-ends-rule")
    page.get_by_label("Ends").fill("2026-11-20")
    expect(wrong).to_have_count(0)
    page.get_by_label("Ends").fill("2027-12-20")
    expect(wrong).to_have_text("Draft: 1,215 thirds until Dec 20, 2027 are too many for 华东精密机械 of South")
    page.get_by_label("Ends").fill("2028-01-20")
    expect(wrong).to_have_text("Draft: 1,308 thirds until Jan 20, 2028 are too many for 华东精密机械 of South")
    page.get_by_label("Ends").fill("2026-11-20")
    expect(wrong).to_have_count(0)
    page.get_by_label("Discount").fill("45")
    expect(field("discount").locator(".doubtful")).to_have_text("More than 30 % is unusual")
    page.get_by_label("Discount").fill("7.5")
    # Choices in a chain
    city, district = page.get_by_label("City"), page.get_by_label("District")
    expect(city.locator("option")).to_have_text(["Choose Country first"])
    page.get_by_label("Country").select_option("cn")
    expect(city.locator("option")).to_have_text(["", "Shanghai", "Suzhou"])
    city.select_option("shanghai")
    district.select_option("pudong")
    page.get_by_label("Country").select_option("de")
    expect(city).to_have_value("")
    expect(district.locator("option")).to_have_text(["Choose City first"])
    expect(says).to_have_text("City, District was emptied: it does not go with what you have chosen.")
    expect(page.get_by_label("Status").locator("option")).to_have_text(["Draft", "Sent", "Won", "Lost"])
    assert ann.violations() == []
    page.locator("#f-name").fill("Live")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Live", level=1).wait_for()
    stored = visitor.shop.site.records("ann").get("quote", page.url.rsplit("/", 1)[1].split("?")[0])
    assert (stored["region"], stored["discount"], stored["terms"]) == (ids["North"], 7.5, 14)
    assert (str(stored["ends"]), stored["days"], stored["city"]) == ("2026-11-20", 10, None)


@pytest.mark.browser
def test_the_type_of_a_record_is_changed_in_its_form(visitor: Visitors) -> None:
    ann = visitor("ann")
    record = quote(visitor.shop.site, visitor.shop.companies, "To be repaired", status="won")
    ann.go(f"/o/quote/{record}/edit")
    ann.page.locator("form[data-is-live]").wait_for()
    status = ann.page.get_by_label("Status")
    locked = ann.page.get_by_role("button", name="It cannot be changed now.")
    locked.focus()
    expect(locked.locator(".locked-why")).to_be_visible()
    expect(ann.page.get_by_label("Discount")).to_be_disabled()
    ann.page.get_by_label("Record type").select_option("repair")
    expect(status).to_have_value("")
    expect(status.locator("option")).to_have_text(["", "Draft", "Sent", "Repaired"])
    status.select_option("repaired")
    ann.page.get_by_role("button", name="Save").click()
    expect(ann.page.locator(".type-pill")).to_have_text("Repair")


@pytest.mark.browser
def test_a_record_that_a_lookup_lacks_is_made_over_the_form(visitor: Visitors) -> None:
    ann = visitor("ann")
    page = ann.page
    ann.go("/o/quote/new?record_type=sale")
    page.locator("form[data-is-live]").wait_for()
    page.locator("#f-name").fill("For a new customer")
    page.locator("#f-customer").press_sequentially("Initech")
    page.get_by_role("option", name="+ New customer").click()
    dialog = page.get_by_role("dialog", name="New customer")
    expect(dialog.get_by_label("Name")).to_have_value("Initech")
    dialog.get_by_label("Name").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Name is required").first).to_be_visible()
    dialog.get_by_label("Name").fill("Initech")
    dialog.get_by_label("Days to pay").fill("21")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.locator("#f-customer")).to_have_value("Initech")
    expect(page.locator("#f-terms")).to_have_value("21")
    assert ann.violations() == []
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="For a new customer", level=1).wait_for()


@pytest.mark.browser
def test_references_to_several_records_and_to_any_of_several_objects_are_chosen(visitor: Visitors) -> None:
    ann, ids, site = visitor("ann"), visitor.shop.companies, visitor.shop.site
    page = ann.page
    quote(site, ids, "Quote to choose")
    ann.go("/o/task/new")
    page.locator("#f-name").fill("Look at it")
    products = page.get_by_role("combobox", name="Products")
    for text, title in (("gear", "Gear box"), ("cab", "Cable"), ("serv", "Servo motor")):
        products.press_sequentially(text)
        page.get_by_role("option", name=title).click()
    expect(page.locator(".combo-pill")).to_have_text(["Gear box", "Cable", "Servo motor"])
    page.get_by_role("button", name="Take out Cable").click()
    about = page.get_by_role("combobox", name="About", exact=True)
    page.get_by_role("combobox", name="About: Kind of record").select_option("quote")
    about.press_sequentially("quote to")
    page.get_by_role("option", name="Quote to choose").click()
    page.locator("#f-customer").press_sequentially("华东")
    page.get_by_role("option", name="华东精密机械").click()
    page.locator("#f-quote").press_sequentially("quote to")
    expect(page.get_by_text("Nothing found")).to_be_visible()  # it is another customer's
    assert ann.violations() == []
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Look at it", level=1).wait_for()
    stored = site.records("ann").get("task", page.url.rsplit("/", 1)[1])
    assert stored["products"] == [ids["Gear box"], ids["Servo motor"]]
    assert stored["about"].startswith("quote/")
    page.get_by_role("link", name="Edit", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".combo-pill")).to_have_text(["Gear box", "Servo motor"])
    expect(dialog.get_by_role("combobox", name="About", exact=True)).to_have_value("Quote to choose")

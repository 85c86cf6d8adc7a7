"""What stands in the pages, without a browser: escaping, permissions, states of a list, refusals."""

from collections.abc import Iterator
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.testing import Running, running
from metadata.model import Field
from ui.filters import ListState, Where
from ui.formats import Formats
from ui.visit import safe_address

EVIL = "<script>alert(1)</script>\"'&"
ATTRIBUTE = 'x" onmouseover="alert(1)'
PACKAGE = f"""\
package: hostile
version: 1.0.0
label: H
---
object: thing
label: {{en: '{EVIL.replace("'", "''")}'}}
plural: {{en: '{EVIL.replace("'", "''")}'}}
icon: no-such-icon
description: {{en: '{EVIL.replace("'", "''")}'}}
fields:
  name: {{type: text, label: {{en: '{EVIL.replace("'", "''")}'}}, help: {{en: '{EVIL.replace("'", "''")}'}}}}
  kind:
    type: choice
    label: {{en: '{ATTRIBUTE}'}}
    choices:
      a: {{label: {{en: '{EVIL.replace("'", "''")}'}}, color: red}}
  link: {{type: url, label: Link}}
  mail: {{type: email, label: Mail}}
  notes: {{type: longtext, label: Notes}}
  story: {{type: richtext, label: Story}}
  parent: {{type: reference, to: thing, label: Parent}}
---
role: all
label: All
objects: {{thing: [create, read, update, delete], user: [read]}}
---
role: nothing
label: Nothing
objects: {{}}
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Running]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site:
        site.user("ann", "all", name=EVIL, language="en", time_zone="UTC")
        site.user("nil", "nothing", name="Nil", language="en", time_zone="UTC")
        yield site


@pytest.fixture(scope="module")
def thing(site: Running) -> str:
    records = site.records("ann")
    parent = records.create("thing", {"name": EVIL})["id"]
    values = {
        "name": EVIL, "kind": "a", "notes": EVIL, "story": f"<p onclick='alert(1)'>{EVIL}</p>", "parent": parent,
        "link": "https://example.com/?a=1&b=%22'", "mail": "a@example.com",
    }  # fmt: skip
    made: str = records.create("thing", values)["id"]
    return made


def pages(thing: str) -> list[str]:
    return [
        "/", "/o/thing", f"/o/thing?q={ATTRIBUTE}&view={ATTRIBUTE}&is.kind={ATTRIBUTE}&sort={ATTRIBUTE}",
        f"/o/thing?where=name~has~{ATTRIBUTE}", "/o/thing/new", f"/o/thing/new?name={ATTRIBUTE}", f"/o/thing/{thing}",
        f"/o/thing/{thing}/edit", f"/o/thing/{thing}/edit?only={ATTRIBUTE}", f"/search?q={ATTRIBUTE}",
        "/o/thing/deleted",
        f"/o/{ATTRIBUTE}", f"/login?next={ATTRIBUTE}&language={ATTRIBUTE}&why={ATTRIBUTE}",
    ]  # fmt: skip


class Dangers(HTMLParser):
    """What a browser would run: script, handlers, styles, links that are code. As it reads the page, not as text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "script" and not (values.get("src") or "").startswith("/static/dist/"):
            self.found.append(f"<script {values}>")
        for name, value in values.items():
            is_code = (value or "").strip().lower().startswith(("javascript:", "data:", "vbscript:"))
            if name.startswith("on") or name in ("style", "srcdoc") or (name in ("href", "src", "action") and is_code):
                self.found.append(f"<{tag} {name}={value!r}>")


def test_nothing_that_people_wrote_runs_in_any_page(site: Running, thing: str) -> None:
    client = site.client("ann", by="session")
    for path in pages(thing):
        dangers = Dangers()
        dangers.feed(client.get(path).text)
        assert dangers.found == [], path


def test_the_check_above_sees_what_it_looks_for() -> None:
    dangers = Dangers()
    dangers.feed("<script>1</script><p onclick='x'><a href=' JavaScript:x'><i style='x'>")
    assert len(dangers.found) == 4


def test_every_page_forbids_inline_script_and_framing_and_is_not_stored(site: Running, thing: str) -> None:
    client = site.client("ann", by="session")
    for path in pages(thing):
        headers = client.get(path).headers
        assert "script-src 'self'; style-src 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["cache-control"] == "no-store", path


def test_a_link_that_would_run_is_shown_as_text_only() -> None:
    from ui.cells import Shown, cell_for  # the cell alone: the field type lets no such value in

    field: Any = Field("site", "url", {})
    shown = Shown(field, 0, field, "en", "url")
    assert cell_for(shown)(["javascript:alert(1)"]) == "javascript:alert(1)"
    assert cell_for(shown)(["https://e.com/<b>"]).startswith('<a href="https://e.com/&lt;b&gt;" target="_blank"')


def test_a_percentage_has_a_bar_where_it_is_part_of_a_whole() -> None:
    from ui.cells import Shown, cell_for  # whatever the screen

    def shown(**options: object) -> Shown:
        return Shown(Field("share", "percent", {}, options=options), 0, Formats("en", ZoneInfo("UTC")), "en", "percent")

    def html(**options: object) -> str:
        return cell_for(shown(**options))([Decimal("12.5")])

    assert html(min=0, max=100).startswith('<span class="bar">')
    assert html(min=0, max=100).endswith("12.5%</span>")
    assert (html(), html(min=0), html(min=-100, max=100)) == ("12.5%", "12.5%", "12.5%")
    assert (shown().is_numeric, shown(min=0, max=100).is_numeric) == (True, False)  # at the right, as numbers


def test_an_unknown_icon_is_drawn_as_a_file(site: Running) -> None:
    text = site.client("ann", by="session").get("/o/thing").text
    assert "#file" in text
    assert "no-such-icon" not in text


def test_a_change_without_the_sessions_token_changes_nothing(site: Running, thing: str) -> None:
    client = site.client("ann", by="session")
    del client.headers["x-csrf-token"]
    for path in ("/o/thing/new", f"/o/thing/{thing}/edit", f"/o/thing/{thing}/delete", "/o/thing/bulk", "/logout"):
        assert client.post(path, data={"name": "forged", "id": thing, "csrf": "guess"}).status_code == 403, path
    assert site.records("ann").get("thing", thing)["name"] == EVIL


@pytest.mark.parametrize("path", ["delete", "restore", "edit", "stage"])
def test_changes_are_not_made_by_get(site: Running, thing: str, path: str) -> None:
    client = site.client("ann", by="session")
    client.get(f"/o/thing/{thing}/{path}")
    assert site.records("ann").get("thing", thing)["version"] == 1


def test_who_may_not_read_an_object_is_told_the_same_as_if_there_were_none(site: Running, thing: str) -> None:
    client = site.client("nil", by="session")
    for path in ("/o/thing", f"/o/thing/{thing}", "/o/thing/new", "/o/thing/options?q=", "/o/thing/deleted"):
        hidden, missing = client.get(path), client.get(path.replace("thing", "nosuch"))
        assert (hidden.status_code, hidden.text) == (404, missing.text.replace("nosuch", "thing")), path


def test_a_form_names_its_person_whose_role_reads_nobody() -> None:
    package = """
package: desk
version: 1.0.0
---
object: note
fields:
  name: {type: text}
---
role: writer
label: Writer
objects:
  note: [create, read]
"""
    with running(packages=[package], ui="ui.pages:mount") as site:
        site.user("wu", "writer", name="Wu Writer")
        page = site.client("wu").get("/o/note/new").text
    assert 'value="Wu Writer"' in page
    assert "A record that you cannot see" not in page


def test_nobody_is_led_to_sign_in_and_back(site: Running) -> None:
    answer = site.client().get("/o/thing?q=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fo%2Fthing%3Fq%3D1")


def test_a_part_of_a_page_leads_to_sign_in_as_a_whole(site: Running) -> None:
    answer = site.client().get("/o/thing?part=rows", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/login?why=over")


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a\\evil.example",
        "javascript:alert(1)",
        "\\\\evil",
        "/a\nb",
    ],
)
def test_the_way_back_leads_to_our_own_pages_only(address: str) -> None:
    assert safe_address(address) == "/"
    assert safe_address("/o/thing?q=1&sort=-name") == "/o/thing?q=1&sort=-name"


def test_a_failure_of_ours_is_a_page_that_tells_nothing_of_its_inside(site: Running, monkeypatch: Any) -> None:
    def broken(*unused: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("engine.service.Records.page", broken)
    client = site.client("ann", by="session", raise_server_exceptions=False)
    answer = client.get("/o/thing")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "secret detail" not in answer.text


@pytest.mark.parametrize(
    "query",
    ["cursor=nonsense", "q=%00", "where=name~has~%00", "where=x~y", "where=kind~is~gone", "sort=nothing", "view=gone"],
)
def test_an_address_that_makes_no_sense_is_no_failure(site: Running, thing: str, query: str) -> None:
    assert site.client("ann", by="session").get(f"/o/thing?{query}").status_code in (200, 400)


def test_a_list_state_comes_back_from_its_own_address() -> None:
    pairs = [("view", "open"), ("q", "a&b"), ("sort", "-amount"), ("is.stage", "won"), ("where", "amount~gt~1~2")]
    state = ListState.read("deal", pairs)
    assert state.where == (Where("amount", "gt", "1~2"),)
    assert state.pairs() == pairs
    assert state.address() == "/o/deal?view=open&q=a%26b&sort=-amount&is.stage=won&where=amount~gt~1~2"


def test_static_files_are_a_fixed_set_and_come_compressed_and_kept(site: Running) -> None:
    from ui.icons import asset  # not on top: other tests of this file need no built front end

    client = site.client()
    answer = client.get(asset("app.css"), headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    for path in ("/static/../pages.py", "/static/dist/.stamp", "/static/%2e%2e/pages.py", "/static/dist/manifest.json"):
        assert client.get(path).status_code in (303, 404), path

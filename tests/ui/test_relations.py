"""How screens show lines, several references, references to one of several objects, trees and settings."""

import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from engine.testing import Running, running
from tests.records.conftest import NOW

SHOP = """
package: shop
version: 1.0.0
label: Shop
---
object: tag
label: Tag
icon: tag
tree: above
fields:
  name: {type: text, required: true}
  above: {type: reference, to: tag}
---
object: quote
label: Quote
fields:
  name: {type: text, required: true}
  tags: {type: multi_reference, to: tag}
  about: {type: polymorphic_reference, to: [tag, quote]}
  main_tag: {type: reference, to: tag}
  lines: {type: table, of: quote_line}
  mentions: {type: inverse, of: quote, by: about}
---
object: quote_line
label: Line
plural: Lines
kind: child
title: text
fields:
  text: {type: text}
  quote: {type: reference, to: quote, master: true}
---
object: settings
label: Settings
kind: single
fields:
  rate: {type: integer, default: 7}
---
menu: all
label: All
items: [{object: quote}, {object: settings}]
---
role: clerk
label: Clerk
objects:
  quote: [create, read, update]
  tag: {can: [read], rows: "name != 'secret'"}
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Running]:
    with running("", [SHOP], now=NOW, ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        site.user("lin", "clerk")
        boss = site.records("boss")
        top = boss.create("tag", {"name": "top"})["id"]
        for name in ("red <b>", "blue", "secret"):
            boss.create("tag", {"name": name, "above": top})
        yield site


@pytest.fixture(scope="module")
def quote(site: Running) -> dict[str, object]:
    boss = site.records("boss")
    tags = [found for found, title, _ in boss.options("tag") if title != "top"]
    first = boss.create("quote", {"name": "First"})["id"]
    made = boss.create("quote", {
        "name": "Second", "tags": tags, "about": f"quote/{first}", "main_tag": tags[0],
        "lines": [{"text": "line one"}, {"text": "line two"}],
    })  # fmt: skip
    return boss.update("quote", made["id"], {"lines": [{"text": "line three"}], "tags": tags[:2]})


@pytest.fixture(scope="module")
def boss(site: Running) -> TestClient:
    return site.client("boss", by="session")


def test_a_list_names_what_is_referred_to(boss: TestClient, quote: dict[str, object]) -> None:
    html = boss.get("/o/quote").text
    assert '">blue</a>' in html
    assert "red &lt;b&gt;" in html
    assert "<b>" not in html.split("<tbody")[1].split("</tbody")[0]
    about = str(quote["about"])
    assert f'href="/o/{about}"' in html


def test_what_may_not_be_seen_is_not_named(site: Running, quote: dict[str, object]) -> None:
    html = site.client("lin", by="session").get("/o/quote").text
    assert "secret" not in html
    assert ">blue</a>" in html


def test_a_page_shows_lines_lists_and_what_happened(boss: TestClient, quote: dict[str, object]) -> None:
    html = boss.get(f"/o/quote/{quote['id']}").text
    assert "line three" in html
    assert "line one" not in html
    assert "2 lines became 1" in html
    first = str(quote["about"]).removeprefix("quote/")
    assert "Second" in boss.get(f"/o/quote/{first}").text


def test_a_filter_asks_for_a_branch_of_a_tree(boss: TestClient, site: Running, quote: dict[str, object]) -> None:
    tags = {title: found for found, title, _ in site.records("boss").options("tag")}
    assert "Second" in boss.get(f"/o/quote?where=main_tag~under~{tags['top']}").text
    assert "is or is below" in boss.get("/o/quote/filter?add.path=main_tag", headers={"hx-request": "true"}).text
    shown = boss.get(f"/o/quote?where=tags~includes~{tags['secret']}").text
    assert "Second" not in shown.split("<tbody")[-1]


def test_settings_open_their_one_record(boss: TestClient) -> None:
    answer = boss.get("/o/settings")
    assert answer.status_code == 303
    page = boss.get(answer.headers["location"])
    assert (page.status_code, "7" in page.text) == (200, True)
    page = boss.get(answer.headers["location"]).text if answer.is_redirect else answer.text
    assert re.search(r"<h1[^>]*>\s*Settings\s*<", page)

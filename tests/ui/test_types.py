"""Widgets and cells of JSON, code, Markdown, colours and ratings in a browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.testing import running
from tests.ui.conftest import Shop, Visitors, served
from ui.durations import duration
from ui.markdown import rendered
from ui.texts import say_in

PACKAGE = """\
package: press
version: 1.0.0
label: {en: Press, zh-CN: 出版}
languages: [en, zh-CN]
---
object: page
label: {en: Page, zh-CN: 页面}
plural: {en: Pages, zh-CN: 页面}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}}
  stars: {type: rating, label: {en: Stars, zh-CN: 星级}}
  length: {type: duration, label: {en: Length, zh-CN: 时长}}
  paint: {type: color, label: {en: Paint, zh-CN: 颜色}}
  extra: {type: json, label: {en: Extra, zh-CN: 附加数据}}
  source: {type: code, label: {en: Source, zh-CN: 源代码}, language: python}
  story: {type: markdown, label: {en: Story, zh-CN: 背景}}
---
view: page_all
object: page
label: {en: All, zh-CN: 全部}
columns: [name, stars, length, paint, extra, source, story]
default: true
---
role: writer
label: Writer
objects: {page: [create, read, update, delete], user: [read]}
"""
VALUES = {
    "name": "First", "stars": 3, "length": 5400, "paint": "#1a7f37", "extra": {"a": [1, 2]},
    "source": "def f():\n    return '<b>'",
    "story": "# Title\n\n**bold** <script>alert(1)</script> [x](javascript:alert(1))",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop(front_end: None) -> Iterator[Shop]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site, served(site) as url:
        site.user("ann", "writer", name="Ann Lee", language="en", time_zone="UTC")
        site.user("ming", "writer", name="王小明", language="zh-CN", time_zone="Asia/Shanghai")
        shop = Shop(site, url)
        shop.deals["First"] = site.records("ann").create("page", VALUES)["id"]
        yield shop


@pytest.mark.browser
def test_values_are_written_with_their_widgets_and_shown(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/page/new")
    page = ann.page
    page.get_by_label("Name").fill("Second")
    page.get_by_role("radio", name="4", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="5", exact=True)).to_be_checked()
    page.get_by_role("textbox", name="Paint").fill("abc")
    page.get_by_label("Extra").fill('{\n  "a": 1,\n}')
    page.get_by_label("Source").fill("    indented()")
    page.get_by_label("Length").fill("90")
    page.get_by_label("Story").fill("## Plan\n\n- **first**")
    page.get_by_role("button", name="Save").click()
    wrong = page.locator("#f-extra-wrong")
    expect(wrong).to_have_text("This is not JSON: the mistake is in line 2, column 9")
    expect(page.get_by_label("Extra")).to_have_value('{\n  "a": 1,\n}')
    expect(page.get_by_role("radio", name="5", exact=True)).to_be_checked()
    page.get_by_label("Extra").fill('{"a": 1}')
    expect(page.locator("#f-length-wrong")).to_contain_text("write it like 1h 30m")
    page.get_by_label("Length").fill("90m")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Second", level=1).wait_for()
    facts = page.locator("main")
    expect(facts).to_contain_text("1h 30m")
    expect(facts.locator(".rich h4")).to_have_text("Plan")
    expect(facts.locator(".rich strong")).to_have_text("first")
    expect(facts.locator("pre.code").nth(0)).to_have_text('{\n  "a": 1\n}')
    assert "    indented()" in (facts.locator("pre.code").nth(1).text_content() or "")
    expect(facts.locator(".swatch")).to_have_text("#aabbcc")
    expect(facts.locator(".stars .unseen")).to_have_text("5 / 5")


@pytest.mark.browser
def test_a_rating_is_taken_back_and_a_colour_is_picked(visitor: Visitors) -> None:
    ann = visitor("ann")
    record = visitor.shop.site.records("ann").create("page", {"name": "Third", "stars": 2})["id"]
    ann.go(f"/o/page/{record}/edit")
    expect(ann.page.get_by_role("radio", name="2", exact=True)).to_be_checked()
    ann.page.get_by_text("No rating").click()
    ann.page.get_by_label("Pick a colour").fill("#336699")
    expect(ann.page.get_by_role("textbox", name="Paint")).to_have_value("#336699")
    ann.page.get_by_role("button", name="Save").click()
    ann.page.get_by_role("heading", name="Third", level=1).wait_for()
    kept = visitor.shop.site.records("ann").get("page", record)
    assert (kept["stars"], kept["paint"]) == (None, "#336699")


@pytest.mark.browser
@pytest.mark.parametrize("is_phone", [False, True])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_can_use_the_widgets_and_read_the_cells(visitor: Visitors, theme: str, is_phone: bool) -> None:
    ming = visitor("ming", phone=is_phone, color_scheme=theme)
    for path in ("/o/page", f"/o/page/{visitor.shop.deals['First']}", f"/o/page/{visitor.shop.deals['First']}/edit"):
        ming.go(path)
        assert ming.violations() == []
        width = ming.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width == 0, path


def test_the_history_says_what_became_of_each_value(shop: Shop) -> None:
    records = shop.site.records("ann")
    made = records.create("page", {"name": "Past", "stars": 1, "paint": "#000000", "extra": [1]})["id"]
    records.update("page", made, {"stars": 2, "paint": "#ffffff", "extra": [True]})
    text = shop.site.client("ann", by="session").get(f"/o/page/{made}").text
    for words in ("1 / 5", "2 / 5", "#000000", "#ffffff", "[1]", "[true]"):
        assert words in text


def test_filters_and_rating_and_json_are_asked_in_a_line(shop: Shop) -> None:
    client = shop.site.client("ann", by="session")
    found = client.get("/o/page?where=stars~ge~3&where=extra~filled~&where=paint~is~1A7F37").text
    assert "First" in found
    assert "Second" not in found


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [(5400, "1h 30m", "1小时30分"), (0, "0m", "0分"), (90061, "25h 1m 1s", "25小时1分1秒")],
)
def test_a_duration_is_said_in_the_language(seconds: int, english: str, chinese: str) -> None:
    assert duration(seconds, say_in("en")) == english
    assert duration(seconds, say_in("zh-CN")) == chinese


def test_a_filter_on_a_duration_is_typed_and_said_as_one(shop: Shop) -> None:
    text = shop.site.client("ann", by="session").get("/o/page?where=length~ge~90m").text
    assert "Length ≥ 1h 30m" in text
    assert "First" in text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A", "<h3>A</h3>\n"),
        ("<b onclick=x>y</b>", "<p>&lt;b onclick=x&gt;y&lt;/b&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("![a](/a.png)", '<p>!<a href="/a.png" rel="noopener noreferrer nofollow">a</a></p>\n'),
        ("a\nb", "<p>a<br>\nb</p>\n"),
    ],
)  # fmt: skip
def test_markdown_becomes_safe_html(text: str, html: str) -> None:
    assert rendered(text) == html


def test_markdown_that_nests_deeply_or_repeats_is_read_in_time() -> None:
    for text in ("[" * 20_000, "*a_ " * 5_000, ">" * 20_000, "`" * 20_000, "[a](" * 5_000, "| " * 10_000 + "\n|-"):
        assert isinstance(rendered(text), str)

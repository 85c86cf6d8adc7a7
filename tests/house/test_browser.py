"""Do the tests that drive a page have a browser, and does the bundle work in it?"""

import json
from pathlib import Path

import pytest

DIST = Path(__file__).parents[2] / "ui" / "static" / "dist"
PAGE = '<!doctype html><html lang="zh"><head><title>页</title></head><body><main><h1>客户</h1></main></body></html>'


@pytest.mark.browser
def test_bundle_starts_htmx_and_asks_no_other_host(page) -> None:
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(PAGE)
    built = json.loads((DIST / "manifest.json").read_text())
    page.add_style_tag(content=(DIST / built["app.css"]).read_text(encoding="utf-8"))
    page.add_script_tag(content=(DIST / built["app.js"]).read_text(encoding="utf-8"), type="module")
    assert page.wait_for_function("window.htmx?.version").json_value().startswith("4.")
    assert [url for url in asked if not url.startswith(("data:", "about:"))] == []


@pytest.mark.browser
def test_axe_judges_a_page(page, axe_source: str) -> None:
    page.set_content(PAGE)
    page.evaluate(axe_source)
    assert page.evaluate("axe.run().then(found => found.violations.map(v => v.id))") == []
    page.set_content(PAGE.replace(' lang="zh"', ""))
    page.evaluate(axe_source)
    assert page.evaluate("axe.run().then(found => found.violations.map(v => v.id))") == ["html-has-lang"]

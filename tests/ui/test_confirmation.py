"""A form that stops at warnings, without a browser: it comes back, asks, and saves when the person confirms."""

import re
from collections.abc import Iterator

import pytest

from engine import service_writes
from engine.errors import Candidate, InputWarning
from engine.service import Query
from engine.testing import Running, running
from tests.ui.conftest import PACKAGE


@pytest.fixture
def site() -> Iterator[Running]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site:
        site.user("ann", "seller", name="Ann Lee", language="en", time_zone="UTC")
        site.user("ming", "seller", name="王小明", language="zh-CN", time_zone="Asia/Shanghai")
        yield site


@pytest.fixture
def doubtful(site: Running, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each new company is doubted from now on; the id of one that is pointed out."""
    known: str = site.records("ann").create("company", {"name": "<b>Acme</b>", "city": "Berlin"})["id"]
    plain = service_writes.new_row

    def doubted(ctx, stored):  # type: ignore[no-untyped-def]
        candidates = (Candidate("company", known, "<b>Acme</b>"),)
        ctx.warn(InputWarning("name", "test.doubt", "Is it new?", (("compared", "name,city"),), candidates))
        return plain(ctx, stored)

    monkeypatch.setattr(service_writes, "new_row", doubted)
    return known


def test_the_form_comes_back_with_the_warning_and_what_was_typed(site: Running, doubtful: str) -> None:
    answer = site.client("ann", by="session").post("/o/company/new", data={"name": "Acme & Sons"})
    assert answer.status_code == 409
    assert "Not saved yet: please look at this first." in answer.text
    assert "Is it new?" in answer.text
    assert 'value="Acme &amp; Sons"' in answer.text
    link = (
        f'<a href="/o/company/{doubtful}" target="_blank" rel="noopener">&lt;b&gt;Acme&lt;/b&gt;</a><span>Berlin</span>'
    )
    assert link in answer.text
    assert '<button class="btn" name="_confirm" value="1">Save anyway</button>' in answer.text
    assert site.records("ann").page(Query("company", count="exact")).count == 1


def test_what_is_confirmed_is_saved(site: Running, doubtful: str) -> None:
    answer = site.client("ann", by="session").post("/o/company/new", data={"name": "Acme & Sons", "_confirm": "1"})
    assert answer.status_code == 303
    assert re.fullmatch(r"/o/company/[0-9a-f-]{36}", answer.headers["location"])


def test_enter_in_a_field_does_not_confirm(site: Running, doubtful: str) -> None:
    text = site.client("ann", by="session").post("/o/company/new", data={"name": "Acme & Sons"}).text
    buttons = re.findall(r"<button(?![^>]*type=\"button\")[^>]*>", text[text.index('class="edit-form"') :])
    assert "_confirm" not in buttons[0]


def test_it_asks_in_chinese(site: Running, doubtful: str) -> None:
    text = site.client("ming", by="session").post("/o/company/new", data={"name": "甲"}).text
    assert "尚未保存：请先看一下。" in text
    assert "仍然保存" in text
    assert "打开已有记录" in text


def test_the_api_saves_and_answers_with_the_warning(site: Running, doubtful: str) -> None:
    answer = site.client("ann").post("/api/v1/records/company", json={"name": "Acme & Sons"})
    assert answer.status_code == 201
    assert answer.json()["_warnings"] == [
        {
            "path": "name", "code": "test.doubt", "message": "Is it new?",
            "candidates": [{"object": "company", "id": doubtful, "title": "<b>Acme</b>"}],
        }
    ]  # fmt: skip

"""What is said where something went wrong: on a page, and in a part of one."""

import re
from collections.abc import Iterator

import pytest

from engine.errors import Busy
from engine.testing import Running
from tests.ui.processes import desk

PART = {"hx-request": "true"}


@pytest.fixture
def site(sqlite_url: str) -> Iterator[Running]:
    with desk(sqlite_url) as found:
        yield found


def breaks(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("ui.screens.lists.view_for", broken)


def test_a_failure_of_a_part_is_a_message_over_the_page_with_its_number(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, RuntimeError("bang"))
    client = site.client("ann", by="session")
    answer = client.get("/o/deal?part=results", headers={**PART, "x-request-id": "abc-123"})
    assert (answer.status_code, answer.headers["hx-retarget"]) == (500, "#trouble")
    assert "<html" not in answer.text
    assert "Something went wrong" in answer.text
    assert "For the administrator: request abc-123" in answer.text
    assert "bang" not in answer.text


def test_a_failure_is_a_page_with_its_number_and_the_way_to_try_again(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch, RuntimeError("bang"))
    answer = site.client("ann", by="session").get("/o/deal?q=x&sort=name")
    assert answer.status_code == 500
    assert f"request {answer.headers['x-request-id']}<" in answer.text
    assert 'href="/o/deal?q=x&amp;sort=name">Try again</a>' in answer.text


def test_a_refusal_of_a_part_leaves_what_it_was_meant_for(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = site.client("ann", by="session")
    gone = client.get("/o/deal/019ab000-0000-7000-8000-000000000000/edit", headers=PART)
    assert (gone.status_code, gone.headers["hx-retarget"], gone.headers["hx-reswap"]) == (404, "#trouble", "innerHTML")
    assert re.search(r'<h2 id="trouble-title">There is nothing here</h2>', gone.text)
    breaks(monkeypatch, Busy("busy"))
    busy = client.get("/o/deal?part=results", headers=PART)
    assert (busy.status_code, busy.headers["hx-retarget"]) == (503, "#trouble")
    assert 'href="/o/deal">Try again</a>' in client.get("/o/deal").text


def test_what_is_not_a_page_to_send_to_is_nobodys_failure(site: Running) -> None:
    answer = site.client("ann", by="session").put("/o/deal")
    assert answer.status_code == 405
    assert "It is not your fault" not in answer.text
    assert "This address is not one to send something to." in answer.text

"""A button of several records that were picked in a list."""

import re
from collections.abc import Iterator

import pytest

from engine.process.automation import desk as runs
from engine.testing import Running
from tests.ui.processes import desk
from tests.ui.rights import page, send


@pytest.fixture
def site(screens_url: str) -> Iterator[Running]:
    with desk(screens_url) as found:
        yield found


def deal(site: Running, name: str, **values: object) -> str:
    return str(site.records("ann").create("deal", {"name": name, **values})["id"])


def test_a_list_offers_the_buttons_that_are_for_the_person(site: Running) -> None:
    deal(site, "Gear line")
    offered = {
        who: re.findall(r'name="do" value="run.([a-z_]+)"', page(site, "/o/deal", who))
        for who in ("ann", "chen", "rob")
    }
    assert offered == {
        "ann": ["ask_legal", "close_it", "file_it", "write_customer"], "chen": ["ask_legal", "close_it", "file_it"],
        "rob": [],
    }  # fmt: skip


def test_all_that_were_picked_are_done_and_counted(site: Running) -> None:
    picked = [deal(site, "Gear line"), deal(site, "Wheel line")]
    client = site.client("ann", by="session")
    form = {"do": "run.ask_legal", "id": picked, "csrf": client.headers["x-csrf-token"]}
    answer = client.post("/o/deal/bulk", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/o/deal")
    assert "Ask legal: done for 2 records." in client.get("/o/deal").text
    assert [site.records("ann").get("deal", one)["is_checked"] for one in picked] == [True, True]


def test_a_page_says_which_were_refused_and_why_and_nothing_of_these_has_changed(site: Running) -> None:
    large, small = deal(site, "Gear line", amount=131000), deal(site, "Wheel line", amount=5)
    gone = "019ab000-0000-7000-8000-000000000000"
    text = send(site, "/o/deal/bulk", "ann", 200, do="run.write_customer", id=[large, small, gone])
    assert "Done: 1. Not possible: 2. Of these nothing was changed." in text
    refused = text.partition('<ul class="several">')[2]
    assert refused.index("Wheel line") < refused.index("This is not possible for the record as it is now.")
    assert "It may have been deleted, or you may not see it." in refused
    assert refused.index("Wheel line") < refused.index("Gear line")
    ratings = [site.records("ann").get("deal", one)["rating"] for one in (large, small)]
    assert ratings == ["hot", None]


def test_who_may_not_press_it_and_too_many_change_nothing(site: Running) -> None:
    record = deal(site, "Gear line", amount=131000)
    many = [record, *(f"019ab000-0000-7000-8000-{n:012}" for n in range(200))]
    send(site, "/o/deal/bulk", "chen", 403, do="run.write_customer", id=record)
    send(site, "/o/deal/bulk", "ann", 404, do="run.nothing", id=record)
    assert "201 are picked: at most 200 at once." in send(site, "/o/deal/bulk", "ann", 422, do="run.ask_legal", id=many)
    send(site, "/o/deal/bulk", "rob", 303, do="run.ask_legal")
    assert site.records("ann").get("deal", record)["is_checked"] in (None, False)
    told = send(site, "/o/deal/bulk", "rob", 200, do="run.ask_legal", id=record)
    assert "Your roles do not allow it." in told
    assert runs.list_runs(site.context("chen")).runs == []


def test_one_comes_back_to_the_list_as_it_was(site: Running) -> None:
    client, picked = site.client("ann", by="session"), deal(site, "Gear line")
    text = page(site, "/o/deal?q=Gear&sort=-amount", "ann")
    assert '<input type="hidden" name="list" value="/o/deal?q=Gear&amp;sort=-amount">' in text
    token = client.headers["x-csrf-token"]
    for sent, told in (
        ({"do": "run.ask_legal", "list": "/o/deal?q=Gear&sort=-amount"}, "/o/deal?q=Gear&sort=-amount"),
        ({"do": "delete", "list": "https://example.com/x?q=Gear&next=//example.com"}, "/o/deal?q=Gear"),
    ):
        answer = client.post("/o/deal/bulk", data={"csrf": token, "id": picked, **sent})
        assert (answer.status_code, answer.headers["location"]) == (303, told)

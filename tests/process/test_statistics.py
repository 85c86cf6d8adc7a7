"""How approvals went, in figures."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.errors import Forbidden, NotFound
from engine.process.approval.service import Approvals
from engine.process.approval.statistics import ApprovalFigures, Compression, Duration, NodeFigures, statistics_of
from engine.testing import Running, running

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = 3600
PACKAGE = """
package: shop
version: 1.0.0
languages: [en]
---
object: quote
fields:
  name: {type: text}
  amount: {type: integer}
---
role: seller
objects: {quote: [create, read, update]}
---
role: checker
objects: {quote: [read, approve]}
---
approval: quote_check
object: quote
flow:
  - {approve: first, approvers: {user: [ada, bo]}, mode: all, due: 8 workhours}
  - condition: size
    branches:
      - {branch: large, when: amount > 100, flow: [{approve: second, approvers: {user: cy}}]}
      - {branch: small, else: true, flow: []}
  - {approve: third, approvers: {user: [ada, bo]}, duplicate: skip_if_approved}
  - {handle: file_it, approvers: submitter}
---
approval: quote_other
object: quote
group: other
flow: [{approve: only, approvers: {user: ada}}]
"""


@pytest.fixture
def shop(database_url: str) -> Iterator["Shop"]:
    with running(database_url, [PACKAGE], now=MONDAY, fill=people) as site:
        yield Shop(site)


def people(site: Running) -> None:
    for name, role in {"boss": "admin", "ada": "checker", "bo": "checker", "cy": "checker", "sal": "seller"}.items():
        site.user(name, role)


class Shop:
    def __init__(self, site: Running) -> None:
        self.site, self.ids = site, site.made

    def at(self, day: int, hour: int) -> None:
        self.site.fixed_now = datetime(2026, 11, day, hour, 0, tzinfo=UTC)

    def submit(self, amount: int) -> str:
        quote = self.site.records("sal").create("quote", {"name": "Q", "amount": amount})["id"]
        return Approvals(self.site.context("sal")).submit("quote", quote, "quote_check").instance

    def act(self, user: str, action: str, instance: str, **given: str) -> None:
        """On the open task that is this person's."""
        mine = Approvals(self.site.context(user))
        task = next(row.task for row in mine.inbox("todo").rows if row.instance == instance)
        mine.act(task, action, **given)

    def figures(self, **more: object) -> ApprovalFigures:
        return statistics_of(self.site.context("boss"), "quote_check", **more)[0]  # type: ignore[arg-type]


def test_without_any_there_are_no_shares(shop: Shop) -> None:
    found = shop.figures()
    assert (found.count, found.states, found.duration) == (0, {}, Duration(None, None))
    assert (found.returned, found.rejected, found.overdue, found.rounds, found.most_rounds) == (None,) * 4 + (0,)
    assert (found.compression, found.compression.rate) == (Compression(0, 0, 0), None)
    assert [node.node for node in found.nodes] == ["first", "second", "third", "file_it"]


def test_figures_of_what_was_approved_rejected_returned_and_is_late(shop: Shop) -> None:
    shop.at(23, 9)
    small, rejected, returned, waiting = shop.submit(10), shop.submit(10), shop.submit(500), shop.submit(10)
    shop.at(23, 11)
    shop.act("ada", "approve", small)
    shop.act("ada", "reject", rejected)
    shop.act("ada", "return", returned)
    shop.at(23, 13)
    shop.act("bo", "approve", small)  # after 4 hours of work; 'third' is skipped
    Approvals(shop.site.context("sal")).act_on(returned, "resubmit")
    shop.at(24, 11)  # 6 hours of work later
    shop.act("ada", "approve", returned)
    shop.act("bo", "approve", returned)
    shop.act("cy", "approve", returned)
    shop.act("sal", "complete", returned)
    shop.act("sal", "complete", small)
    shop.at(25, 9)  # 'waiting' is due on Monday at 17:00
    found = shop.figures()
    assert (found.approval, found.count, found.is_limited) == ("quote_check", 4, False)
    assert found.states == {"APPROVED": 2, "REJECTED": 1, "RUNNING": 1}
    assert found.duration == Duration(10 * HOUR, 10 * HOUR)  # of 2, 10 and 10 hours of work
    assert (found.returned, found.rejected) == (0.25, 0.3333)
    assert (found.rounds, found.most_rounds) == (1.25, 2)
    assert found.nodes[0] == NodeFigures(
        "first", 5, {"ACTIVE": 1, "APPROVED": 2, "REJECTED": 1, "RETURNED": 1}, Duration(3 * HOUR, 6 * HOUR),
        0.25, 0.25, 0.25,
    )  # fmt: skip
    assert found.nodes[1] == NodeFigures("second", 1, {"APPROVED": 1}, Duration(0, 0), 0.0, 0.0, None)
    assert (found.nodes[2].entered, found.nodes[2].states) == (2, {"SKIPPED": 2})
    assert found.nodes[3].duration == Duration(3 * HOUR, 6 * HOUR)
    # two approved ones of four nodes: twice `third` and once `second` were not needed; `first` asked two people
    assert found.compression == Compression(8, 3, 3)
    assert found.compression.rate == 0.75
    assert waiting
    later = shop.figures(since=datetime(2026, 11, 24, tzinfo=UTC))
    assert later.count == 0


def test_only_those_who_look_after_processes_are_told(shop: Shop) -> None:
    with pytest.raises(Forbidden):
        statistics_of(shop.site.context("ada"))
    with pytest.raises(NotFound):
        statistics_of(shop.site.context("boss"), "quote_chek")
    names = [one.approval for one in statistics_of(shop.site.context())]
    assert names == ["quote_check", "quote_other"]


def test_api_tells_them(shop: Shop) -> None:
    shop.submit(10)
    path = "/api/v1/approvals/statistics"
    assert shop.site.client("ada").get(path).status_code == 403
    client = shop.site.client("boss")
    [one] = client.get(path, params={"approval": "quote_check", "since": "2026-11-23"}).json()["approvals"]
    assert (one["count"], one["states"], one["limited"]) == (1, {"running": 1}, False)
    assert one["duration"] == {"median_s": None, "p90_s": None}
    assert one["nodes"][0]["states"] == {"active": 1}
    assert client.get(path, params={"since": "2026-11-24T00:00:00Z"}).json()["approvals"][0]["count"] == 0
    assert client.get(path, params={"since": "monday"}).status_code == 400
    assert client.get(path, params={"approval": "none"}).status_code == 404

"""Approvals that a queue is asked for: claimed and put back in the inbox, on the task's page and at the record."""

from collections.abc import Iterator

import pytest

from tests.ui.approval_desk import Desk, filled

LEGAL = """
---
approval: review
label: {en: Legal review, zh-CN: 法务审核}
object: quote
group: review
priority: 1
flow:
  - approve: legal
    label: {en: Lawyer, zh-CN: 法务}
    approvers: [{queue: Legal desk}]
"""


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with filled(database_url, more=LEGAL) as made:
        members = [made.ids["wang"], made.ids["chen"]]
        made.site.records().create("queue", {"name": "Legal desk", "members": members, "objects": ["quote"]})
        yield made


def test_who_claims_it_has_it_and_may_put_it_back(desk: Desk) -> None:
    record = desk.quote("Gearbox")
    desk.submit(record, approval="review")
    task, at_record = desk.task("wang"), f"/o/quote/{record}"
    claim = f'href="/inbox/{task}/claim'
    inbox, page = desk.page("/inbox", "wang"), desk.page(f"/inbox/{task}", "wang")
    assert f'{claim}"' in inbox
    assert f'{claim}?on=task"' in page
    assert "This is in a queue. Whoever acts first has it." in page
    assert f"{claim}?back=" in desk.page(at_record, "wang")

    desk.send(f"/inbox/{task}/claim", "wang")
    inbox, page, panel = desk.page("/inbox", "wang"), desk.page(f"/inbox/{task}", "wang"), desk.page(at_record, "wang")
    assert ">Claimed<" in inbox
    assert f'href="/inbox/{task}/unclaim?on=task"' in page
    assert "You claimed this. Others of the queue do not see it among their tasks." in page
    assert f'href="/inbox/{task}/unclaim?back=' in panel
    assert claim not in inbox + page + panel
    assert "Gearbox" not in desk.page("/inbox", "chen")

    desk.send(f"/inbox/{task}/unclaim", "wang")
    assert f'{claim}"' in desk.page("/inbox", "chen")
    assert "unclaim" not in desk.page(f"/inbox/{task}", "chen")


def test_that_nobody_has_claimed_it_is_said_though_some_have_looked(desk: Desk) -> None:
    desk.submit(desk.quote("Gearbox"), approval="review")
    task = desk.task("chen")
    desk.page(f"/inbox/{task}", "chen")
    page = desk.page(f"/inbox/{task}", "chen")
    assert '<span class="way-name">王伟, 陈静</span> <span class="quiet">queue</span>' in page
    assert '<b>王伟, 陈静</b> <span class="quiet">Lawyer · not claimed' in page

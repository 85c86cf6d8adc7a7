"""The boxes: searched by what one sees there, filtered, in two orders, and with a thousand tasks."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from engine.process.approval.service import Approvals, InboxRow
from engine.store import system_approvals as tables
from engine.store.database import new_id
from tests.process.desk import Desk
from tests.state import state

FLOW = """
- approve: seen
  approvers: [{user: max}]
  hidden: [name, discount]
- approve: plain
  approvers: [{user: max}]
  due: 1 day
- cc: told
  to: [{user: max}]
  hidden: [note]
- approve: last
  approvers: [{user: bo}]
"""


def of(desk: Desk, user: str) -> Approvals:
    return Approvals(desk.site.context(user))


def found(desk: Desk, user: str, box: Any = "todo", **given: Any) -> list[str]:
    """Notes that the rows show, or titles where they show none."""
    rows: list[InboxRow] = []
    cursor = ""
    while True:
        page = of(desk, user).inbox(box, cursor=cursor, **given)
        rows += page.rows
        if page.next is None:
            return [next((str(one.value) for one in row.summary if one.name == "note"), row.title) for row in rows]
        cursor = page.next


def test_a_text_is_looked_for_in_what_the_step_shows_and_in_nothing_that_it_hides(open_desk: Any) -> None:
    """max may read no quotes."""
    desk = open_desk(FLOW, "summary: [amount, discount, note]")
    for name, amount, note in (("Alpha", 417, "spare parts"), ("Beta", 5, "Gearbox")):
        desk.submit(record=desk.quote(name=name, amount=amount, discount=93, note=note))
        desk.later(minutes=1)
    before = state(desk.site)
    assert found(desk, "max") == ["Gearbox", "spare parts"]
    assert found(desk, "max", text="GEAR") == ["Gearbox"]
    assert found(desk, "max", text="417") == ["spare parts"]
    assert found(desk, "max", text="alpha") == []  # hidden here, shown at the next step
    assert found(desk, "max", text="93") == []
    assert found(desk, "bo", text="gear") == []  # reads quotes, and has no task yet
    assert state(desk.site) == before
    desk.act("max", "approve", node="seen")
    assert found(desk, "max", text="beta") == ["Gearbox"]
    assert found(desk, "max", text="93") == ["Gearbox"]
    desk.act("max", "approve", node="plain")
    assert [found(desk, "max", "cc", text=text) for text in ("beta", "gear")] == [["Beta"], []]
    assert found(desk, "max", "done", text="gear") == []
    assert found(desk, "bo", text="gear") == ["Gearbox"]  # by own rights, in what the row shows


def test_a_thousand_tasks_are_paged_counted_searched_and_found_by_id(open_desk: Any) -> None:
    desk = open_desk(
        "- {approve: head, approvers: [{user: bo}], due: 2 days}\n- {approve: then, approvers: [{user: cy}]}"
    )
    for name in ("Oldest", "Other"):
        desk.submit(record=desk.quote(name=name))
    first = desk.task_of("bo")
    copies(desk, 1000)
    bo = of(desk, "bo")
    assert (bo.counts().todo, bo.counts().overdue) == (1002, 600)
    names = found(desk, "bo", limit=200)
    assert (names[0], names[-1], len(set(names))) == ("Copy 0999", "Oldest", 1002)
    assert found(desk, "bo", text="oldest", limit=1) == ["Oldest"]
    assert found(desk, "bo", text="copy 00", limit=7) == [f"Copy {number:04}" for number in range(99, -1, -1)]
    by_due = found(desk, "bo", sort="due", limit=200)
    assert (by_due[:2], by_due[599:602], len(set(by_due))) == (
        ["Copy 0599", "Copy 0598"], ["Copy 0000", "Other", "Oldest"], 1002,
    )  # fmt: skip
    assert by_due[-1] == "Copy 0600"  # those without a deadline come last
    assert len(found(desk, "bo", overdue=True, limit=200)) == 600
    assert len(found(desk, "bo", due="none", limit=200)) == 400
    assert [len(found(desk, "bo", due=due, limit=200)) for due in ("today", "week")] == [600, 602]
    assert found(desk, "bo", submitter=desk.ids["cy"], text="other") == []
    assert found(desk, "bo", submitter=desk.ids["ada"], text="other") == ["Other"]
    assert [one.name for one in bo.filters().submitters] == ["ada"]
    assert [(row.title, row.task) for row in bo.inbox(tasks=[first.id, "x"]).rows] == [("Other", first.id)]
    assert of(desk, "cy").inbox(tasks=[first.id]).rows == ()
    (result,) = bo.bulk([first.id])
    assert result.done is not None
    assert bo.counts().todo == 1001


def copies(desk: Desk, count: int) -> None:
    """So many further approvals of copies of the record, which wait since later: 600 were due, the rest never is."""
    instance, now = desk.state().instance, desk.site.now
    quote = desk.site.tenant.snapshot().physical.table("quote")
    (task,) = desk.state().tasks.values()
    with desk.site.tenant.database.write() as connection:
        rows = {
            table: dict(connection.sa.execute(sa.select(table).where(table.c[by] == one)).mappings().one())
            for table, by, one in (
                (tables.approval, "id", instance.id), (tables.approval_task, "id", task.id), (quote, "id", desk.record),
            )
        }  # fmt: skip
        made: dict[Any, list[dict[str, Any]]] = {table: [] for table in rows}
        name = desk.site.tenant.snapshot().physical.names.columns["quote"]["name"]
        for number in range(count):
            ids = {table: new_id(now + timedelta(seconds=number + 1)) for table in rows}
            at = now + timedelta(seconds=number + 1)
            due = now - timedelta(hours=1) if number < 600 else None
            changed = {
                tables.approval: {"record": ids[quote], "root": ids[tables.approval], "started_at": at},
                tables.approval_task: {"instance": ids[tables.approval], "opened_at": at, "due_at": due},
                quote: {name: f"Copy {number:04}"},
            }  # fmt: skip
            for table, row in rows.items():
                made[table].append({**row, "id": ids[table], **changed[table]})
        for table, several in made.items():
            connection.sa.execute(sa.insert(table), several)

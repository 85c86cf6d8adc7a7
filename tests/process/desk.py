"""A desk at which people approve quotes."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import EngineError, NotFound
from engine.process.approval import kept, ports
from engine.process.approval.actions import ACTIONS
from engine.process.approval.door import Done, Given, act
from engine.process.approval.state import State, Task, fold
from engine.process.approval.submission import submit_in
from engine.process.reading import read_as_participant
from engine.store.system_locks import lock
from engine.testing import Running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
PEOPLE = ("ada", "bo", "cy", "di", "ed", "flo")

PACKAGE = """
package: quotes
version: 1.0.0
label: Quotes
---
object: customer
label: Customer
fields:
  name: {type: text, label: Name, required: true}
---
object: quote
label: Quote
fields:
  name: {type: text, label: Name, required: true}
  amount: {type: integer, label: Amount}
  discount: {type: integer, label: Discount}
  note: {type: text, label: Note}
  wanted_on: {type: date, label: Wanted on}
  customer: {type: reference, to: customer, label: Customer}
---
role: seller
label: Seller
objects:
  quote: {can: [create, read, update, delete], rows: "owner == user.id"}
  customer: {can: [read]}
---
role: approver
label: Approver
objects: {quote: {can: [read, approve]}}
---
role: manager
label: Manager
system: [manage_processes]
objects: {quote: {can: [read, approve]}}
"""


def package(flow: str = "", options: str = "", more: str = "") -> str:
    """`flow`: of the approval `discount`, which there is only with it; `options`: lines of it; `more`: further
    documents."""
    if not flow:
        return PACKAGE
    indented = "\n".join(f"  {line}" if line.strip() else line for line in flow.strip("\n").splitlines())
    approval = f"approval: discount\nlabel: Discount\nobject: quote\n{options.strip()}\nflow:\n{indented}\n"
    return f"{PACKAGE}---\n{approval}" + (f"---\n{more}" if more else "")


def fill(site: Running) -> None:
    ids = {name: site.user(name, "seller" if name == "ada" else "approver") for name in PEOPLE}
    site.user("boss", "manager")
    eva = site.user("eva", "approver")  # of the queue `pool`, with di
    site.records().create("queue", {"name": "pool", "members": [ids["di"], eva]})
    site.user("max")  # without any role


class Desk:
    """`sent`: notifications; `announced`: what automations are told."""

    def __init__(self, site: Running) -> None:
        self.site = site
        self.sent: list[tuple[str, tuple[str, ...]]] = []
        self.announced: list[str] = []
        self.ids = dict(site.made)
        self.names = {one: name for name, one in self.ids.items()}
        self.instance = ""
        self.record = ""

    def quote(self, **values: Any) -> str:
        self.record = self.site.records("ada").create("quote", {"name": "Q", "amount": 1, "discount": 0, **values})[
            "id"
        ]
        return self.record

    def submit(self, user: str = "ada", **given: Any) -> Done:
        record = given.pop("record", None) or self.record or self.quote()
        with self.site.tenant.database.write() as connection:
            approval = given.pop("approval", "")
            given["chosen"] = {
                node: [self.ids[one] for one in names] for node, names in given.get("chosen", {}).items()
            }
            done = submit_in(self.site.context(user), connection, "quote", record, approval, **given)
        self.instance = done.instance
        return done

    def reads(self, user: str) -> bool:
        """Whether the person reads the record through a step now."""
        try:
            return bool(read_as_participant(self.site.context(user), self.instance))
        except NotFound:
            return False

    def act(self, user: str, action: str, task: str = "", *, node: str = "", **given: Any) -> Done:
        """On the person's own open task at `node`, the first unless said, where the action is one of tasks."""
        if ACTIONS[action].on == "task" and not task:
            task = self.task_of(user, node).id
        given["users"] = tuple(self.ids[one] for one in given.get("users", ()))
        given["chosen"] = {node: [self.ids[one] for one in names] for node, names in given.get("chosen", {}).items()}
        with self.site.tenant.database.write() as connection:
            return act(self.site.context(user), connection, self.instance, action, Given(task=task, **given))

    def refused(self, user: str, action: str, task: str = "", **given: Any) -> str:
        """The code of the refusal."""
        with pytest.raises(EngineError) as refusal:
            self.act(user, action, task, **given)
        return refusal.value.code

    def state(self) -> State:
        """Which must be what its events come to."""
        with self.site.tenant.database.read() as connection:
            stored = kept.load(connection, self.instance)
            folded = fold(kept.events_of(connection, self.instance))
        assert stored is not None
        assert folded is not None
        assert (folded.instance, folded.runs) == (stored.instance, stored.runs)
        assert (folded.tasks, folded.participants) == (stored.tasks, stored.participants)
        return stored

    def task_of(self, user: str, node: str = "") -> Task:
        me, all_ = self.ids[user], self.state().tasks.values()
        mine = [one for one in all_ if me in (one.user, *one.queue) and (not node or one.node == node)]
        assert mine, f"{user} is not asked"
        order = ("PENDING", "WAITING", "DELEGATED")
        return min(mine, key=lambda task: order.index(task.state) if task.state in order else len(order))

    def tasks(self, *states: str) -> list[tuple[str, str, str]]:
        """(node, person, state) of tasks in the order in which they were made."""
        return [(task.node, self.names.get(task.user, ""), task.state) for task in self.state().tasks.values()
                if not states or task.state in states]  # fmt: skip

    def pending(self) -> list[tuple[str, str]]:
        return sorted((node, person) for node, person, _ in self.tasks("PENDING"))

    def runs(self) -> list[tuple[str, str]]:
        return [(run.node, run.state) for run in self.state().runs.values()]

    @property
    def locks(self) -> dict[str, str]:
        """Instance -> record."""
        with self.site.tenant.database.read() as connection:
            return {row[0]: row[1] for row in connection.sa.execute(sa.select(lock.c.instance, lock.c.record))}

    @property
    def status(self) -> str:
        return str(self.site.records().get("quote", self.record)["approval_status"])

    def later(self, **span: float) -> None:
        self.site.fixed_now = self.site.now + timedelta(**span)

    def events(self) -> list[str]:
        with self.site.tenant.database.read() as connection:
            return [event.action for event in kept.events_of(connection, self.instance)]


def fakes(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> None:
    """Who is told is remembered, and not told."""

    def notify(ctx: Any, connection: Any, users: Sequence[str], kind: str, **more: Any) -> None:
        desk.sent.append((kind, tuple(desk.names[one] for one in users)))

    def announce(ctx: Any, connection: Any, event: str, *more: Any) -> None:
        desk.announced.append(event)

    monkeypatch.setattr(ports, "notify", notify)
    monkeypatch.setattr(ports, "announce", announce)

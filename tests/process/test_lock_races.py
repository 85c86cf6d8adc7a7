"""Does nothing slip through between the writing of a record and its locking, in two transactions at once?"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from engine.errors import EngineError, Locked
from engine.process import locks
from engine.service import Query
from engine.store.database import new_id
from engine.testing import Running
from tests.process.orders import NOW
from tests.process.test_locks import item_of, order

Write = Callable[[Running, dict[str, Any], dict[str, Any]], object]
WRITES: dict[str, Write] = {
    "the record": lambda site, record, item: site.records("lin").update("order", record["id"], {"amount": 9}),
    "a line": lambda site, record, item: site.records("lin").update("item", item["id"], {"quantity": 9}),
    "a part of a line": lambda site, record, item: site.records("lin").update("part", part_of(site), {"name": "tip"}),
    "a new line": lambda site, record, item: site.records("lin").create("item", {"order": record["id"]}),
    "a new paper": lambda site, record, item: site.records("boss").create(
        "paper", {"name": "p", "about": f"order/{record['id']}"}
    ),
    "its deletion": lambda site, record, item: site.records("lin").delete("order", record["id"]),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_who_comes_second_waits_and_is_refused(firm: Running, write: Write) -> None:
    record = order(firm)
    item = item_of(firm, record)
    ctx, errors = firm.context("lin"), list[Exception]()

    def run() -> None:
        try:
            write(firm, record, item)
        except EngineError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    with ctx.tenant.database.write() as connection:
        locks.lock(ctx, connection, "order", record["id"], new_id(NOW))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    assert [type(error) for error in errors] == [Locked]


@pytest.mark.parametrize("write", list(WRITES.values())[:5], ids=list(WRITES)[:5])
def test_a_write_that_came_first_is_seen_by_who_locks(firm: Running, write: Write) -> None:
    record = order(firm)
    item = item_of(firm, record)
    ctx, seen = firm.context("boss"), list[Any]()
    before = counted(firm, record)

    def run() -> None:
        with ctx.tenant.database.write() as connection:
            locks.lock(ctx, connection, "order", record["id"], new_id(NOW))
            seen.append(counted(firm, record))

    thread = threading.Thread(target=run)
    with firm.tenant.database.together():
        write(firm, record, item)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    assert seen != [before]


@pytest.mark.parametrize("way", ["moved", "deleted"])
def test_a_line_that_was_moved_meanwhile_is_kept_by_the_lock_of_where_it_is_now(firm: Running, way: str) -> None:
    here, there, elsewhere = order(firm), order(firm), order(firm)
    item, ctx, errors = item_of(firm, here)["id"], firm.context("lin"), list[Exception]()

    def run() -> None:
        records = firm.records("lin")
        try:
            if way == "deleted":
                records.delete("item", item)
            else:
                records.update("item", item, {"order": elsewhere["id"]})
        except EngineError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    with firm.tenant.database.together() as connection:
        firm.records("lin").update("item", item, {"order": there["id"]})
        locks.lock(ctx, connection, "order", there["id"], new_id(NOW))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    assert [type(error) for error in errors] == [Locked]
    assert firm.records().get("item", item)["order"] == there["id"]


def part_of(site: Running) -> str:
    """Of the only line there is: no roll-up writes what it belongs to, nothing but the locks keeps that."""
    [found] = site.records().list(Query("part", ("id",))).records
    return str(found["id"])


def counted(site: Running, record: dict[str, Any]) -> list[Any]:
    """What the writes above change."""
    table = site.tenant.snapshot().physical.table
    with site.tenant.database.read() as connection:
        item, part, paper, this = table("item"), table("part"), table("paper"), table("order")
        return [
            connection.sa.execute(statement).all()
            for statement in (
                item.select(),
                part.select(),
                paper.select(),
                this.select().where(this.c.id == record["id"]),
            )
        ]

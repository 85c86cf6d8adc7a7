"""Lines that change their master while somebody else writes them or locks: on PostgreSQL, as SQLite has one writer."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import Locked
from engine.process import locks
from engine.store import rows
from engine.store.database import new_id
from engine.testing import Running, running
from tests.process import orders
from tests.process.test_locks import item_of, order


@pytest.fixture
def firm(postgres_url: str) -> Iterator[Running]:
    with running(postgres_url, [orders.ORDERS], now=orders.NOW, fill=orders.people) as site:
        yield site


def meanwhile(act: Callable[[], None]) -> None:
    """In a transaction of its own, to its end."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    if errors:
        raise errors[0]


def test_a_line_that_moved_below_what_is_locked_before_it_was_written_is_not_written(firm: Running) -> None:
    here, there = order(firm), order(firm)
    item, ctx = item_of(firm, here)["id"], firm.context("lin")

    def moves() -> None:
        with firm.tenant.database.together() as connection:
            firm.records("lin").update("item", item, {"order": there["id"]})
            locks.lock(ctx, connection, "order", there["id"], new_id(orders.NOW))

    changes = {item: {"quantity": 9}}
    with (
        pytest.raises(Locked),
        firm.tenant.database.write() as connection,
        rows.guarded(ctx, connection, "item", changes),
    ):
        meanwhile(moves)  # as a statement would let it, which waits for the row of the line


def test_the_row_of_a_line_is_kept_from_when_its_master_is_read_until_it_has_another(firm: Running) -> None:
    here, elsewhere = order(firm), order(firm)
    item, ctx = item_of(firm, here)["id"], firm.context("lin")
    table = firm.tenant.snapshot().physical.table("item")
    wanted = sa.select(table.c.id).where(table.c.id == item)
    taken: list[Any] = []

    def takes() -> None:
        with firm.tenant.database.write() as connection:
            free = wanted.with_for_update(key_share=True, skip_locked=True)
            taken.append(connection.sa.execute(free).first())

    changes = {item: {"order": elsewhere["id"]}}
    with firm.tenant.database.write() as connection, rows.guarded(ctx, connection, "item", changes):
        meanwhile(takes)
    assert taken == [None]

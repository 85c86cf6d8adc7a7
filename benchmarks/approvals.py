"""Approvals that are decided, one after the other: through the engine, and the same rows written by hand, in turns.

`python -m benchmarks.approvals [--database sqlite|postgres|both] [--count 200]`
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.postgres import storage
from engine.process.approval import actions
from engine.process.approval.door import Given, act
from engine.process.approval.submission import submit_in
from engine.store.database import Connection, new_id
from engine.store.types import utc_text
from engine.testing import Running, running

__all__ = ["main", "measure"]

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
PACKAGE = """
package: quotes
version: 1.0.0
label: Quotes
---
object: quote
label: Quote
fields:
  name: {type: text, label: Name, required: true}
  amount: {type: integer, label: Amount}
---
role: seller
label: Seller
objects: {quote: {can: [create, read, update, approve]}}
---
approval: discount
label: Discount
object: quote
flow:
  - {approve: head, approvers: [{user: bo}]}
  - condition: how_much
    branches:
      - {branch: large, when: amount > 100, flow: [{approve: director, approvers: [{user: cy}]}]}
      - {branch: small, else: true, flow: []}
  - {approve: finance, approvers: [{user: [cy, di]}], mode: all}
"""
ORDER = (("bo", "head"), ("cy", "finance"), ("di", "finance"))
ROUNDS = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.approvals", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--count", type=int, default=100, help="approvals in a round (default 100)")
    args = parser.parse_args()
    for kind in ["sqlite", "postgres"] if args.database == "both" else [args.database]:
        with tempfile.TemporaryDirectory() as folder, storage(kind, Path(folder)) as url:
            measure(kind, url, args.count)
    return 0


def measure(kind: str, url: str, count: int) -> None:
    """Print decisions per second of both, and their ratio."""
    assert actions.ACTIONS
    with running(url, [PACKAGE], now=NOW) as site:
        people = {name: site.user(name, "seller") for name in ("ada", "bo", "cy", "di")}
        ours, hands = [], []
        for _ in range(ROUNDS):
            ours.append(count * len(ORDER) / timed(lambda: decide(site, submitted(site, count))))
            hands.append(count * len(ORDER) / timed(lambda: decide_by_hand(site, submitted(site, count), people)))
        ratios = [one / other for one, other in zip(ours, hands, strict=True)]
        print(
            f"{kind}: {statistics.median(ours):,.0f} decisions a second, {statistics.median(hands):,.0f} by hand: "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        )


PREPARING = 0.0


def timed(do: Any) -> float:
    """Seconds, without those of the submissions."""
    global PREPARING
    PREPARING, start = 0.0, time.perf_counter()
    do()
    return time.perf_counter() - start - PREPARING


def submitted(site: Running, count: int) -> list[str]:
    global PREPARING
    start, ctx, found = time.perf_counter(), site.context("ada"), []
    for number in range(count):
        record = site.records("ada").create("quote", {"name": f"Q{number}", "amount": 1})["id"]
        with site.tenant.database.write() as connection:
            found.append(submit_in(ctx, connection, "quote", record).instance)
    PREPARING += time.perf_counter() - start
    return found


def decide(site: Running, instances: Sequence[str]) -> None:
    contexts = {name: site.context(name) for name, _ in ORDER}
    for instance in instances:
        for name, node in ORDER:
            with site.tenant.database.write() as connection:
                mark = "?" if connection.dialect == "sqlite" else "%s"
                sql = (
                    f"""SELECT id FROM fs_approval_task WHERE instance = {mark} AND "user" = {mark} AND node = {mark}"""
                )
                task = connection.rows(
                    sql,
                    (instance, contexts[name].actor.id, node),
                )[0][0]
                act(contexts[name], connection, instance, "approve", Given(task=task))


def decide_by_hand(site: Running, instances: Sequence[str], people: dict[str, str]) -> None:
    """As many rows of every table, by statements that are written for it: the flow is in the code."""
    at = utc_text(NOW) if site.tenant.database.dialect == "sqlite" else NOW
    for instance in instances:
        for number, (name, node) in enumerate(ORDER):
            with site.tenant.database.write() as connection:
                one_by_hand(connection, instance, people, name, node, number, at)


def one_by_hand(
    connection: Connection, instance: str, people: dict[str, str], name: str, node: str, number: int, at: Any
) -> None:
    mark = "?" if connection.dialect == "sqlite" else "%s"

    def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return connection.rows(sql.replace("?", mark), values)

    def run(sql: str, *values: Any) -> None:
        connection.run(sql.replace("?", mark), values)

    lock = "" if connection.dialect == "sqlite" else " FOR UPDATE"
    ((seq, record),) = rows(f"SELECT seq, record FROM fs_approval WHERE id = ?{lock}", instance)
    ((task, node_row),) = rows(
        """SELECT id, run FROM fs_approval_task WHERE instance = ? AND "user" = ? AND node = ? AND state = 'PENDING'""",
        instance, people[name], node,
    )  # fmt: skip
    run("UPDATE fs_approval_task SET state = 'APPROVED', decided_at = ?, decided_by = ?, via = 'self' WHERE id = ?",
        at, people[name], task)  # fmt: skip
    events = [("task", task, "approve", "PENDING", "APPROVED", node)]
    open_ = rows("SELECT id FROM fs_approval_task WHERE run = ? AND state = 'PENDING'", node_row)
    if not open_:
        run("UPDATE fs_approval_node SET state = 'APPROVED', ended_at = ? WHERE id = ?", at, node_row)
        events.append(("node", node_row, "complete", "ACTIVE", "APPROVED", node))
    if number == 0:
        events += next_by_hand(connection, run, rows, instance, record, people, at)
    elif not open_:
        run("UPDATE fs_approval SET state = 'APPROVED', ended_at = ? WHERE id = ?", at, instance)
        run("UPDATE quote SET approval_status = 'approved', version = version + 1 WHERE id = ?", record)
        run("DELETE FROM fs_lock WHERE instance = ?", instance)
        events.append(("instance", instance, "end", "RUNNING", "APPROVED", ""))
        job(run, at, people["ada"])
    for subject, row, action, source, target, where in events:
        seq += 1
        run(
            """INSERT INTO fs_approval_event (instance, seq, subject, "row", action, actor, "from", "to", node, task,
               version, at, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, '{}')""",
            instance, seq, subject, row, action, people[name], source, target, where, task, at,
        )  # fmt: skip
    run("UPDATE fs_approval SET seq = ? WHERE id = ?", seq, instance)


def next_by_hand(
    connection: Connection, run: Any, rows: Any, instance: str, record: str, people: dict[str, str], at: Any
) -> list[tuple[str, ...]]:
    """The condition and the node after it, which asks two people."""
    is_large = bool(rows("SELECT 1 FROM quote WHERE id = ? AND amount > 100", record))
    assert not is_large
    events: list[tuple[str, ...]] = []
    nodes = {}
    for node, state in (("how_much", "APPROVED"), ("finance", "ACTIVE")):
        nodes[node] = new_id(NOW)
        run(
            """INSERT INTO fs_approval_node (id, instance, node, state, round, within, branch, entered, entered_at,
               data) VALUES (?, ?, ?, ?, 1, '', '', 1, ?, '{}')""",
            nodes[node], instance, node, state, at,
        )  # fmt: skip
        events.append(("node", nodes[node], "enter", "PENDING", "ACTIVE", node))
    events.append(("node", nodes["how_much"], "choose", "ACTIVE", "APPROVED", "how_much"))
    for place, user in enumerate((people["cy"], people["di"])):
        task = new_id(NOW)
        run(
            """INSERT INTO fs_approval_task (id, instance, run, node, "user", state, slot, place, "group", weight, kind,
               source, "set", method, via, round, created_at, opened_at, data)
               VALUES (?, ?, ?, 'finance', ?, 'PENDING', ?, ?, '', 1, 'slot', '', '', '', '', 1, ?, ?, '{}')""",
            task, instance, nodes["finance"], user, str(place), place, at, at,
        )  # fmt: skip
        events += [("task", task, action, "", "PENDING", "finance") for action in ("ask", "open")]
        job(run, at, user)
    return events


def job(run: Any, at: Any, user: str) -> None:
    """That somebody is told."""
    run(
        """INSERT INTO fs_job (id, kind, key, payload, state, due_at, tries, created_at)
           VALUES (?, 'notify', ?, '{}', 'waiting', ?, 0, ?)""",
        new_id(NOW), new_id(), at, at,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())

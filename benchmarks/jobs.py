"""`python -m benchmarks.jobs`: jobs that one worker carries out in a second, beside a loop over a bare table that was
written by hand. Each job writes one row of another table."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson

from benchmarks.postgres import storage
from engine.api.site import Site
from engine.config import Config
from engine.jobs.handlers import INSIDE, Job
from engine.jobs.port import enqueue
from engine.jobs.worker import Worker
from engine.publish import ensure
from engine.store.database import Connection, new_id
from engine.tenants import Tenant, open_tenant

__all__ = ["main"]

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LEAST, AIM = 0.25, 0.5  # ratio to the loop by hand
TABLES = (
    "CREATE TABLE bare_job (id TEXT PRIMARY KEY, payload TEXT NOT NULL, state TEXT NOT NULL, due_at TEXT NOT NULL)",
    "CREATE INDEX bare_due ON bare_job (state, due_at)",
    "CREATE TABLE effect (id TEXT PRIMARY KEY, said TEXT NOT NULL)",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--jobs", type=int, default=1000, help="of a round (default 1000)")
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each (default 5)")
    args = parser.parse_args()
    for kind in ["sqlite", "postgres"] if args.database == "both" else [args.database]:
        with tempfile.TemporaryDirectory() as folder, storage(kind, Path(folder)) as url:
            measure(kind, url, Path(folder), args.jobs, args.pairs)
    return 0


def measure(kind: str, url: str, folder: Path, jobs: int, pairs: int) -> None:
    tenant = open_tenant(url, folder)
    ensure(tenant, NOW)
    with tenant.database.write() as connection:
        for statement in TABLES:
            connection.run(statement)
    INSIDE["benchmark"] = effect
    worker = Worker(Site(Config(database_url=url, data=folder), tenant))
    ours, by_hand = [], []
    for _ in range(pairs):
        ours.append(timed(lambda: fill_ours(tenant, jobs), lambda: worker.run_until_idle(NOW), jobs))
        by_hand.append(timed(lambda: fill_bare(tenant, jobs), lambda: loop(tenant), jobs))
    ratios = sorted(one / other for one, other in zip(ours, by_hand, strict=True))
    ratio = statistics.median(ratios)
    verdict = "ok" if ratio >= AIM else "below the aim" if ratio >= LEAST else "TOO SLOW"
    print(
        f"{kind:<9} jobs/s: ours {statistics.median(ours):,.0f}, by hand {statistics.median(by_hand):,.0f}, "
        f"ratio {ratio:.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) {verdict}"
    )
    tenant.close()


def timed(fill: Callable[[], None], work: Callable[[], object], jobs: int) -> float:
    fill()
    began = time.perf_counter()
    work()
    return jobs / (time.perf_counter() - began)


def fill_ours(tenant: Tenant, jobs: int) -> None:
    with tenant.database.write() as connection:
        for number in range(jobs):
            enqueue(connection, "benchmark", {"said": f"job {number}"}, now=NOW)


def fill_bare(tenant: Tenant, jobs: int) -> None:
    sign = mark(tenant)
    with tenant.database.write() as connection:
        connection.run_many(
            f"INSERT INTO bare_job VALUES ({sign}, {sign}, 'waiting', {sign})",
            [(new_id(NOW), orjson.dumps({"said": f"job {number}"}).decode(), "2026") for number in range(jobs)],
        )


def effect(job: Job, connection: Connection) -> None:
    write(connection, job.payload["said"])


def write(connection: Connection, said: str) -> None:
    sign = "?" if connection.dialect == "sqlite" else "%s"
    connection.run(f"INSERT INTO effect VALUES ({sign}, {sign})", (new_id(), said))


def loop(tenant: Tenant) -> None:
    """One transaction for each job: take it, do it, mark it. Nothing is leased, counted, tried again or logged."""
    lock = "" if tenant.database.dialect == "sqlite" else " FOR UPDATE SKIP LOCKED"
    take = f"SELECT id, payload FROM bare_job WHERE state = 'waiting' ORDER BY due_at LIMIT 1{lock}"
    done = f"UPDATE bare_job SET state = 'done' WHERE id = {mark(tenant)}"
    while True:
        with tenant.database.write() as connection:
            rows = connection.rows(take)
            if not rows:
                return
            write(connection, orjson.loads(rows[0][1])["said"])
            connection.run(done, (rows[0][0],))


def mark(tenant: Tenant) -> str:
    return "?" if tenant.database.dialect == "sqlite" else "%s"


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m benchmarks`: the engine beside the hand-written application, round by round, on both databases."""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import orjson

from benchmarks.fixture import Seeded, seed
from benchmarks.load import Call, Sample, rss_mb, run
from benchmarks.postgres import storage
from benchmarks.servers import FIELDSTONE, Server, serving
from engine.people.sessions import open_session
from engine.tenants import open_tenant

# Ratio to the hand-written application: never below, aim.
TARGETS = {
    "list": (0.7, 1.0), "get": (1.0, 2.0), "create": (0.7, 1.2), "update": (0.7, 1.5), "aggregate": (0.8, 0.95),
    "HTML list": (0.8, 1.5), "rolled up": (0.7, 1.0), "by formula": (0.7, 1.0),
}  # fmt: skip
BULK_ROWS_PER_S = (3000, 5000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each server per question (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round (default 2)")
    parser.add_argument("--rows", type=int, default=100_000, help="opportunities (default 100,000)")
    parser.add_argument(
        "--shared-rows", type=int, default=1_000_000, help="records of a private object (default 1,000,000; 0: none)"
    )
    parser.add_argument("--only", help="questions, comma separated")
    parser.add_argument("--no-automation", action="store_true", help="leave out saves with automations")
    parser.add_argument("--no-startup", action="store_true", help="leave out the 500 objects")
    args = parser.parse_args()
    kinds = ["sqlite", "postgres"] if args.database == "both" else [args.database]
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder, storage(kind, Path(folder)) as url:
            _measure(kind, url, Path(folder), args)
            if args.shared_rows:
                from benchmarks import sharing

                sharing.measure(kind, url, Path(folder), args.shared_rows)
            if not args.no_automation:
                from benchmarks import automation

                automation.measure(kind, url, Path(folder))
            if not args.no_startup:
                from benchmarks import startup  # heavy: only when asked for

                startup.measure(kind, url, Path(folder))
    return 0


def _measure(kind: str, url: str, folder: Path, args: argparse.Namespace) -> None:
    started = time.perf_counter()
    tenant = open_tenant(url, folder, "main")
    seeded = seed(tenant, opportunities=args.rows)
    cookie = open_session(tenant, seeded.user, now=datetime.now(UTC)).secret
    schema = "" if kind == "sqlite" else tenant.database.schema
    tenant.close()
    print(f"\n{kind}: {args.rows:,} rows in {time.perf_counter() - started:.0f} s; "
          f"{args.pairs} pairs of {args.seconds:g} s, 8 connections", flush=True)  # fmt: skip
    environment = {**os.environ, "BENCH_URL": url, "BENCH_SCHEMA": schema or "", "FIELDSTONE_DATABASE_URL": url}
    environment |= {"FIELDSTONE_REQUESTS_PER_MINUTE": "0", "FIELDSTONE_TENANT_REQUESTS_PER_MINUTE": "0"}
    engine_command = [FIELDSTONE, "serve", "--port", "{port}", "--data", str(folder)]
    base_command = [sys.executable, "-m", "benchmarks.base", "{port}"]
    with serving(engine_command, environment) as ours, serving(base_command, environment) as base:
        print(f"{'':10} {'ours/s':>8} {'base/s':>8} {'p50 ms':>13} {'p95 ms':>13} {'CPU us':>13}  ratio (spread)")
        for name, mine, theirs in _questions(seeded, cookie):
            if args.only and name not in args.only.split(","):
                continue
            _compare(name, ours, mine, base, theirs, args)
        print(f"memory: ours {rss_mb(ours.pid):.0f} MB, base {rss_mb(base.pid):.0f} MB")


def _questions(seeded: Seeded, cookie: str) -> "Iterator[tuple[str, object, object]]":
    token = (("authorization", f"Bearer {seeded.token}"),)
    session = (("cookie", f"fieldstone_session={cookie}"),)
    api = "/api/v1/records/opportunity"
    stages = ("new", "qualified", "proposal", "won", "lost")
    ids, accounts = seeded.opportunities, seeded.accounts

    def listing(n: int) -> str:
        condition = quote(f"stage == '{stages[n % 5]}'")
        fields = "id,name,stage,amount,close_date,account.name,owner"
        return f"{api}?filter={condition}&sort=-close_date&fields={fields}&limit=50&count=exact"

    def totals(n: int) -> str:
        condition = quote(f"close_date >= '2026-{n % 12 + 1:02}-01'")
        return f"/api/v1/aggregate/opportunity?group=stage&measures=sum(amount),count()&filter={condition}"

    def person(n: int) -> str:  # one of those that the row rule lets through
        return ids[(n * 7919 % (len(ids) // 10)) * 10 + 1]

    def new(n: int) -> bytes:
        values = {"name": f"New {n}", "account": accounts[n % len(accounts)], "stage": "new", "amount": 1200.5}
        return orjson.dumps({**values, "probability": 10, "close_date": "2026-12-24"})

    def change(n: int) -> bytes:
        return orjson.dumps({"amount": float(n % 900_000 + 0.25), "next_step": f"Call {n}"})

    def line(n: int) -> bytes:
        invoice = seeded.invoices[n * 7919 % len(seeded.invoices)]
        return orjson.dumps({"invoice": invoice, "name": "Travel", "quantity": n % 9 + 1, "price": 12.5})

    def costly(n: int) -> str:
        condition = quote(f"tax > {19 + n % 3}")
        return f"/api/v1/records/invoice?filter={condition}&fields=id,name,total,tax&sort=name&limit=50"

    def bulk(n: int) -> bytes:
        created = [{"action": "create", "values": orjson.loads(new(n * 500 + i))} for i in range(500)]
        return orjson.dumps({"operations": created, "atomic": True})

    yield (
        "list",
        lambda n: Call("GET", listing(n), token),
        lambda n: Call("GET", f"/opportunity?stage={stages[n % 5]}", token),
    )
    yield (
        "get",
        lambda n: Call("GET", f"{api}/{person(n)}", token),
        lambda n: Call("GET", f"/opportunity/{person(n)}", token),
    )
    yield (
        "create",
        lambda n: Call("POST", api, token, new(n), 201),
        lambda n: Call("POST", "/opportunity", token, new(n), 201),
    )
    yield (
        "update",
        lambda n: Call("PATCH", f"{api}/{person(n)}", token, change(n)),
        lambda n: Call("PATCH", f"/opportunity/{person(n)}", token, change(n)),
    )
    yield (
        "aggregate",
        lambda n: Call("GET", totals(n), token),
        lambda n: Call("GET", f"/opportunity/totals?since=2026-{n % 12 + 1:02}-01", token),
    )
    yield (
        "HTML list",
        lambda n: Call("GET", f"/o/opportunity?is.stage={stages[n % 5]}", session),
        lambda n: Call("GET", f"/list?stage={stages[n % 5]}", session),
    )
    yield (
        "rolled up",
        lambda n: Call("POST", "/api/v1/records/invoice_line", token, line(n), 201),
        lambda n: Call("POST", "/invoice_line", token, line(n), 201),
    )
    yield (
        "by formula",
        lambda n: Call("GET", costly(n), token),
        lambda n: Call("GET", f"/invoice?tax={19 + n % 3}", token),
    )
    yield (
        "bulk create",
        lambda n: Call("POST", f"{api}/batch", token, bulk(n)),
        lambda n: Call("POST", "/opportunity/batch", token, bulk(n)),
    )


def _compare(name: str, ours: Server, mine: object, base: Server, theirs: object, args: argparse.Namespace) -> None:
    connections = 1 if name == "bulk create" else 8
    pairs: list[tuple[Sample, Sample]] = []
    run(ours.port, ours.pid, mine, seconds=0.5, connections=connections)  # type: ignore[arg-type]
    run(base.port, base.pid, theirs, seconds=0.5, connections=connections)  # type: ignore[arg-type]
    for number in range(args.pairs):
        order = [(ours, mine), (base, theirs)]
        if number % 2:
            order.reverse()
        samples = {
            who.port: run(who.port, who.pid, make, seconds=args.seconds, connections=connections) for who, make in order
        }  # type: ignore[arg-type]
        pairs.append((samples[ours.port], samples[base.port]))
    ratios = sorted(a.per_s / b.per_s for a, b in pairs)
    middle = statistics.median
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    scale = 500 if name == "bulk create" else 1
    line = (
        f"{name:11}{middle(x.per_s for x in a) * scale:8.0f} {middle(x.per_s for x in b) * scale:8.0f} "
        f"{middle(x.p50_ms for x in a):6.1f}/{middle(x.p50_ms for x in b):<6.1f} "
        f"{middle(x.p95_ms for x in a):6.1f}/{middle(x.p95_ms for x in b):<6.1f} "
        f"{middle(x.cpu_us for x in a) / scale:6.0f}/{middle(x.cpu_us for x in b) / scale:<6.0f} "
        f"{middle(ratios):5.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"
    )
    if name in TARGETS:
        least, aim = TARGETS[name]
        line += f"  {'ok' if middle(ratios) >= least else 'BELOW'} {least:g}; {middle(ratios) / aim:.0%} of aim {aim:g}"
    else:
        rate = middle(x.per_s for x in a) * scale
        least_rows, aim_rows = BULK_ROWS_PER_S
        line += f"  rows/s: {'ok' if rate >= least_rows else 'BELOW'} {least_rows}; {rate / aim_rows:.0%} of aim"
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

"""A backup holds a tenant as it was at one moment; restored, it is the same tenant."""

import io
import threading
import time
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.api.site import Site
from engine.config import Config
from engine.context import SYSTEM, context_of
from engine.errors import Conflict, EngineError
from engine.files import catalogue as files
from engine.files.store import hash_of
from engine.mail.port import FolderMailer, SmtpMailer
from engine.people import sessions, tokens, users
from engine.rules.rollups import verify
from engine.sealed import Sealed
from engine.service import Records
from engine.store import system, system_runs
from engine.store.database import new_id
from engine.tenancy import storage
from engine.tenancy.backup import backup
from engine.tenancy.restore import Place, restore
from engine.tenancy.rows import tables_of
from engine.tenants import Tenant
from tests.depth import at_depth
from tests.store.test_system import shape
from tests.tenants.conftest import NOW, Opener

SHOP = """
package: shops
label: Shops
version: "1"
---
object: shop
label: Shop
fields:
  name: {type: text, label: Name, required: true, unique: true}
  opened: {type: date, label: Opened}
  parent: {type: reference, label: Parent, to: shop}
  total: {type: rollup, label: Total, of: sale.shop, operation: sum, field: amount, returns: decimal}
  plan: {type: file, label: Plan}
  key: {type: secret, label: Key}
  facts: {type: json, label: Facts}
  number: {type: autonumber, label: Number}
---
object: sale
label: Sale
fields:
  shop: {type: reference, label: Shop, to: shop, required: true}
  amount: {type: decimal, label: Amount, scale: 3, required: true}
  is_paid: {type: boolean, label: Paid}
  at: {type: datetime, label: At}
"""


def records(tenant: Tenant) -> Records:
    return Records(context_of(tenant, SYSTEM, NOW))


def fill(tenant: Tenant) -> str:
    """The id of a shop 'North', with a parent 'Süd', a file, a secret and two sales."""
    plan = files.add(context_of(tenant, SYSTEM, NOW), "plan.txt", io.BytesIO(b"walls"))
    south = records(tenant).create("shop", {"name": "Süd 南"})["id"]
    values = {
        "name": "North",
        "opened": "2020-02-29",
        "parent": south,
        "plan": plan.id,
        "key": "hush",
        "facts": {"a": [1, None]},
    }
    north = records(tenant).create("shop", values)["id"]
    for amount, paid in (("10.125", True), ("0.25", False)):
        records(tenant).create(
            "sale", {"shop": north, "amount": amount, "is_paid": paid, "at": "2026-11-22T02:15:00.123Z"}
        )
    return north


def state(tenant: Tenant) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, but for sessions and the audit log."""
    found = {}
    with tenant.database.read() as connection:
        for table in tables_of(tenant.snapshot()):
            if table.name not in ("fs_session", "fs_audit", "fs_audit_head"):
                rows = connection.sa.execute(sa.select(table).order_by(*table.primary_key.columns))
                found[table.name] = [tuple(v.text if isinstance(v, Sealed) else v for v in row) for row in rows]
    return found


def test_a_restored_tenant_is_the_one_that_was_backed_up(place: Place, opened: Opener, tmp_path: Path) -> None:
    north = opened("north", SHOP)
    fill(north)
    manifest = backup(north, tmp_path / "north.zip", now=NOW, release="1")
    assert manifest.parts["tables/sale.jsonl"].rows == 2
    restore(place, tmp_path / "north.zip", "copy", now=NOW)
    copy = opened("copy")
    assert state(copy) == state(north)
    assert (shape_of(copy), list(verify_all(copy))) == (shape_of(north), [])
    north_id = next(row for row in state(copy)["shop"] if "North" in row)[0]
    kept = records(copy).get_row("shop", str(north_id), ("plan", "key", "total"))
    assert kept["total"] == Decimal("10.375")
    with copy.files.open(hash_of(io.BytesIO(b"walls"))[0]) as content:
        assert content.read() == b"walls"
    assert copy.secrets.open(kept["key"], f"{copy.snapshot().physical.table('shop').name}.key") == "hush"


def test_a_backup_of_one_kind_of_database_restores_on_the_other(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    first, second = Place(sqlite_url, tmp_path / "one"), Place(postgres_url, tmp_path / "two")
    for source, target, name in ((first, second, "grown"), (second, first, "shrunk")):
        opened, restored = Opener(source), Opener(target)
        tenant = opened("north", SHOP)
        fill(tenant)
        backup(tenant, tmp_path / f"{name}.zip", now=NOW, release="1")
        restore(target, tmp_path / f"{name}.zip", name, now=NOW)
        copy = restored(name)
        assert state(copy) == state(tenant)
        assert list(verify_all(copy)) == []
        for one in (*opened.tenants, *restored.tenants):
            one.close()


def test_restoring_over_a_tenant_takes_it_back_and_live_processes_notice(
    place: Place, opened: Opener, tmp_path: Path
) -> None:
    north, other = opened("north", SHOP), opened("other", SHOP)
    fill(north)
    before, of_other = state(north), state(other)
    backup(north, tmp_path / "north.zip", now=NOW, release="1")
    live = opened("north")  # another process, which keeps its connections
    assert live.snapshot().version == 1
    opened("north", SHOP.replace("label: Facts", "label: Facts}\n  added: {type: text, label: Added"))
    records(live).create("shop", {"name": "Later"})
    with pytest.raises(Conflict) as refusal:
        restore(place, tmp_path / "north.zip", "north", now=NOW)
    assert refusal.value.code == "tenant.taken"
    assert live.version() == 2
    restore(place, tmp_path / "north.zip", "north", now=NOW, over=True)
    assert live.version() == 3
    after = state(live)
    assert {name: rows for name, rows in after.items() if name not in CHANGED} == {
        name: rows for name, rows in before.items() if name not in CHANGED
    }
    assert records(live).create("shop", {"name": "Later"})["name"] == "Later"
    assert state(other) == of_other
    assert storage.stored_names(place.url, place.data) == ["north", "other"]


CHANGED = ("fs_version", "fs_package")


def test_nobody_stays_signed_in_and_a_sandbox_has_no_tokens(place: Place, opened: Opener, tmp_path: Path) -> None:
    north = opened("north", SHOP)
    user = users.create_user(north, "ann", now=NOW)
    sessions.open_session(north, user, now=NOW)
    tokens.make_token(north, user, now=NOW)
    with north.database.write() as connection:
        for table, row in (
            (system.identity, {"provider": "p", "subject": "s", "user": user, "created_at": NOW}),
            (system.totp, {"user": user, "secret": "s1.key.x.m", "is_on": 1, "last_step": 0, "created_at": NOW}),
            (system.recovery_code, {"user": user, "hash": "h"}),
            (system_runs.hook, {"automation": "lead_in", "secret": "s1.key.x.m", "set_at": NOW}),
            (system.share, {"id": new_id(NOW), "object": "user", "record": user, "kind": "user", "to": user,
                            "access": "read", "at": NOW}),
        ):  # fmt: skip
            connection.sa.execute(sa.insert(table).values(row))
    backup(north, tmp_path / "north.zip", now=NOW, release="1")
    restore(place, tmp_path / "north.zip", "moved", now=NOW)
    restore(place, tmp_path / "north.zip", "play", now=NOW, sandbox_of="north")
    found = {}
    for name in ("north", "moved", "play"):
        tenant = opened(name)
        with tenant.database.read() as connection:
            counts = [connection.rows(f"SELECT count(*) FROM {t}")[0][0] for t in WAYS_IN]
        found[name] = (*counts, tenant.sandbox_of)
    assert found == {
        "north": (1, 1, 1, 1, 1, 1, 1, ""), "moved": (0, 1, 1, 1, 1, 1, 1, ""), "play": (0, 0, 0, 0, 0, 0, 1, "north"),
    }  # fmt: skip


WAYS_IN = ("fs_session", "fs_token", "fs_identity", "fs_totp", "fs_recovery_code", "fs_hook", "fs_share")


def test_nothing_leaves_a_sandbox(place: Place, opened: Opener, tmp_path: Path) -> None:
    north = opened("north", SHOP)
    backup(north, tmp_path / "north.zip", now=NOW, release="1")
    restore(place, tmp_path / "north.zip", "play", now=NOW, sandbox_of="north")
    config = Config(data=tmp_path, smtp_url="smtp://mail.example.com", outbound_allowed=("127.0.0.1",))
    refused = {}
    for name in ("north", "play"):
        site = Site(config, opened(name))
        try:
            with pytest.raises(EngineError) as error:
                site.outbound.get("http://127.0.0.1:1/")
            refused[name] = (error.value.code, type(site.mailer), site.providers.outbound is site.outbound)
        finally:
            site.close()
    assert refused == {
        "north": ("outbound.failed", SmtpMailer, True), "play": ("outbound.sandbox", FolderMailer, True),
    }  # fmt: skip


def test_a_backup_taken_while_others_write_holds_all_that_was_acknowledged_before(
    place: Place, opened: Opener, tmp_path: Path
) -> None:
    """Whole transactions too: each makes two sales that sum up to 10."""
    north = opened("north", SHOP)
    fill(north)
    shops = [records(north).create("shop", {"name": f"S{number}"})["id"] for number in range(4)]
    done = threading.Event()
    # SQLite's writers poll for their turn: of those that never pause, one may wait for longer than it may.
    one_writes = threading.Lock() if north.database.dialect == "sqlite" else nullcontext()
    acknowledged: list[list[str]] = [[] for _ in shops]
    failures: list[BaseException] = []

    def write(number: int) -> None:
        writer = place.tenant("north")
        try:
            while not done.is_set():
                with one_writes, writer.database.together():
                    made = [
                        records(writer).create("sale", {"shop": shops[number], "amount": a})["id"] for a in ("7", "3")
                    ]
                acknowledged[number] += made
        except BaseException as error:
            failures.append(error)
        finally:
            writer.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(at_depth(1, 3)):
            while min(map(len, acknowledged)) < 10 * (turn + 1):
                assert not failures, failures
                time.sleep(0.01)
            before = {key for keys in list(acknowledged) for key in list(keys)}
            backup(north, tmp_path / f"{turn}.zip", now=NOW, release="1")
            restore(place, tmp_path / f"{turn}.zip", f"copy{turn}", now=NOW)
            copy = opened(f"copy{turn}")
            kept = {str(row[0]) for row in state(copy)["sale"]}
            assert before <= kept
            assert len(before) >= 40
            assert list(verify_all(copy)) == []
            totals = [row["total"] for row in all_shops(copy) if row["name"].startswith("S") and row["total"]]
            assert totals
            assert {total % 10 for total in totals} == {0}
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []


def all_shops(tenant: Tenant) -> list[dict[str, Any]]:
    table = tenant.snapshot().physical.table("shop")
    with tenant.database.read() as connection:
        return [dict(row) for row in connection.sa.execute(sa.select(table)).mappings()]


def verify_all(tenant: Tenant) -> list[object]:
    """Roll-ups that are wrong, references to nothing."""
    with tenant.database.read() as connection:
        broken: list[object] = list(verify(connection, tenant.snapshot()))
        if connection.dialect == "sqlite":
            broken += connection.rows("PRAGMA foreign_key_check")
    return broken


def shape_of(tenant: Tenant) -> list[tuple[object, ...]]:
    with tenant.database.read() as connection:
        rows = shape(connection)
    text = [repr(row).replace(f" {tenant.name}.", " ") for row in rows]
    return sorted((row,) for row in text)

"""What somebody changes who has the database, but not the key, is found."""

import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from engine.audit.upkeep import checkpoint, prune
from engine.audit.verify import Finding, verify
from engine.cli import main
from engine.testing import Running
from tests.audit.conftest import NOW, entries, sql

Found = list[tuple[str, int]]


@pytest.fixture
def filled(shop: Running) -> Running:
    """Five entries about contacts, at the end of one chain."""
    records = shop.records("boss")
    for name in ("Ada", "Bob", "Cyd", "Dan", "Eve"):
        records.create("contact", {"name": name})
    assert not verify(shop.tenant).findings
    return shop


def findings(shop: Running) -> tuple[Finding, ...]:
    return verify(shop.tenant).findings


def first(shop: Running) -> tuple[str, int, int]:
    one = findings(shop)[0]
    return one.what, one.chain, one.seq


COLUMNS = {
    "at": "'2026-11-21T02:15:00.000Z'", "kind": "'record.delete'", "by": "NULL", "channel": "'screen'",
    "on_behalf_of": "'0190b9f0-0000-7000-8000-000000000000'", "address": "'10.0.0.1'", "request": "'r-9'",
    "object": "'deal'", "record": "'0190b9f0-0000-7000-8000-000000000000'", "details": "'{}'", "mac": "'00'",
}  # fmt: skip


@pytest.mark.parametrize("column", list(COLUMNS))
def test_an_entry_that_was_altered_is_found(filled: Running, column: str) -> None:
    entry = entries(filled, object_name="contact")[2]
    place = f"WHERE chain = {entry['chain']} AND seq = {entry['seq']}"
    sql(filled, f'UPDATE fs_audit SET "{column}" = {COLUMNS[column]} {place}')
    assert first(filled) == ("altered", entry["chain"], entry["seq"])


def test_entries_that_changed_places_are_found(filled: Running) -> None:
    for one, other in ((1, 2), (1, 3)):
        found = entries(filled, object_name="contact")
        chain, here, there = found[one]["chain"], found[one]["seq"], found[other]["seq"]
        for old, new in ((here, 0), (there, here), (0, there)):
            sql(filled, f"UPDATE fs_audit SET seq = {new} WHERE chain = {chain} AND seq = {old}")
        assert first(filled) == ("reordered", chain, here)
        for old, new in ((here, 0), (there, here), (0, there)):
            sql(filled, f"UPDATE fs_audit SET seq = {new} WHERE chain = {chain} AND seq = {old}")
        assert not findings(filled)


def test_an_entry_that_was_removed_is_found(filled: Running) -> None:
    entry = entries(filled, object_name="contact")[2]
    chain, seq = entry["chain"], entry["seq"]
    sql(filled, f"DELETE FROM fs_audit WHERE chain = {chain} AND seq = {seq}")
    assert first(filled) == ("missing", chain, seq)
    sql(filled, f"UPDATE fs_audit SET seq = seq - 1 WHERE chain = {chain} AND seq = {seq + 1}")
    assert first(filled)[1:] == (chain, seq)


def test_an_entry_that_was_added_is_found(filled: Running) -> None:
    entry = entries(filled, object_name="contact")[-1]
    chain, seq = entry["chain"], entry["seq"]
    copy = "INSERT INTO fs_audit (chain, seq, at, kind, mac) SELECT {}, {}, at, kind, mac FROM fs_audit WHERE "
    where = f"chain = {chain} AND seq = {seq}"
    sql(filled, copy.format(chain, seq + 1) + where)
    assert first(filled) == ("added", chain, seq + 1)
    sql(filled, f"DELETE FROM fs_audit WHERE chain = {chain} AND seq = {seq + 1}")
    sql(filled, copy.format(99, 1) + where)
    assert first(filled) == ("added", 99, 0)


def test_a_tail_that_was_cut_off_is_found(filled: Running) -> None:
    *_, before, last = entries(filled, object_name="contact")
    chain, seq = last["chain"], last["seq"]
    sql(filled, f"DELETE FROM fs_audit WHERE chain = {chain} AND seq = {seq}")
    assert first(filled) == ("missing", chain, seq)
    sql(filled, f"UPDATE fs_audit_head SET length = {seq - 1}, mac = '{before['mac']}' WHERE chain = {chain}")
    assert first(filled) == ("altered", chain, 0)


def test_a_chain_that_was_removed_is_found(filled: Running) -> None:
    chain = entries(filled, object_name="contact")[-1]["chain"]
    sql(filled, f"DELETE FROM fs_audit WHERE chain = {chain}")
    sql(filled, f"DELETE FROM fs_audit_head WHERE chain = {chain}")
    assert first(filled) == ("missing", chain, 0)
    sql(filled, f"UPDATE fs_audit_head SET length = {chain - 1} WHERE chain = 0")
    assert first(filled) == ("altered", 0, 0)
    sql(filled, "DELETE FROM fs_audit_head WHERE chain = 0")
    assert any(one.what in ("missing", "added") for one in findings(filled)) or chain == 1


@pytest.mark.parametrize("column", ["key", "gone", "gone_mac", "length", "mac", "seal"])
def test_an_end_that_was_altered_is_found(filled: Running, column: str) -> None:
    chain = entries(filled, object_name="contact")[-1]["chain"]
    value = f"{column} + 1" if column in ("gone", "length") else "'00'"
    for one in (chain, 0):
        sql(filled, f'UPDATE fs_audit_head SET "{column}" = {value} WHERE chain = {one}')
    assert {one.chain for one in findings(filled)} >= {0, chain}


@pytest.mark.parametrize(
    "change", ["changes = '{}'", "action = 'merge'", "version = 7", '"by" = NULL', "object = 'deal'"]
)
def test_a_line_of_the_history_that_was_altered_is_found(filled: Running, change: str) -> None:
    entry = entries(filled, object_name="contact")[2]
    sql(filled, f"UPDATE fs_history SET {change} WHERE record = :record", record=entry["record"])
    assert first(filled) == ("altered", entry["chain"], entry["seq"])


def test_a_line_of_the_history_that_was_removed_or_added_is_found(filled: Running) -> None:
    entry = entries(filled, object_name="contact")[2]
    columns = "object, record, version, action, at, changes"
    made = "'0190b9f0-0000-7000-8000-00000000000a'"
    if filled.tenant.database.dialect == "postgresql":
        made += "::uuid"
    copied = f"SELECT {made}, {columns} FROM fs_history WHERE record = :record"
    sql(filled, f"INSERT INTO fs_history (id, {columns}) {copied}", record=entry["record"])
    assert first(filled) == ("added", 0, 0)
    sql(filled, "DELETE FROM fs_history WHERE record = :record", record=entry["record"])
    assert first(filled) == ("missing", entry["chain"], entry["seq"])


def test_a_chain_that_was_changed_does_not_keep_anybody_from_working(filled: Running) -> None:
    entry = entries(filled, object_name="contact")[-1]
    sql(filled, f"UPDATE fs_audit_head SET seal = '00' WHERE chain = {entry['chain']}")
    filled.records("boss").create("contact", {"name": "Fay"})
    assert entries(filled, object_name="contact")[-1]["chain"] > entry["chain"]
    sql(filled, "DELETE FROM fs_audit_head")
    filled.records("boss").create("contact", {"name": "Gus"})
    assert len(entries(filled, object_name="contact")) == 7


def test_old_ends_put_back_are_found_by_a_checkpoint_and_by_an_anchor(filled: Running) -> None:
    with filled.tenant.database.read() as connection:
        heads = connection.rows("SELECT chain, length, mac, seal FROM fs_audit_head WHERE chain > 0")
    longest = max(heads)
    filled.records("boss").create("contact", {"name": "Fay"})
    anchor = checkpoint(filled.tenant, NOW)
    assert not verify(filled.tenant, anchor).findings
    chain, count, mac, seal = longest
    sql(filled, f"DELETE FROM fs_audit WHERE chain = {chain} AND seq > {count}")
    sql(filled, f"UPDATE fs_audit_head SET length = {count}, mac = '{mac}', seal = '{seal}' WHERE chain = {chain}")
    found = verify(filled.tenant, anchor).findings
    assert found[0].what == "missing"


def test_writers_at_a_time_leave_chains_that_verify(shop: Running) -> None:
    def write() -> None:
        records = shop.records("boss")
        for number in range(15):
            records.create("contact", {"name": f"n{number}"})

    threads = [threading.Thread(target=write) for _ in range(4)]
    script = (
        "import sys; from pathlib import Path; from engine.tenants import open_tenant; "
        "from engine.context import context_of; from engine.service import Records\n"
        "tenant = open_tenant(sys.argv[1], Path(sys.argv[2]))\n"
        "for n in range(15): Records(context_of(tenant)).create('contact', {'name': f'p{n}'})"
    )
    url = shop.tenant.database.url.render_as_string(hide_password=False)
    others = [subprocess.Popen([sys.executable, "-c", script, url, str(shop.folder)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait() for other in others] == [0, 0]
    assert len(entries(shop, object_name="contact")) == 90
    assert not findings(shop)


def test_old_entries_go_and_the_rest_still_verifies(filled: Running) -> None:
    filled.fixed_now = NOW + timedelta(days=100)
    filled.records("boss").create("contact", {"name": "Fay"})
    assert prune(filled.tenant, NOW + timedelta(days=200), 180) > 5
    left = entries(filled, "")
    assert {one["kind"] for one in left} == {"record.create", "audit.prune", "audit.checkpoint"}
    assert left[0]["at"] == NOW + timedelta(days=100)
    filled.records("boss").create("contact", {"name": "Gus"})
    assert not findings(filled)
    sql(filled, f"DELETE FROM fs_audit WHERE kind = 'record.create' AND chain = {left[0]['chain']}")
    assert findings(filled)[0].what == "missing"


def test_the_command_says_what_is_wrong(filled: Running, capsys: pytest.CaptureFixture[str]) -> None:
    url = filled.tenant.database.url.render_as_string(hide_password=False)
    arguments = ["audit", "verify", "--database", url, "--data", str(filled.folder)]
    assert main(arguments) == 0
    anchor = capsys.readouterr().out.split("anchor: ")[1].strip()
    assert main([*arguments, "--anchor", anchor]) == 0
    entry = entries(filled, object_name="contact")[2]
    sql(filled, "UPDATE fs_audit SET kind = 'x' WHERE record = :record", record=entry["record"])
    assert main(arguments) == 1
    place = f"entry {entry['seq']} of chain {entry['chain']}"
    assert f"altered: {place} (x) was altered" in capsys.readouterr().err

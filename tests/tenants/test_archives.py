"""A backup that is damaged, cut off or hostile is refused, and changes nothing."""

import os
import signal
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from engine.errors import BadInput
from engine.tenancy import storage
from engine.tenancy.archive import MANIFEST
from engine.tenancy.backup import backup
from engine.tenancy.catalogue import Catalogue
from engine.tenancy.restore import Place, restore
from tests.tenants.conftest import NOW, Opener
from tests.tenants.test_backup import SHOP, fill, state, verify_all

Change = Callable[[dict[str, bytes]], None]


def manifest(parts: dict[str, bytes], **changes: object) -> None:
    parts[MANIFEST] = orjson.dumps(orjson.loads(parts[MANIFEST]) | changes)


def listed(parts: dict[str, bytes], name: str, content: bytes, **more: object) -> None:
    """Put a part in, and say so in the manifest."""
    import hashlib

    read = orjson.loads(parts[MANIFEST])
    part = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "rows": 0, "columns": []}
    read["parts"][name] = part | more
    parts[name], parts[MANIFEST] = content, orjson.dumps(read)


def first_file(parts: dict[str, bytes]) -> str:
    return next(name for name in parts if name.startswith("files/"))


COUNTER = ["object", "field", "period", "value"]
NULL = b'["shop", "number", "", null]\n'
HOSTILE: dict[str, Change] = {
    "no manifest": lambda p: p.__delitem__(MANIFEST),
    "manifest is no JSON": lambda p: p.update({MANIFEST: b"{"}),
    "manifest is a list": lambda p: p.update({MANIFEST: b"[]"}),
    "manifest lacks a key": lambda p: p.update({MANIFEST: b'{"format": 1, "parts": {}}'}),
    "manifest has a key too many": lambda p: manifest(p, more=1),
    "a later format": lambda p: manifest(p, format=99),
    "a later layout": lambda p: manifest(p, layout=99),
    "a version that is not there": lambda p: manifest(p, version=99),
    "a version that is no number": lambda p: manifest(p, version="1"),
    "a part is missing": lambda p: p.__delitem__("tables/sale.jsonl"),
    "a part too many": lambda p: p.update({"tables/other.jsonl": b""}),
    "a row was changed": lambda p: p.update({"tables/sale.jsonl": p["tables/sale.jsonl"].replace(b"10125", b"10126")}),
    "a row is gone": lambda p: listed(p, "tables/shop.jsonl", b"", rows=2),
    "a row of too few values": lambda p: listed(
        p, "tables/fs_counter.jsonl", b"[1]\n", rows=1, columns=COUNTER
    ),
    "a row that is no JSON": lambda p: listed(p, "tables/fs_counter.jsonl", b"x\n", rows=1, columns=COUNTER),
    "a column that is not known": lambda p: listed(p, "tables/fs_counter.jsonl", b"[1]\n", rows=1, columns=["evil"]),
    "a key is missing": lambda p: listed(p, "tables/fs_counter.jsonl", b"[1]\n", rows=1, columns=["value"]),
    "a table that no definition knows": lambda p: listed(p, "tables/other.jsonl", b""),
    "a null where none may be": lambda p: listed(p, "tables/fs_counter.jsonl", NULL, rows=1, columns=COUNTER),
    "rows that refer to nothing": lambda p: listed(p, "tables/user.jsonl", b"", rows=0, columns=["id"]) or listed(
        p, "tables/shop.jsonl", b"", rows=0, columns=["id"]
    ),
    "a file that is another": lambda p: p.update({first_file(p): b"doors"}),
    "a file under a false name": lambda p: listed(p, "files/" + "0" * 64, b"doors"),
    "a path upwards": lambda p: listed(p, "../../evil", b"x"),
    "an absolute path": lambda p: listed(p, "/etc/evil", b"x"),
    "another folder": lambda p: listed(p, "etc/evil", b"x"),
    "a bomb": lambda p: listed(p, "tables/bomb.jsonl", b"0" * 100_000_000),
    "definitions that are none": lambda p: listed(
        p, "tables/fs_version.jsonl", b'[1,{"b":"AAAA"}]\n', rows=1, columns=["number", "definitions"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_backup_is_refused_and_changes_nothing(what: str, backed_up: Path, tmp_path: Path) -> None:
    place = Place("", tmp_path / "data")
    with zipfile.ZipFile(backed_up) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    HOSTILE[what](parts)
    file = tmp_path / "hostile.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    refused(place, file, tmp_path)


def test_what_is_cut_off_or_no_zip_is_refused(backed_up: Path, tmp_path: Path) -> None:
    whole, place = backed_up.read_bytes(), Place("", tmp_path / "data")
    for number, content in enumerate((b"", b"PK", b"x" * 5000, whole[:-1], whole[: len(whole) // 2], whole[100:])):
        file = tmp_path / f"cut{number}.zip"
        file.write_bytes(content)
        refused(place, file, tmp_path)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    file = tmp_path / "flipped.zip"
    file.write_bytes(flipped)
    refused(place, file, tmp_path)


def test_links_and_twins_are_refused(backed_up: Path, tmp_path: Path) -> None:
    place = Place("", tmp_path / "data")
    link = zipfile.ZipInfo("tables/sale.jsonl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    for number, extra in enumerate((link, zipfile.ZipInfo("tables/sale.jsonl"))):
        file = tmp_path / f"twin{number}.zip"
        file.write_bytes(backed_up.read_bytes())
        with zipfile.ZipFile(file, "a") as out, pytest.warns(UserWarning, match="Duplicate name"):
            out.writestr(extra, b"/etc/passwd")
        refused(place, file, tmp_path)


def refused(place: Place, file: Path, tmp_path: Path) -> None:
    """As a new tenant, and over one that is there."""
    opener = Opener(place)
    north = opener("north", SHOP)
    if not state(north)["sale"]:
        fill(north)
    before, there = state(north), files_in(tmp_path)
    for name, over in (("new", False), ("north", True)):
        with pytest.raises(BadInput) as refusal:
            restore(place, file, name, now=NOW, over=over)
        assert refusal.value.code.startswith("backup.")
    assert state(north) == before
    assert files_in(tmp_path) == there | {"data/fs_tenants.db"}
    catalogue = Catalogue(place.url, place.data)
    assert catalogue.entries() == []
    catalogue.close()
    for tenant in opener.tenants:
        tenant.close()


def files_in(folder: Path) -> set[str]:
    """But for SQLite's own beside its files."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in names if not name.endswith(("-wal", "-shm"))} | {"data/fs_tenants.db"}


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    opener = Opener(Place("", folder / "data"))
    north = opener("north", SHOP)
    fill(north)
    backup(north, folder / "north.zip", now=NOW, release="1")
    north.close()
    return folder / "north.zip"


STEPS = ("load", "put_files", "move_on", "put_in_place", "after")


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_that_is_killed_leaves_the_old_state_or_the_new(
    place: Place, opened: Opener, tmp_path: Path, step: str
) -> None:
    north = opened("north", SHOP)
    fill(north)
    backup(north, tmp_path / "north.zip", now=NOW, release="1")
    fill_more(north)
    before = state(north)
    pid = os.fork()
    if pid == 0:
        kill_at(place, tmp_path / "north.zip", step)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    again = opened("north")
    if step == "after":
        assert len(state(again)["sale"]) == 2
    else:
        assert state(again) == before
    assert verify_all(again) == []
    restore(place, tmp_path / "north.zip", "north", now=NOW, over=True)
    assert len(state(again)["sale"]) == 2
    assert storage.stored_names(place.url, place.data) == ["north"]


def fill_more(tenant) -> None:  # type: ignore[no-untyped-def]
    from tests.tenants.test_backup import records

    shop = state(tenant)["shop"][0][0]
    records(tenant).create("sale", {"shop": shop, "amount": "1"})


def kill_at(place: Place, file: Path, step: str) -> None:
    from engine.tenancy import restore as module

    def die(*args: object, **more: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        if step == "after":
            original = storage.put_in_place

            def switch_and_die(*args: object, **more: object) -> None:
                original(*args, **more)  # type: ignore[arg-type]
                die()

            storage.put_in_place = switch_and_die  # type: ignore[assignment]
        elif step == "put_in_place":
            storage.rename_schema = die  # type: ignore[assignment]
            storage.copy_into = die  # type: ignore[assignment]
        else:
            name = "insert" if step == "load" else step
            setattr(module, name, die)
        module.restore(place, file, "north", now=NOW, over=True)
    finally:
        os._exit(1)

"""Contents on a disk and on an S3-compatible service: kept once, whole, under their hash."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.errors import BadInput
from engine.files.store import DiskStore, FileStore, open_store

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A place on a service of our own."""
    given = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="papers")
        yield f"s3://papers/field/stone?endpoint={endpoint}&region=us-east-1"
    finally:
        server.stop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    place = "" if request.param == "disk" else request.getfixturevalue("s3_url")
    return open_store(place, tmp_path, f"t{abs(hash(tmp_path))}")


def test_a_content_is_kept_under_its_hash_and_read_again(store: FileStore) -> None:
    assert store.put(io.BytesIO(b"hello")) == (HELLO, 5)
    assert store.exists(HELLO)
    with store.open(HELLO) as content:
        assert (content.read(2), content.read(10), content.read(10)) == (b"he", b"llo", b"")


def test_the_same_content_is_kept_once(store: FileStore) -> None:
    store.put(io.BytesIO(b"hello"))
    store.put(io.BytesIO(b"hello"))
    assert list(store.hashes()) == [HELLO]


def test_a_large_content_comes_whole(store: FileStore) -> None:
    sent = b"a" * 3_000_001
    found, size = store.put(io.BytesIO(sent))
    assert size == 3_000_001
    with store.open(found) as content:
        assert content.read() == sent


def test_what_is_removed_is_gone_and_may_be_removed_again(store: FileStore) -> None:
    store.put(io.BytesIO(b"hello"))
    store.delete(HELLO)
    store.delete(HELLO)
    assert not store.exists(HELLO)
    assert list(store.hashes()) == []
    with pytest.raises(FileNotFoundError):
        store.open(HELLO)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", HELLO.upper(), f"{HELLO}/..", HELLO + "\n"])
def test_nothing_but_a_hash_leads_to_a_content(store: FileStore, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        store.open(name)


def test_a_disk_holds_folders_by_hash_that_others_cannot_read(tmp_path: Path) -> None:
    open_store("", tmp_path, "main").put(io.BytesIO(b"hello"))
    path = tmp_path / "files" / "main" / "2c" / "f2" / HELLO
    assert path.read_bytes() == b"hello"
    assert path.stat().st_mode & 0o077 == 0
    assert list((tmp_path / "files" / "main" / "incoming").iterdir()) == []


def test_what_fails_while_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("gone")

    store = DiskStore(tmp_path)
    with pytest.raises(OSError, match="gone"):
        store.put(Broken())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_was_begun_long_ago_is_tidied_away(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    store.put(io.BytesIO(b"hello"))
    old, new = tmp_path / "incoming" / "old", tmp_path / "incoming" / "new"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (0, 0))
    store.tidy()
    assert (old.exists(), new.exists(), store.exists(HELLO)) == (False, True, True)


def test_tenants_share_a_place_and_no_contents(tmp_path: Path) -> None:
    one, other = (open_store(str(tmp_path), Path("unused"), name) for name in ("one", "other"))
    one.put(io.BytesIO(b"hello"))
    assert not other.exists(HELLO)


@pytest.mark.parametrize("place", ["ftp://host/x", "s3:///prefix", "s3://bucket?acl=public"])
def test_a_place_that_cannot_be_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        open_store(place, tmp_path, "main")
    assert refused.value.code == "files.place"

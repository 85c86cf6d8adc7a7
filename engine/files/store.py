"""Where the contents of files lie: under the hash of what they are, so that the same content is kept once."""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.errors import BadInput

__all__ = ["CHUNK", "DiskStore", "FileStore", "hash_of", "open_store"]

CHUNK = 1024 * 1024
HASH = re.compile(r"[0-9a-f]{64}\Z")
TEMPORARY = "incoming"
TEMPORARY_AGE_S = 24 * 3600


class FileStore(Protocol):
    """One tenant's contents. Hashes are SHA-256 in hexadecimal."""

    def put(self, content: BinaryIO) -> tuple[str, int]:
        """Keep what can be read from here on; its hash, and its size in bytes. `content` can be sought in."""

    def open(self, hash: str) -> BinaryIO:
        """Raises FileNotFoundError."""

    def exists(self, hash: str) -> bool: ...

    def delete(self, hash: str) -> None:
        """Of what is not there: nothing happens."""

    def hashes(self) -> Iterator[str]:
        """Of all that is kept, in no order."""

    def tidy(self) -> None:
        """Remove what was begun long ago and never finished."""


class DiskStore:
    """Below a folder: ab/cd/abcd…"""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, content: BinaryIO) -> tuple[str, int]:
        incoming = self.folder / TEMPORARY
        incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=incoming)
        try:
            with open(descriptor, "wb") as file:
                digest, size = hashlib.sha256(), 0
                while chunk := content.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            path = self._path(digest.hexdigest())
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.replace(name, path)
                keep_entry(path.parent)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)
        return digest.hexdigest(), size

    def open(self, hash: str) -> BinaryIO:
        return self._path(hash).open("rb")

    def exists(self, hash: str) -> bool:
        return self._path(hash).exists()

    def delete(self, hash: str) -> None:
        self._path(hash).unlink(missing_ok=True)

    def hashes(self) -> Iterator[str]:
        return (path.name for path in self.folder.glob("??/??/*") if HASH.match(path.name))

    def tidy(self) -> None:
        for path in (self.folder / TEMPORARY).glob("*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > TEMPORARY_AGE_S:
                    path.unlink()

    def _path(self, hash: str) -> Path:
        if not HASH.match(hash):
            raise FileNotFoundError(hash)
        return self.folder / hash[:2] / hash[2:4] / hash


def keep_entry(folder: Path) -> None:
    """Make a new name in a folder survive a loss of power. Windows has no such call."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def hash_of(content: BinaryIO) -> tuple[str, int]:
    """Of what can be read from here on: its hash and its size."""
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def open_store(place: str, data: Path, tenant: str) -> FileStore:
    """`place` is "" (the data folder), a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME. Raises BadInput."""
    if place.startswith("s3://"):
        # boto3 is not installed with Fieldstone, but with fieldstone[s3].
        try:
            from engine.files.s3 import S3Store
        except ImportError as error:
            message = "files on S3 need the library boto3"
            raise BadInput(message, code="files.s3", fix="pip install fieldstone[s3]") from error
        return S3Store.at(place, tenant)
    if "://" in place:
        message = f"'{place}' is no place for files"
        raise BadInput(message, code="files.place", fix="write s3://bucket/prefix, or a folder")
    return DiskStore((Path(place) if place else data / "files") / tenant)

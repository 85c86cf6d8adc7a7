"""A backup as a file: a zip of tables and contents, and a manifest that says what must be in it."""

import errno
import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

import orjson

from engine.errors import BadInput
from engine.files.store import CHUNK

__all__ = ["FORMAT", "KEYS", "Manifest", "Part", "Reader", "Writer", "file_part", "table_part"]

FORMAT = 1
MANIFEST, KEYS = "manifest.json", "secret.key"
PARTS = re.compile(r"(tables/[a-z0-9_]{1,63}\.jsonl|files/[0-9a-f]{64}|secret\.key)\Z")
MOST_PARTS = 5_000_000
MANIFEST_BYTES = 2 * 1024**3
LINE_BYTES = 512 * 1024**2
FREE_BYTES, MOST_RATIO = 64 * 1024**2, 200  # what it may unpack to: so much, and so many times its own size
BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, ValueError, NotImplementedError,
    RuntimeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    sha256: str
    size: int  # in bytes, unpacked
    rows: int = 0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    format: int
    fieldstone: str
    tenant: str
    dialect: str  # of the database that it was made from; it can be restored to the other
    made_at: str
    layout: int  # of the engine's own tables
    version: int  # of the definitions
    sandbox_of: str = ""
    keys: tuple[str, ...] = ()  # ids of the keys that secrets are encrypted with
    lost: tuple[str, ...] = ()  # hashes of contents that were missing or changed already
    parts: Mapping[str, Part] = field(default_factory=dict)


def table_part(table: str) -> str:
    return f"tables/{table}.jsonl"


def file_part(hash: str) -> str:
    return f"files/{hash}"


class Writer:
    """Parts one after the other, the manifest at the end: what is broken off has none."""

    def __init__(self, file: BinaryIO) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.parts: dict[str, Part] = {}

    def table(self, table: str, columns: Iterable[str], lines: Iterable[bytes]) -> int:
        digest, size, rows, name = hashlib.sha256(), 0, 0, table_part(table)
        with self.zip.open(name, "w", force_zip64=True) as out:
            for line in lines:
                whole = line + b"\n"
                digest.update(whole)
                size += len(whole)
                rows += 1
                out.write(whole)
        self.parts[name] = Part(digest.hexdigest(), size, rows, tuple(columns))
        return rows

    def content(self, name: str, source: BinaryIO, *, is_packed: bool = False) -> str:
        """Its hash."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self.zip.open(info, "w", force_zip64=True) as out:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
        self.parts[name] = Part(digest.hexdigest(), size)
        return digest.hexdigest()

    def break_off(self) -> None:
        """While the file is open still: Python closes a zip that nobody closed, and complains where it cannot."""
        self.zip.close()

    def end(self, manifest: Manifest) -> None:
        self.zip.writestr(MANIFEST, orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
        self.zip.close()


class Reader:
    """A backup that is to be restored. Nothing in it is believed: `verify` comes first."""

    def __init__(self, file: zipfile.ZipFile, manifest: Manifest, size: int) -> None:
        self.zip, self.manifest, self.size = file, manifest, size

    @classmethod
    @contextmanager
    def of(cls, path: Path) -> Iterator["Reader"]:
        """Raises BadInput for what is no backup."""
        with open(path, "rb") as source:
            with refusing():
                file = zipfile.ZipFile(source)
                manifest = read_manifest(file)
            with file:
                yield cls(file, manifest, path.stat().st_size)

    def verify(self, told: Callable[[str], None]) -> None:
        """Every part is there, once, and is what the manifest says; nothing else is. Raises BadInput."""
        with refusing():
            self.verify_parts(told)

    def verify_parts(self, told: Callable[[str], None]) -> None:
        parts = self.manifest.parts
        names = [info.filename for info in self.zip.infolist() if info.filename != MANIFEST]
        if len(names) != len(set(names)) or set(names) != parts.keys():
            raise damaged("the backup does not hold what its manifest says")
        allowed = FREE_BYTES + MOST_RATIO * self.size
        if sum(part.size for part in parts.values()) > allowed:
            raise damaged("the backup unpacks to far more than one of its size may")
        for number, (name, part) in enumerate(parts.items()):
            if not PARTS.match(name):
                raise damaged(f"the backup holds '{name[:100]}', which is no part of one")
            if name.startswith("files/") and name != file_part(part.sha256):
                raise damaged(f"'{name}' is not the file that its name says")
            if number % 1000 == 0:
                told(f"verifying {number} of {len(parts)} parts")
            digest, size = hashlib.sha256(), 0
            with self.zip.open(name) as source:
                while chunk := source.read(CHUNK):
                    size += len(chunk)
                    if size > part.size:
                        break
                    digest.update(chunk)
            if size != part.size or digest.hexdigest() != part.sha256:
                raise damaged(f"'{name}' is not what was backed up")

    def lines(self, table: str) -> Iterator[bytes]:
        """Rows of a table; none where the backup has no such table. Raises BadInput where there are not as many as the
        manifest says."""
        part = self.manifest.parts.get(table_part(table))
        if part is None:
            return
        count = 0
        with self.zip.open(table_part(table)) as source:
            while line := source.readline(LINE_BYTES):
                if not line.endswith(b"\n"):
                    raise damaged(f"a row of {table} is too long")
                count += 1
                yield line
        if count != part.rows:
            raise damaged(f"the backup has {count} rows of {table}, not {part.rows}")

    def tables(self) -> set[str]:
        kinds = (name.partition("/") for name in self.manifest.parts)
        return {rest.removesuffix(".jsonl") for kind, _, rest in kinds if kind == "tables"}

    def columns(self, table: str) -> tuple[str, ...]:
        part = self.manifest.parts.get(table_part(table))
        return part.columns if part else ()

    def files(self) -> Iterator[str]:
        """Hashes of the contents that are whole."""
        lost = set(self.manifest.lost)
        for name in self.manifest.parts:
            kind, _, found = name.partition("/")
            if kind == "files" and found not in lost:
                yield found

    def open(self, name: str) -> IO[bytes]:
        return self.zip.open(name)


@contextmanager
def refusing() -> Iterator[None]:
    """Whatever a damaged zip makes the library raise, as BadInput."""
    try:
        yield
    except BROKEN as error:
        raise damaged("the file is damaged, cut off, or no backup") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the file's beginning
            raise
        raise damaged("the file is damaged, cut off, or no backup") from error


def read_manifest(file: zipfile.ZipFile) -> Manifest:
    entries = file.infolist()
    if len(entries) > MOST_PARTS:
        raise damaged(f"the backup has more than {MOST_PARTS} parts")
    for info in entries:
        if info.is_dir() or info.filename.startswith("/") or ".." in info.filename or "\\" in info.filename:
            raise damaged(f"the backup holds '{info.filename[:100]}', which is no part of one")
        if info.external_attr >> 16 & 0o170000 == 0o120000:
            raise damaged(f"the backup holds a link, '{info.filename[:100]}'")
        if info.flag_bits & 1:
            raise damaged("the backup holds a part that is encrypted")
    if MANIFEST not in file.namelist():
        raise damaged("the backup has no manifest: it was broken off, or is none")
    if file.getinfo(MANIFEST).file_size > MANIFEST_BYTES:
        raise damaged("the backup's manifest is too large")
    try:
        return manifest_of(orjson.loads(file.read(MANIFEST)))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise damaged("the backup's manifest cannot be read") from error


def manifest_of(read: dict[str, Any]) -> Manifest:
    """Raises ValueError, TypeError, KeyError, AttributeError, and BadInput for one of a later release."""
    if not isinstance(read["format"], int) or read["format"] > FORMAT:
        message = "the backup was made by a later release of Fieldstone"
        raise BadInput(message, code="backup.format", fix="restore it with that release")
    parts = {}
    for name, part in read.pop("parts").items():
        one = Part(str(part["sha256"]), int(part["size"]), int(part["rows"]), tuple(map(str, part["columns"])))
        if one.size < 0 or one.rows < 0:
            raise ValueError(name)
        parts[str(name)] = one
    for name in ("layout", "version"):
        if type(read[name]) is not int or read[name] < 0:
            raise ValueError(name)
    for name in ("keys", "lost"):
        read[name] = tuple(map(str, read[name]))
    return Manifest(**read, parts=parts)


def damaged(message: str) -> BadInput:
    return BadInput(message, code="backup.damaged", fix="take another backup")

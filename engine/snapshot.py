"""One published version, compiled: what a request runs on from beginning to end."""

import zlib
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.registry import Plugins
from engine.store.names import Names
from engine.store.tables import Physical
from metadata import codec
from metadata.model import Definitions

__all__ = ["Snapshot", "pack", "unpack"]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Immutable, of one tenant and version. `cache` is for what others compile from it, and goes when it goes."""

    version: int
    definitions: Definitions
    physical: Physical
    plugins: Plugins
    dialect: str
    cache: dict[Any, Any] = field(default_factory=dict)


def pack(definitions: Definitions, names: Names) -> bytes:
    """As fs_version.definitions holds it: the length of the names, the names, the definitions; compressed."""
    physical = orjson.dumps([names.tables, names.columns])
    return zlib.compress(len(physical).to_bytes(4, "big") + physical + codec.dump(definitions), 3)


def unpack(packed: bytes) -> tuple[Definitions, Names]:
    plain = memoryview(zlib.decompress(packed))
    end = 4 + int.from_bytes(plain[:4], "big")
    tables, columns = orjson.loads(plain[4:end])
    return codec.parse(bytes(plain[end:])), Names(tables, columns)

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

__all__ = ["Snapshot", "load", "pack", "unpack"]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Immutable, of one tenant and version. `cache` is for what others compile from it, and goes when it goes."""

    version: int
    definitions: Definitions
    physical: Physical
    plugins: Plugins
    dialect: str
    cache: dict[Any, Any] = field(default_factory=dict)


def load(version: int, definitions: Definitions, names: Names, plugins: Plugins, dialect: str) -> Snapshot:
    return Snapshot(version, definitions, Physical(definitions, names, plugins), plugins, dialect)


def pack(definitions: Definitions, names: Names) -> bytes:
    """As fs_version.definitions holds it."""
    parts = {"definitions": orjson.Fragment(codec.dump(definitions)), "tables": names.tables, "columns": names.columns}
    return zlib.compress(orjson.dumps(parts), 3)


def unpack(packed: bytes) -> tuple[Definitions, Names]:
    plain = orjson.loads(zlib.decompress(packed))
    return codec.decode(plain["definitions"]), Names(plain["tables"], plain["columns"])

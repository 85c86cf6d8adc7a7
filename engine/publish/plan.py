"""Plan a publish: what it would change, what it would lose, what stops it. Changes nothing."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from engine.access.preview import Preview, preview_definitions
from engine.context import SYSTEM, context_of
from engine.errors import BadValue, Conflict
from engine.publish.compare import Changes, compare
from engine.publish.running import running_of
from engine.publish.steps import Step, steps
from engine.snapshot import Snapshot
from engine.store import system
from engine.store.database import Connection
from engine.store.failures import is_schema_changed
from engine.tenants import Tenant
from metadata import codec, package
from metadata.model import Definitions, Field, Loaded
from metadata.problem import Problem

__all__ = ["Plan", "default_of", "draw_up", "installed_files", "plan"]

TRIES = 5
Files = Mapping[str, Mapping[str, str]]  # package -> path -> text


@dataclass(frozen=True, slots=True)
class Plan:
    """What a publish would do. The hash stands for the steps, for what they start from and for what they lead to."""

    steps: tuple[Step, ...]
    hash: str  # "" where the definitions have errors
    base_version: int
    problems: tuple[Problem, ...]  # of the definitions
    definitions: Definitions
    digest: str = ""  # of the definitions
    preview: Preview = field(default_factory=Preview)  # who would gain or lose records
    running: tuple[tuple[str, int], ...] = ()  # approvals that change -> instances that run: they stay as they began

    @property
    def is_empty(self) -> bool:
        return not self.steps

    @property
    def loses(self) -> int:
        """Values and rows that would be lost."""
        return sum(step.loses for step in self.steps)

    @property
    def stops(self) -> bool:
        """Whether rows are in the way."""
        return any(step.breaks for step in self.steps)

    @property
    def has_errors(self) -> bool:
        return any(problem.level == "error" for problem in self.problems)


def plan(tenant: Tenant, source: Sequence[Path] | Loaded) -> Plan:
    """`source`: packages, as folders or zip files, that come over the installed ones; or all that shall be defined."""
    for _ in range(TRIES):
        try:
            return draw_up_once(tenant, source)
        except Exception as error:  # another publish took away what was being counted: look again
            if not is_schema_changed(error):
                raise
    raise Conflict("others publish all the time", code="publish.changed", fix="plan again")


def draw_up_once(tenant: Tenant, source: Sequence[Path] | Loaded) -> Plan:
    snapshot = tenant.snapshot()
    with nullcontext() if snapshot.version == 0 else tenant.database.read() as connection:
        files = installed_files(connection, snapshot.version) if connection else {}
        loaded = source if isinstance(source, Loaded) else load(tenant, source, files)
        if loaded.has_errors:
            return Plan((), "", snapshot.version, loaded.problems, loaded.definitions)
        return draw_up(tenant, connection, snapshot, loaded, files, codec.digest(loaded.definitions))[0]


def load(tenant: Tenant, paths: Sequence[Path], installed: Files) -> Loaded:
    plugins = tenant.plugins
    return package.load(paths, plugins.kinds(), plugins.functions, plugins.parts(), installed=installed)


def draw_up(
    tenant: Tenant, connection: Connection | None, snapshot: Snapshot, loaded: Loaded, installed: Files, digest: str
) -> tuple[Plan, Changes]:
    """`connection` is None where nothing is stored yet; `installed` are the stored texts of the running version."""
    new = loaded.definitions
    other_files = [name for name, one in new.packages.items() if dict(one.files) != dict(installed.get(name, {}))]
    changes = compare(snapshot.definitions, new, other_files)

    def has_default(field: Field) -> bool:
        return field.default is not None and default_of(tenant, snapshot, field, datetime.now(UTC)) is not None

    found = tuple(steps(connection, snapshot, changes, has_default))
    preview = Preview()
    if found and connection is not None:  # the one of the publish, which may have made tables just now
        preview = preview_definitions(context_of(tenant, SYSTEM, datetime.now(UTC), snapshot), connection, new)
    running: tuple[tuple[str, int], ...] = ()
    if found and connection is not None:
        changed = [note.what.removeprefix("approval ") for note in changes.others if note.what.startswith("approval ")]
        running = running_of(connection, changed)
    # How many records it is changes with each that is written; on whom it falls does not.
    falls_on = sorted(
        (one.people[0][0], one.object, one.action, one.gained > 0, one.lost > 0) for one in preview.effects
    )
    parts = [snapshot.version, [list(astuple(step)) for step in found], digest, *([falls_on] if falls_on else ())]
    mark = hashlib.sha256(orjson.dumps(parts)).hexdigest()[:16] if found else ""
    return Plan(found, mark, snapshot.version, loaded.problems, new, digest, preview, running), changes


def default_of(tenant: Tenant, snapshot: Snapshot, field: Field, now: datetime) -> Any:
    """The stored value of a field's default; None for a word that means nothing without a person, such as `user`."""
    kind = tenant.plugins.fields[field.type]
    if isinstance(field.default, str) and field.default in kind.default_words:
        value = kind.default_words[field.default](context_of(tenant, SYSTEM, now, snapshot))
        return None if value in (None, "") else value
    try:
        return kind.parser(field)(field.default)
    except BadValue:
        return None


def installed_files(connection: Connection, version: int) -> dict[str, dict[str, str]]:
    """The texts of the packages of a version."""
    own, other = system.package, system.package.alias()
    wanted = (
        sa.select(own.c.package, other.c.files)
        .join(other, sa.and_(other.c.package == own.c.package, other.c.version == own.c.files_of))
        .where(own.c.version == version)
    )
    return {name: orjson.loads(zlib.decompress(files)) for name, files in connection.sa.execute(wanted)}

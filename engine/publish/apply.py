"""Carry out a plan: tables, rows and definitions in one transaction, or nothing at all."""

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa

from engine.audit.log import note, note_rewritten
from engine.context import SYSTEM, Actor, Origin, context_of
from engine.errors import BadInput, Busy, Conflict, InputProblem
from engine.people.role_records import take_over
from engine.process.events import metadata_published
from engine.publish.carry_out import Migration
from engine.publish.plan import Plan, default_of, draw_up, installed_files, plan
from engine.publish.steps import Step
from engine.rules.single import make_missing
from engine.snapshot import Snapshot, pack
from engine.store import system
from engine.store.database import Connection
from engine.store.names import Names
from engine.tenants import Tenant, current_version
from metadata.model import Definitions, Loaded

__all__ = ["apply", "ensure"]

LOCK_TIMEOUT_S = 5
COMPRESSION = 6


def apply(tenant: Tenant, plan: Plan, by: str | None, now: datetime) -> int:
    """Publish a plan and return the new version, or the old one where the plan is empty. `by`: a user's id.

    Raises BadInput for a plan with errors or with rows in its way, Conflict where anything has changed since it was
    drawn up, Busy where others hold the tables. Each of them changes nothing.
    """
    refuse_errors(plan)
    with tenant.database.write() as connection:
        lock(connection, tenant)
        try:
            version = carry_out(tenant, connection, plan, by, now)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            raise Busy("others hold the tables that the publish changes", fix="try again") from error
        except sa.exc.OperationalError as error:
            if isinstance(error.orig, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
                raise Busy("others hold the tables that the publish changes", fix="try again") from error
            raise
    return version


def ensure(tenant: Tenant, now: datetime) -> int:
    """Make what a database needs: system tables as this release wants them, and the system package.

    Returns the version that runs.
    """
    version = tenant.version()
    if version:
        bring_up_to_date(tenant)
        return version
    try:
        return apply(tenant, plan(tenant, []), None, now)
    except Conflict:  # another process was faster
        return tenant.version()


def bring_up_to_date(tenant: Tenant) -> None:
    """The engine's own tables, where an older release made them."""
    with tenant.database.read() as connection:
        if system.is_current(connection):
            return
    with tenant.database.write() as connection:
        lock(connection, tenant)


def refuse_errors(plan: Plan) -> None:
    if plan.has_errors:
        found = [p for p in plan.problems if p.level == "error"]
        raise BadInput(
            f"the definitions have {len(found)} errors" if len(found) > 1 else "the definitions have an error",
            code="publish.errors",
            fix="see `fieldstone check`",
            problems=[InputProblem(f"{p.place.file}:{p.place.line}", p.code, p.message, p.fix) for p in found],
        )


def lock(connection: Connection, tenant: Tenant) -> None:
    """One publish at a time. On SQLite the transaction itself sees to it."""
    connection.be_patient()
    if connection.dialect == "postgresql":
        connection.run(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
        connection.run(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"fieldstone {tenant.database.schema}",)
        )
    system.ensure(connection, tenant.database.schema)


def carry_out(tenant: Tenant, connection: Connection, wanted: Plan, by: str | None, now: datetime) -> int:
    snapshot = tenant.at(current_version(connection))
    files = installed_files(connection, snapshot.version)
    loaded = Loaded(wanted.definitions, wanted.problems)
    actual, changes = draw_up(tenant, connection if snapshot.version else None, snapshot, loaded, files, wanted.digest)
    if actual.base_version != wanted.base_version or actual.hash != wanted.hash:
        raise Conflict(
            f"changed since this plan: it starts from version {wanted.base_version}, {snapshot.version} runs"
            if actual.base_version != wanted.base_version
            else "changed since this plan: its steps, or the rows that they concern, are not the same any more",
            code="publish.changed",
            fix="plan again",
        )
    if actual.is_empty:
        return snapshot.version
    refuse_stops(actual)
    version = snapshot.version + 1

    def default(field: Any) -> Any:
        return default_of(tenant, snapshot, field, now)

    migration = Migration(connection, snapshot, wanted.definitions, changes, default, lambda: tenant.secrets)
    try:
        names = migration.run(version)
        new = Snapshot(version, wanted.definitions, migration.physical, tenant.plugins, connection.dialect)
        ctx = context_of(tenant, SYSTEM, now, new)
        make_missing(ctx, connection)
        take_over(ctx, connection)
    except sa.exc.IntegrityError as error:
        raise Conflict(f"a rule of the new version does not hold: {error.orig}", code="publish.rows") from error
    write_version(connection, actual, version, names, by, now)
    write_packages(connection, wanted.definitions, files, snapshot, version)
    note_reveals(connection, snapshot.definitions, wanted.definitions, by, now)
    connection.sa.execute(sa.update(system.state).values(version=version))
    actor, origin = Actor(by or "", "", is_system=not by), Origin(tenant.channel)
    details = {"version": version, "hash": actual.hash, "steps": len(actual.steps)}
    note(connection, "definitions.publish", actor=actor, origin=origin, now=now, details=details)
    metadata_published(ctx, connection, {name: one.version for name, one in wanted.definitions.packages.items()},
                       len(actual.steps))  # fmt: skip
    rewritten = migration.rewritten
    note_rewritten(connection, rewritten, actor=actor, origin=origin, now=now, reason="definitions.publish")
    return version


def note_reveals(connection: Connection, old: Definitions, new: Definitions, by: str | None, now: datetime) -> None:
    """Fields that from this version on show what they are worked out from to people who may not see that."""
    before, after = revealing(old), revealing(new)
    actor = Actor(by, "") if by else SYSTEM
    for object_name, field in sorted(after - before):
        note(
            connection, "publish.reveals", actor=actor, origin=Origin(), now=now, object_name=object_name,
            details={"field": field},
        )  # fmt: skip


def revealing(definitions: Definitions) -> set[tuple[str, str]]:
    return {
        (name, field.name)
        for name, definition in definitions.objects.items() for field in definition.fields.values() if field.reveals
    }  # fmt: skip


def refuse_stops(plan: Plan) -> None:
    if plan.stops:
        problems = [InputProblem(s.what, "publish.rows", text) for s in plan.steps for text in s.stops]
        count = sum(step.breaks for step in plan.steps)
        raise BadInput(
            f"{count} rows stop this publish" if count > 1 else "a row stops this publish",
            code="publish.rows",
            fix="change these records, or the definition, and plan again",
            problems=problems,
        )


def write_version(
    connection: Connection, plan: Plan, version: int, names: Names, by: str | None, now: datetime
) -> None:
    row = {
        "number": version, "hash": plan.hash, "at": now, "by": by, "note": None,
        "plan": orjson.dumps([plain(step) for step in plan.steps]).decode(),
        "definitions": pack(plan.definitions, names),
    }  # fmt: skip
    connection.sa.execute(sa.insert(system.version).values(row))


def write_packages(
    connection: Connection, new: Definitions, stored: Mapping[str, Mapping[str, str]], old: Snapshot, version: int
) -> None:
    """Texts that are as before stay where they are."""
    c = system.package.c
    found = connection.sa.execute(sa.select(c.package, c.files_of).where(c.version == old.version))
    kept_in: dict[str, int] = dict(found.all())
    rows = []
    for name, package in new.packages.items():
        is_same = name in kept_in and dict(package.files) == dict(stored.get(name, {}))
        files = None if is_same else zlib.compress(orjson.dumps(dict(package.files)), COMPRESSION)
        rows.append(
            {"version": version, "package": name, "package_version": package.version, "files": files,
             "files_of": kept_in[name] if is_same else version}
        )  # fmt: skip
    if rows:
        connection.sa.execute(sa.insert(system.package), rows)


def plain(step: Step) -> dict[str, Any]:
    return {"sign": step.sign, "what": step.what, "detail": step.detail, "loses": step.loses}

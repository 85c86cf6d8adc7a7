"""A tenant on which tests publish packages written in the test, with records put straight into its tables."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.publish import Plan, apply, plan
from engine.registry import Plugins
from engine.store.database import new_id
from engine.tenants import Tenant, load_plugins, open_tenant

NOW = datetime(2026, 11, 22, 2, 15, 0, 123000, tzinfo=UTC)
MANIFEST = "package: p\nversion: 1.0.0\nlabel: P\n"


@cache
def plugins() -> Plugins:
    return load_plugins()


class Stage:
    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder / "p"
        self.tenant: Tenant = open_tenant(url, folder, plugins=plugins())

    def write(self, definitions: str) -> Path:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "package.yaml").write_text(MANIFEST, encoding="utf-8")
        (self.folder / "all.yaml").write_text(definitions, encoding="utf-8")
        return self.folder

    def plan(self, definitions: str) -> Plan:
        drawn = plan(self.tenant, [self.write(definitions)])
        assert not drawn.has_errors, "\n".join(map(str, drawn.problems))
        return drawn

    def publish(self, definitions: str) -> list[str]:
        """The steps as text. A plan of the same definitions has none afterwards."""
        drawn = self.plan(definitions)
        apply(self.tenant, drawn, None, NOW)
        assert self.plan(definitions).steps == ()
        return [str(step) for step in drawn.steps]

    def insert(self, object_name: str, *records: Mapping[str, Any]) -> list[str]:
        table = self.tenant.snapshot().physical.table(object_name)
        ids = []
        with self.tenant.database.write() as connection:
            for values in records:
                system = {"id": new_id(NOW), "created_at": NOW, "modified_at": NOW, "version": 1}
                row = {table.c[name]: value for name, value in {**system, **values}.items()}
                connection.sa.execute(sa.insert(table).values(row))
                ids.append(str(row[table.c["id"]]))
        return ids

    def values(self, object_name: str, *fields: str) -> list[Any]:
        """Of all records in order of their ids, the trash included; single values for a single field."""
        table = self.tenant.snapshot().physical.table(object_name)
        with self.tenant.database.read() as connection:
            wanted = sa.select(*(table.c[name] for name in fields)).order_by(table.c["id"])
            rows = [tuple(row) for row in connection.sa.execute(wanted)]
        return [row[0] for row in rows] if len(fields) == 1 else rows

    def tables(self) -> set[str]:
        """As they are in the database, without the engine's own."""
        with self.tenant.database.read() as connection:
            if connection.dialect == "sqlite":
                found = connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
            else:
                found = connection.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return {name for (name,) in found if not name.startswith("fs_")}

    def columns(self, table: str) -> list[str]:
        with self.tenant.database.read() as connection:
            return [column["name"] for column in sa.inspect(connection.sa).get_columns(table)]

    def indexes(self, table: str) -> dict[tuple[str, ...], bool]:
        """Columns -> whether unique."""
        with self.tenant.database.read() as connection:
            found = sa.inspect(connection.sa).get_indexes(table)
        return {tuple(map(str, index["column_names"])): bool(index["unique"]) for index in found}

    def references(self, table: str) -> dict[str, str]:
        """Column -> table that it refers to."""
        with self.tenant.database.read() as connection:
            found = sa.inspect(connection.sa).get_foreign_keys(table)
        return {key["constrained_columns"][0]: key["referred_table"] for key in found}

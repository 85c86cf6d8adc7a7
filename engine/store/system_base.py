"""How tables of the engine's own are declared: see engine/store/system.py."""

import sqlalchemy as sa

__all__ = ["TABLES", "column", "key", "table"]

TABLES = sa.MetaData()


def table(name: str, *parts: sa.schema.SchemaItem, has_rowid: bool = True) -> sa.Table:
    return sa.Table(name, TABLES, *parts, sqlite_with_rowid=has_rowid)


def column(name: str, type_: type[sa.types.TypeEngine[object]], *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, type_, nullable=nullable)


def key(name: str, type_: type[sa.types.TypeEngine[object]]) -> sa.Column[object]:
    return sa.Column(name, type_, primary_key=True, autoincrement=False)

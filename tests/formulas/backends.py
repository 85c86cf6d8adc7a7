"""One formula on all back ends: Python, SQLite, PostgreSQL and JavaScript, over the same records."""

import datetime as dt
import json
import subprocess
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from engine.contracts.function import Here
from engine.formula.evaluate import evaluator
from engine.formula.exact import text_of
from engine.formula.js import module
from engine.formula.literals import lift
from engine.formula.sql import Formula
from engine.formula.sqlite import sqlite_functions
from engine.store import types
from engine.store.database import Database
from metadata.formula import Node, definition_names, parse
from metadata.model import Choice, Field, Object, ValueType
from tests.fields.cases import PLUGINS

FUNCTIONS = PLUGINS.functions
RUNTIME = Path(__file__).parents[2] / "ui/frontend/src/formula.js"
NOW = dt.datetime(2026, 11, 21, 23, 15, 0, 123_000, dt.UTC)  # the 22nd in Shanghai
ROLES = ["sales"]
HERE = Here(NOW, ZoneInfo("Asia/Shanghai"), "0199aaaa-0000-7000-8000-000000000001", "lin", frozenset(ROLES))

COLUMNS: Mapping[str, types.StoredType] = {
    "count": types.Integer(), "amount": types.Decimal(18, 2), "rate": types.Decimal(15, 6), "name": types.Text(),
    "note": types.Text(), "stage": types.Text(), "due": types.Date(), "start": types.Date(), "at": types.DateTime(),
    "is_hot": types.Boolean(), "opens": types.Time(), "tags": types.TextList(),
}  # fmt: skip
KINDS: Mapping[str, ValueType] = {
    "count": "number", "amount": "number", "rate": "number", "name": "text", "note": "text", "stage": "choice",
    "due": "date", "start": "date", "at": "datetime", "is_hot": "boolean", "opens": "time", "tags": "choices",
}  # fmt: skip
CHOICES = (Choice("new", {}), Choice("won", {}), Choice("lost", {}))
FIELDS = {
    name: Field(name, kind, {}, value=kind, choices=CHOICES if kind in ("choice", "choices") else ())
    for name, kind in KINDS.items()
}
NAMES = definition_names({"deal": Object("deal", {}, {}, FIELDS, "name")}, "deal")
TABLE = sa.Table(
    "deal", sa.MetaData(), sa.Column("id", sa.Integer()), *(sa.Column(name, kind) for name, kind in COLUMNS.items())
)
Record = Mapping[str, Any]


def read(text: str, *, has_prior: bool = False) -> Node:
    return parse(text, NAMES, functions=FUNCTIONS, wants=None, has_prior=has_prior)


def plain(value: Any) -> Any:
    """A result in one form for all: numbers as texts."""
    match value:
        case None | "" | []:
            return None
        case bool():
            return value
        case int() | Decimal():
            return text_of(value)
        case dt.datetime():
            return types.utc_text(value)
        case dt.date() | dt.time():
            return value.isoformat()
    return value


def in_python(nodes: Sequence[Node], records: Sequence[Record]) -> list[list[Any]]:
    made = [evaluator(node, FUNCTIONS) for node in nodes]
    return [[plain(one(HERE, record, None)) for one in made] for record in records]


def opened(url: str) -> Database:
    database = Database.open(url)
    database.functions |= sqlite_functions(FUNCTIONS)
    return database


def fill(database: Database, records: Sequence[Record]) -> None:
    with database.write() as connection:
        connection.sa.execute(sa.schema.CreateTable(TABLE, if_not_exists=True))
        connection.sa.execute(TABLE.delete())
        for index, record in enumerate(records):
            connection.sa.execute(TABLE.insert().values(id=index, **record))


def in_database(database: Database, nodes: Sequence[Node]) -> list[list[Any]]:
    """Of the records that `fill` put there."""
    columns: list[Any] = []
    for node in nodes:
        lifted = lift(node, lambda path: COLUMNS[path.steps[0]], database.dialect)
        formula = Formula(database.dialect, FUNCTIONS, lambda names: TABLE.c[names[0]], lifted.values)
        columns.append(formula.exact(lifted.node) if lifted.node.type == "number" else formula.value(lifted.node))
    values = {
        "_now": NOW, "_today": HERE.today, "_zone": HERE.zone.key, "_actor_id": HERE.user_id,
        "_actor_username": HERE.username, "_roles": ROLES,
    }  # fmt: skip
    named = [column.label(f"c{index}") for index, column in enumerate(columns)]
    statement = sa.select(*named).select_from(TABLE).order_by(TABLE.c.id)
    with database.read() as connection:
        rows = connection.sa.execute(statement, values).all()
    return [
        [
            plain(value if node.type != "boolean" or value is None else bool(value))
            for node, value in zip(nodes, row, strict=True)
        ]
        for row in rows
    ]


def in_node(nodes: Sequence[Node], records: Sequence[Record], folder: Path) -> list[list[Any]]:
    formulas = {str(index): node for index, node in enumerate(nodes)}
    here = {
        "now": plain(NOW), "today": plain(HERE.today), "zone": HERE.zone.key, "userId": HERE.user_id,
        "username": HERE.username, "roles": ROLES,
    }  # fmt: skip
    rows = [{name: plain(value) for name, value in record.items()} for record in records]
    call = f"""
const here = {json.dumps(here)};
const rows = {json.dumps(rows)};
const all = Object.values(formulas);
console.log(JSON.stringify(rows.map((row) => all.map((one) => one(here, row)))));
"""
    file = folder / "formulas.mjs"
    # The front end has no package.json of type "module" above it, so Node wants the ending to say so.
    runtime = folder / "formula.mjs"
    runtime.write_text(RUNTIME.read_text(encoding="utf-8"), encoding="utf-8")
    file.write_text(module(formulas, FUNCTIONS, "./formula.mjs") + call, encoding="utf-8")
    done = subprocess.run(["node", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: list[list[Any]] = json.loads(done.stdout)
    return found

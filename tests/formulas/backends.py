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
DEPARTMENTS = ["0199dddd-0000-7000-8000-000000000002", "0199dddd-0000-7000-8000-000000000001"]
HERE = Here(
    NOW, ZoneInfo("Asia/Shanghai"), "0199aaaa-0000-7000-8000-000000000001", "lin", frozenset(ROLES),
    frozenset(DEPARTMENTS), 1,
)  # fmt: skip

COLUMNS: Mapping[str, types.StoredType] = {
    "count": types.Integer(), "amount": types.Decimal(18, 2), "rate": types.Decimal(15, 6), "name": types.Text(),
    "note": types.Text(), "stage": types.Text(), "due": types.Date(), "start": types.Date(), "at": types.DateTime(),
    "is_hot": types.Boolean(), "opens": types.Time(), "tags": types.TextList(), "home": types.Json(),
    "shop": types.Json(), "depot": types.Json(),
}  # fmt: skip
KINDS: Mapping[str, ValueType] = {
    "count": "number", "amount": "number", "rate": "number", "name": "text", "note": "text", "stage": "choice",
    "due": "date", "start": "date", "at": "datetime", "is_hot": "boolean", "opens": "time", "tags": "choices",
    "home": "json", "shop": "json", "depot": "json",
}  # fmt: skip
LINE_COLUMNS: Mapping[str, types.StoredType] = {
    "quantity": types.Integer(), "price": types.Decimal(18, 2), "label": types.Text(), "day": types.Date(),
    "is_free": types.Boolean(), "place": types.Id(),
}  # fmt: skip
CHOICES = (Choice("new", {}), Choice("won", {}), Choice("lost", {}))
PLACES: Mapping[str, types.JsonText] = {
    "home": types.JsonText.of({"city": "上海市", "street": "世纪大道1号"}),
    "shop": types.JsonText.of({"latitude": 31.23, "longitude": 121.47}),
    "depot": types.JsonText.of({"latitude": 39.9, "longitude": 116.4}),
}  # of the records that examples are about
Record = Mapping[str, Any]


def field(name: str, kind: ValueType, **more: Any) -> Field:
    return Field(name, kind, {}, value=kind, choices=CHOICES if kind in ("choice", "choices") else (), **more)


def thing(name: str, *fields: Field, **more: Any) -> Object:
    return Object(name, {}, {}, {one.name: one for one in fields}, "name", **more)


LINES = field("lines", "lines", source="lines", of="line", by="deal")
REGION = field("region", "reference", target="place")
OBJECTS = {
    "deal": thing("deal", *(field(name, kind) for name, kind in KINDS.items()), LINES, REGION),
    "line": thing(
        "line", field("deal", "reference", target="deal", is_master=True), field("quantity", "number"),
        field("price", "number"), field("label", "text"), field("day", "date"), field("is_free", "boolean"),
        field("place", "reference", target="place"), kind="child",
    ),
    "place": thing("place", field("name", "text"), field("within", "reference", target="place"), tree="within"),
    "house": thing("house", field("factor", "number"), field("motto", "text"), field("day", "date"), kind="single"),
}  # fmt: skip
NAMES = definition_names(OBJECTS, "deal")

# Records are numbered here, places have ids.
EVERYWHERE = sa.MetaData()
TABLE = sa.Table(
    "deal", EVERYWHERE, sa.Column("id", sa.Integer()), *(sa.Column(name, kind) for name, kind in COLUMNS.items()),
    sa.Column("region", types.Id()),
)  # fmt: skip
LINE = sa.Table(
    "line", EVERYWHERE, sa.Column("deal", sa.Integer()), sa.Column("deleted_at", types.DateTime()),
    *(sa.Column(name, kind) for name, kind in LINE_COLUMNS.items()),
)  # fmt: skip
PLACE = sa.Table(
    "place", EVERYWHERE, sa.Column("id", types.Id()), sa.Column("within", types.Id()),
    sa.Column("deleted_at", types.DateTime()),
)  # fmt: skip
HOUSE = sa.Table(
    "house", EVERYWHERE, sa.Column("factor", types.Decimal(18, 2)), sa.Column("motto", types.Text()),
    sa.Column("day", types.Date()),
)  # fmt: skip
SETTINGS: Record = {"factor": Decimal("7.50"), "motto": "华东 a", "day": dt.date(2026, 11, 22)}


def place(number: int) -> str:
    return f"0199aaaa-0000-7000-8000-00000000000{number}"


# 1 > 2 > 3; 4 is deleted, 5 within it; 6 and 7 are within each other.
WITHIN = {place(1): None, place(2): place(1), place(3): place(2), place(4): place(1), place(5): place(4),
          place(6): place(7), place(7): place(6)}  # fmt: skip
GONE = place(4)


def upwards(start: str | None) -> tuple[str, ...]:
    """A place and all above it. Nothing is known above one that is deleted."""
    found: list[str] = []
    while start is not None and start not in found:
        found.append(start)
        start = None if start == GONE else WITHIN.get(start)
    return tuple(found)


def whole(record: Record) -> dict[str, Any]:
    """With all that a formula may read besides fields."""
    lines = [{**line, "place^": upwards(line["place"])} for line in record.get("lines") or ()]
    settings = {f"config.house.{name}": value for name, value in SETTINGS.items()}
    return {**record, **settings, "lines": lines, "region": record.get("region"),
            "region^": upwards(record.get("region"))}  # fmt: skip


def read(text: str, *, has_prior: bool = False) -> Node:
    return parse(text, NAMES, functions=FUNCTIONS, wants=None, has_prior=has_prior)


class LineRows:
    """Lines of deals, as a statement of its own."""

    def __init__(self) -> None:
        self.source = LINE.alias()
        self.where = (self.source.c.deleted_at.is_(None),)

    def column(self, steps: tuple[str, ...]) -> Any:
        return self.source.c[steps[0]]


class Others:
    def config(self, object_name: str, field_name: str) -> Any:
        return sa.select(HOUSE.c[field_name]).scalar_subquery()

    def lines(self, object_name: str) -> LineRows:
        return LineRows()

    def tree(self, object_name: str) -> sa.FromClause:
        return PLACE.alias()


def plain(value: Any) -> Any:
    """A result in one form for all: numbers as texts."""
    match value:
        case None | "" | []:
            return None
        case tuple():
            return list(value)
        case bool():
            return value
        case int() | Decimal():
            return text_of(value)
        case dt.datetime():
            return types.utc_text(value)
        case dt.date() | dt.time():
            return value.isoformat()
    return value


def in_python(nodes: Sequence[Node], records: Sequence[Record], here: Here = HERE) -> list[list[Any]]:
    made = [evaluator(node, FUNCTIONS) for node in nodes]
    return [[plain(one(here, record, None)) for one in made] for record in map(whole, records)]


def opened(url: str) -> Database:
    database = Database.open(url)
    database.functions |= sqlite_functions(FUNCTIONS)
    return database


def fill(database: Database, records: Sequence[Record]) -> None:
    with database.write() as connection:
        for table in EVERYWHERE.tables.values():
            connection.sa.execute(sa.schema.CreateTable(table, if_not_exists=True))
            connection.sa.execute(table.delete())
        connection.sa.execute(HOUSE.insert().values(SETTINGS))
        for name, within in WITHIN.items():
            connection.sa.execute(
                PLACE.insert().values(id=name, within=within, deleted_at=NOW if name == GONE else None)
            )
        for index, record in enumerate(records):
            own = {name: value for name, value in record.items() if name != "lines"}
            connection.sa.execute(TABLE.insert().values(id=index, **own))
            for line in record.get("lines") or ():
                connection.sa.execute(LINE.insert().values(deal=index, **line))
            gone = {"quantity": 1000, "price": Decimal("9.99"), "label": "gone", "deleted_at": NOW}
            connection.sa.execute(LINE.insert().values(deal=index, **gone))


def of_lines(object_name: str) -> Any:
    return lambda path: LINE.c[path.steps[0]].type


def in_database(database: Database, nodes: Sequence[Node], here: Here = HERE) -> list[list[Any]]:
    """Of the records that `fill` put there."""
    columns: list[Any] = []
    for node in nodes:
        formula, lifted = made(database, node)
        columns.append(formula.exact(lifted) if lifted.type == "number" else formula.value(lifted))
    named = [column.label(f"c{index}") for index, column in enumerate(columns)]
    statement = sa.select(*named).select_from(TABLE).order_by(TABLE.c.id)
    with database.read() as connection:
        rows = connection.sa.execute(statement, bound(here)).all()
    return [
        [
            plain(value if node.type != "boolean" or value is None else bool(value))
            for node, value in zip(nodes, row, strict=True)
        ]
        for row in rows
    ]


def rows_of(database: Database, node: Node, here: Here = HERE) -> list[int]:
    """The records that a filter lets through."""
    formula, lifted = made(database, node)
    statement = sa.select(TABLE.c.id).where(formula.where(lifted)).order_by(TABLE.c.id)
    with database.read() as connection:
        return list(connection.sa.execute(statement, bound(here)).scalars())


def made(database: Database, node: Node) -> tuple[Formula, Node]:
    lifted = lift(node, lambda path: TABLE.c[path.steps[0]].type, database.dialect, of_lines)
    formula = Formula(database.dialect, FUNCTIONS, lambda names: TABLE.c[names[0]], lifted.values, Others())
    return formula, lifted.node


def bound(here: Here) -> dict[str, Any]:
    return {
        "_now": NOW, "_today": here.today, "_zone": here.zone.key, "_actor_id": here.user_id,
        "_actor_username": here.username, "_roles": ROLES, "_departments": DEPARTMENTS,
        "_fiscal_start": here.fiscal_start,
    }  # fmt: skip


def outside(record: Record) -> dict[str, Any]:
    """As the browser has it."""
    found = {name: plain(value) for name, value in record.items() if name != "lines"}
    return found | ({"lines": [outside(line) for line in record["lines"]]} if "lines" in record else {})


def in_node(nodes: Sequence[Node], records: Sequence[Record], folder: Path, person: Here = HERE) -> list[list[Any]]:
    formulas = {str(index): node for index, node in enumerate(nodes)}
    here = {
        "now": plain(NOW), "today": plain(person.today), "zone": person.zone.key, "userId": person.user_id,
        "username": person.username, "roles": ROLES, "departments": DEPARTMENTS, "fiscalStart": person.fiscal_start,
    }  # fmt: skip
    rows = [outside(whole(record)) for record in records]
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

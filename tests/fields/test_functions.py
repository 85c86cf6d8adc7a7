"""Do functions give what their examples say, on both databases?"""

import ast
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from engine.contracts.function import Function
from engine.sdk import Boolean, Date, DateTime, Integer, Text
from engine.sdk import Decimal as DecimalColumn
from engine.store.database import Database
from tests.fields.cases import PLUGINS

TYPES = {"text": Text(), "boolean": Boolean(), "date": Date(), "datetime": DateTime(), "number": Integer()}
NOW = datetime(2026, 11, 21, 23, 15, 0, 123_000, UTC)  # the 22nd in Shanghai
EXAMPLES = [
    pytest.param(function, text, wanted, id=text)
    for function in PLUGINS.functions.values()
    for text, wanted in function.examples
]


def context_of(database: Database) -> Any:
    return SimpleNamespace(dialect=database.dialect, now=NOW, today=date(2026, 11, 22), actor_id="")


def expression(context: Any, node: ast.expr, wanted: str = "text") -> Any:
    """The few shapes that examples have, without the formula compiler: a fault of it is not one of the function."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=args):
            function = PLUGINS.functions[name]
            takes = [kind if kind in TYPES else "text" for kind in function.takes]
            return function.sql(context, [expression(context, a, t) for a, t in zip(args, takes, strict=True)])
        case ast.Name(id="null"):
            return sa.literal(None, TYPES[wanted])
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=value)):
            return sa.literal(-value, Integer())
        case ast.Constant(value=value):
            return sa.literal(value, Text() if isinstance(value, str) else Integer())
    raise AssertionError(ast.dump(node))


def result(database: Database, sql: Any) -> object:
    with database.read() as connection:
        return connection.sa.scalar(sa.select(sql))


def shown(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize(("function", "text", "wanted"), EXAMPLES)
def test_an_example_is_true_on_the_database(database: Database, function: Function, text: str, wanted: object) -> None:
    sql = expression(context_of(database), ast.parse(text, mode="eval").body)
    found = result(database, sql)
    assert shown(found if function.returns != "boolean" or found is None else bool(found)) == wanted


@pytest.mark.parametrize("function", PLUGINS.functions.values(), ids=lambda f: f.name)
def test_a_function_has_a_sentence_and_an_example(function: Function) -> None:
    assert function.name.isupper()
    assert function.doc.endswith(".")
    assert function.examples


@pytest.mark.parametrize(
    "function", [f for f in PLUGINS.functions.values() if f.returns == "boolean"], ids=lambda f: f.name
)
def test_a_boolean_function_of_blanks_is_never_null(database: Database, function: Function) -> None:
    blanks = [sa.literal(None, Text()) for _ in function.takes]
    assert result(database, function.sql(context_of(database), blanks)) is not None


def test_days_of_a_decimal_column_are_whole_days_on_both(database: Database) -> None:
    table = sa.Table("moved", sa.MetaData(), sa.Column("days", DecimalColumn(9, 2)), sa.Column("on", Date()))
    add_days = PLUGINS.functions["ADDDAYS"].sql(context_of(database), [table.c.on, table.c.days])
    with database.write() as connection:
        connection.sa.execute(sa.schema.CreateTable(table))
        rows = [{"days": Decimal("1.99"), "on": date(2026, 1, 31)}, {"days": Decimal("-1.99"), "on": date(2026, 3, 1)}]
        connection.sa.execute(table.insert(), rows)
        found = connection.sa.scalars(sa.select(add_days).order_by(table.c.days)).all()
        connection.sa.execute(sa.schema.DropTable(table))
    assert found == [date(2026, 2, 28), date(2026, 2, 1)]

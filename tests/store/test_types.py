"""Every column type keeps its values on both databases, and gives the same JSON on both."""

import datetime as dt
import decimal
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from engine.store.database import Database, compile_sql
from engine.store.types import Boolean, Date, DateTime, Decimal, Id, Integer, StoredType, Text, TextList, Time, is_id

D = decimal.Decimal
SHANGHAI = dt.timezone(dt.timedelta(hours=8))
VALUES: list[tuple[StoredType, Any, bytes]] = [
    (Text(), "a 'b' \"c\" 中文 %s ? :x", '"a \'b\' \\"c\\" 中文 %s ? :x"'.encode()),
    (Integer(), 9223372036854775807, b"9223372036854775807"),
    (Integer(), -1, b"-1"),
    (Decimal(18, 2), D("0.10"), b"0.1"),
    (Decimal(18, 2), D("-1234.50"), b"-1234.5"),
    (Decimal(18, 2), D("12345678901234.56"), b"12345678901234.56"),
    (Decimal(18, 2), D("1234567890123456.78"), b"1234567890123456.78"),
    (Decimal(18, 0), D("999999999999999999"), b"999999999999999999"),
    (Decimal(18, 18), D("-0.000000000000000001"), b"-1e-18"),
    (Decimal(9, 3), D("1.000"), b"1.0"),
    (Boolean(), True, b"true"),
    (Boolean(), False, b"false"),
    (Date(), dt.date(2026, 11, 22), b'"2026-11-22"'),
    (Date(), dt.date(99, 1, 2), b'"0099-01-02"'),
    (DateTime(), dt.datetime(2026, 11, 22, 2, 15, 0, 123000, dt.UTC), b'"2026-11-22T02:15:00.123Z"'),
    (DateTime(), dt.datetime(1960, 1, 1, tzinfo=dt.UTC), b'"1960-01-01T00:00:00.000Z"'),
    (Time(), dt.time(9, 30), b'"09:30:00"'),
    (Id(), "0190a1b2-0000-7000-8000-0000000000ff", b'"0190a1b2-0000-7000-8000-0000000000ff"'),
    (TextList(), ["a", ",", '"', "中"], '["a",",","\\"","中"]'.encode()),
    (TextList(), [], b"[]"),
]


@pytest.fixture
def database(database_url: str) -> Any:
    made = Database.open(database_url)
    yield made
    made.close()


@pytest.mark.parametrize(("kind", "value", "json"), VALUES, ids=repr)
def test_a_value_comes_back_as_it_was_and_as_json(
    database: Database, kind: StoredType, value: Any, json: bytes
) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("v", kind))
    insert = compile_sql(sa.insert(table), database.dialect, ["v"])
    find = compile_sql(sa.select(table.c.v).where(table.c.v == sa.bindparam("v", type_=kind)), database.dialect)
    with database.write() as connection:
        table.create(connection.sa)
        connection.run(insert.sql, insert.bind({"v": value}))
        connection.run(insert.sql, insert.bind({"v": None}))
        ((raw,),) = connection.rows(find.sql, find.bind({"v": value}))
        assert connection.sa.scalars(sa.select(table.c.v).where(table.c.v.is_not(None))).all() == [value]
    load, load_json = kind.loader(database.dialect), kind.json_loader(database.dialect)
    assert (load(raw) if load else raw) == value
    assert orjson.dumps(load_json(raw) if load_json else raw) == json


def test_a_moment_is_cut_to_milliseconds_and_kept_in_utc(database: Database) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("v", DateTime))
    with database.write() as connection:
        table.create(connection.sa)
        there = dt.datetime(2026, 11, 22, 10, 15, 0, 123999, SHANGHAI)
        connection.sa.execute(sa.insert(table).values(v=there))
        assert connection.sa.scalar(sa.select(table.c.v)) == dt.datetime(2026, 11, 22, 2, 15, 0, 123000, dt.UTC)


def test_a_decimal_is_compared_with_a_number_between_two_of_its_own(database: Database) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("v", Decimal(9, 2)))
    with database.write() as connection:
        table.create(connection.sa)
        connection.sa.execute(sa.insert(table), [{"v": D("1.00")}, {"v": D("1.01")}])
        assert connection.sa.scalars(sa.select(table.c.v).where(table.c.v > D("1.005"))).all() == [D("1.01")]


def test_text_is_sorted_by_code_points_and_told_apart_by_case(database: Database) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("v", Text))
    with database.write() as connection:
        table.create(connection.sa)
        connection.sa.execute(sa.insert(table), [{"v": v} for v in ("b", "B", "ä", "a", "中")])
        assert connection.sa.scalars(sa.select(table.c.v).order_by(table.c.v)).all() == ["B", "a", "b", "ä", "中"]
        assert connection.sa.scalars(sa.select(table.c.v).where(table.c.v == "B")).all() == ["B"]


def test_an_element_is_found_in_a_list_only_where_it_is_one(database: Database) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("v", TextList))
    find = sa.func.instr if database.dialect == "sqlite" else sa.func.strpos
    with database.write() as connection:
        table.create(connection.sa)
        connection.sa.execute(sa.insert(table), [{"v": ["a", "b"]}, {"v": [","]}, {"v": ['x"a"']}])
        for element, count in {"a": 1, ",": 1, "b": 1, "x": 0, 'x"a"': 1, ",\n": 0}.items():
            found = find(sa.type_coerce(table.c.v, sa.Text), TextList.element(element)) > 0
            assert connection.sa.scalar(sa.select(sa.func.count()).where(found)) == count, element


def test_more_digits_than_fit_are_refused_when_the_column_is_made() -> None:
    with pytest.raises(ValueError, match="1-18 digits, not 19 with 2"):
        Decimal(19, 2)


@pytest.mark.parametrize(
    "text", ["", "x", "0190A1B2-0000-7000-8000-0000000000FF", "0190a1b2000070008000000000000000", 7]
)
def test_what_postgresql_would_choke_on_is_no_id(text: object) -> None:
    assert not is_id(text)


def test_ids_are_ids() -> None:
    assert is_id("0190a1b2-0000-7000-8000-0000000000ff")

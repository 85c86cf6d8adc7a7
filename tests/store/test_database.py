"""Connections: transactions, threads, and SQL that means the same on both databases."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import BadInput, Busy
from engine.store.database import Connection, Database, IdClock, compile_sql
from engine.store.failures import is_schema_changed
from engine.store.types import Integer, Text

TABLE = sa.Table(
    "t", sa.MetaData(), sa.Column("id", Integer, primary_key=True), sa.Column("the_name", Text, key="name")
)
COUNT = "SELECT count(*) FROM t"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database.open(database_url)
    with made.write() as connection:
        TABLE.create(connection.sa)
    yield made
    made.close()


def test_a_transaction_is_kept_or_taken_back_whole(database: Database) -> None:
    with database.write() as connection:
        connection.sa.execute(sa.insert(TABLE).values(id=1))

    def fail_late() -> None:
        with database.write() as connection:
            connection.run("INSERT INTO t (id) VALUES (2)")
            connection.run("CREATE TABLE other (id integer)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_late()
    with database.read() as connection:
        assert connection.rows(COUNT) == [(1,)]
        with pytest.raises(Exception, match="other"):
            connection.rows("SELECT * FROM other")
        assert connection.rows(COUNT) == [(1,)]


def test_a_statement_that_fails_leaves_a_connection_that_works(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.write() as connection:
        connection.sa.execute(sa.insert(TABLE), [{"id": 1}, {"id": 1}])
    with database.write() as connection:
        connection.sa.execute(sa.insert(TABLE), [{"id": 1}])
    with database.read() as connection:
        assert connection.rows(COUNT) == [(1,)]


def test_writers_of_several_threads_lose_nothing(database: Database) -> None:
    with database.write() as connection:
        connection.sa.execute(sa.insert(TABLE).values(id=0, name="0"))

    def add() -> None:
        for _ in range(20):
            with database.write() as connection:
                suffix = "" if database.dialect == "sqlite" else " FOR UPDATE"
                ((count,),) = connection.rows(f"SELECT the_name FROM t WHERE id = 0{suffix}")
                connection.sa.execute(sa.update(TABLE).where(TABLE.c.id == 0).values(name=str(int(count) + 1)))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.rows("SELECT the_name FROM t") == [("120",)]


def test_compiled_sql_takes_values_by_name_and_keeps_constants(database: Database) -> None:
    insert = compile_sql(sa.insert(TABLE), database.dialect, ["id", "name"])
    assert insert.keys == ("id", "name")
    c = TABLE.c
    wanted = (
        sa.select(c.name)
        .where(c.name.in_(["a%", "b", "c"]), c.id >= sa.bindparam("least", type_=Integer()), c.name != "b")
        .order_by(c.id)
        .limit(sa.bindparam("limit", type_=sa.Integer()))
    )
    find = compile_sql(wanted, database.dialect)
    assert find.keys == ("least", "limit")
    with database.write() as connection:
        connection.run_many(
            insert.sql, [insert.bind({"id": number, "name": name}) for number, name in enumerate(("a%", "b", "c", "d"))]
        )
        assert connection.rows(find.sql, find.bind({"least": 0, "limit": 9})) == [("a%",), ("c",)]
        assert connection.rows(find.sql, find.bind({"least": 1, "limit": 1})) == [("c",)]
        assert connection.run("DELETE FROM t WHERE id > 1") == 2


def test_an_unknown_column_is_an_error_and_tells_of_a_changed_schema(database: Database) -> None:
    gone = sa.table("t", sa.column("nosuch"))
    for wanted in (
        sa.select(gone.c.nosuch).where(gone.c.nosuch == "nosuch"),
        sa.select(sa.table("none", sa.column("nosuch"))),
    ):
        compiled = compile_sql(wanted, database.dialect)
        with pytest.raises(Exception) as error, database.read() as connection:
            connection.rows(compiled.sql, compiled.bind({}))
        assert is_schema_changed(error.value)
        with pytest.raises(sa.exc.DBAPIError) as error, database.read() as connection:
            connection.sa.execute(wanted)
        assert is_schema_changed(error.value)
    with pytest.raises(sa.exc.IntegrityError) as error, database.write() as connection:
        connection.sa.execute(sa.insert(TABLE), [{"id": 1}, {"id": 1}])
    assert not is_schema_changed(error.value)


def test_a_bare_unknown_column_is_no_text_on_sqlite(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    with database.write() as connection:
        TABLE.create(connection.sa)
        connection.sa.execute(sa.insert(TABLE).values(id=1))
        with pytest.raises(sa.exc.OperationalError, match="no such column: nosuch"):
            connection.sa.execute(sa.select(sa.literal(1)).select_from(TABLE).where(sa.column("nosuch") == "nosuch"))
    database.close()


def test_sqlite_enforces_references_in_wal_mode(sqlite_url: str) -> None:
    database = Database.open(sqlite_url)
    with database.read() as connection:
        names = ("foreign_keys", "journal_mode", "synchronous")
        assert [connection.rows(f"PRAGMA {name}")[0][0] for name in names] == [1, "wal", 1]
    database.close()


def test_a_schema_is_the_tenants_own_on_postgresql(postgres_url: str) -> None:
    one, two = Database.open(postgres_url, schema="one"), Database.open(postgres_url, schema="two")
    for database in (one, two):
        with database.write() as connection:
            connection.sa.execute(sa.schema.CreateSchema(database.schema))
            TABLE.create(connection.sa)
    with one.write() as connection:
        connection.sa.execute(sa.insert(TABLE).values(id=1))
    with two.read() as connection:
        assert connection.rows(COUNT) == [(0,)]
    one.close()
    two.close()


@pytest.mark.parametrize("url", ["mysql://root:secret@localhost/x", "nonsense", ""])
def test_another_kind_of_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadInput) as refusal:
        Database.open(url)
    assert refusal.value.code == "database.url"
    assert "secret" not in str(refusal.value)


def test_what_cannot_be_opened_is_a_refusal_that_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("these are my notes, and no database at all " * 40, encoding="utf-8")
    (tmp_path / "file").touch()
    urls = (f"sqlite:///{tmp_path}/notes.db", f"sqlite:///{tmp_path}/file/x.db", "postgresql://a:secret@/x?host=/none")
    for url in urls:
        with pytest.raises(Busy) as refusal, Database.open(url).read():
            pass
        assert (refusal.value.code, str(refusal.value)) == ("database.unreachable", "the database cannot be opened")


def test_a_missing_file_is_not_made_by_asking(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/none.db")
    assert database.is_absent
    assert list(tmp_path.iterdir()) == []


def test_ids_rise_within_a_process_whatever_the_clock_does() -> None:
    now = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
    clock = IdClock()
    ids: list[Any] = [clock(now + timedelta(days=3650))]
    ids += [clock(now) for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert ids[0].startswith("01eb6df4-c4a0-7")  # 2036-11-19T02:15Z
    assert {(one[14], one[19] in "89ab", len(one)) for one in ids} == {("7", True, 36)}


COUNT_FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def test_sqlite_too_is_told_to_give_up(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.database.STATEMENT_TIMEOUT_S", 0.05)
    database = Database.open(sqlite_url)
    for use in (database.read, database.write):
        with pytest.raises(Busy) as refusal, use() as connection:
            connection.rows(COUNT_FOREVER)
        assert refusal.value.code == "database.too_slow"
    count = COUNT_FOREVER.replace("FROM n)", "FROM n WHERE i < 1000000)")
    with database.write() as connection:
        connection.be_patient()
        assert connection.rows(count) == [(1000000,)]
    database.close()


def test_a_statement_that_takes_too_long_is_refused_not_broken(postgres_url: str) -> None:
    database = Database.open(postgres_url)

    def sleep(use: Callable[[], AbstractContextManager[Connection]]) -> None:
        with use() as connection:
            connection.run("SET statement_timeout = '20ms'")
            connection.rows("SELECT pg_sleep(5)")

    for use in (database.read, database.write):
        with pytest.raises(Busy, match="took longer than 30 seconds") as refusal:
            sleep(use)
        assert refusal.value.code == "database.too_slow"
    with database.read() as connection:
        assert connection.rows("SELECT 1") == [(1,)]
    database.close()


def test_a_row_that_others_keep_is_busy_however_it_is_asked_for(postgres_url: str) -> None:
    first, second = Database.open(postgres_url), Database.open(postgres_url)
    with first.write() as connection:
        connection.run("CREATE TABLE kept (a int)")
        connection.run("INSERT INTO kept VALUES (1)")
    wanted = sa.select(sa.table("kept", sa.column("a")).c.a).with_for_update(nowait=True)
    with first.write() as holder:
        holder.sa.execute(wanted)
        for ask in (lambda connection: connection.sa.execute(wanted), lambda connection: connection.rows(
            "SELECT a FROM kept FOR UPDATE NOWAIT"
        )):  # fmt: skip
            with pytest.raises(Busy), second.write() as connection:
                ask(connection)
    first.close()
    second.close()


def test_who_opens_a_new_file_waits_for_who_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    first = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    first.execute("CREATE TABLE t (a)")
    first.execute("BEGIN IMMEDIATE")  # until it ends, how the file is written cannot be changed
    end = threading.Timer(0.2, first.execute, ["COMMIT"])
    end.start()
    database = Database.open(f"sqlite:///{file}")
    with database.read() as connection:
        assert connection.sa.scalar(sa.text("PRAGMA journal_mode")) == "wal"
    database.close()
    end.join()
    first.close()


def test_what_postgresql_takes_in_no_text_is_refused_with_what_to_do(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    with database.write() as connection:
        TABLE.create(connection.sa)
        connection.sa.execute(sa.insert(TABLE).values(id=1, name="a"))
    for statement in (sa.select(TABLE.c.id).where(TABLE.c.name == "a\0"), sa.insert(TABLE).values(id=2, name="\0")):
        with pytest.raises(BadInput) as refusal, database.write() as connection:
            connection.sa.execute(statement)
        assert (refusal.value.code, refusal.value.fix) == ("value.text.character", "leave it out")
    with database.read() as connection:
        assert connection.sa.scalar(sa.select(sa.func.count()).select_from(TABLE)) == 1
    database.close()

"""Both databases, one of each for all tests of a module."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from engine.store.database import Database


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database.open(f"sqlite:///{tmp_path_factory.mktemp('fields') / 'test.db'}")
    yield database
    database.close()


@pytest.fixture(scope="module")
def on_postgres(postgres_server: sa.URL) -> Iterator[Database]:
    database = Database.open(postgres_server.render_as_string(hide_password=False))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    database: Database = request.getfixturevalue(f"on_{request.param}")
    return database

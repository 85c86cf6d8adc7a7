"""Does every test that asks for a database get an empty one of its own?"""

import pytest
import sqlalchemy as sa


@pytest.mark.parametrize("turn", [1, 2])
def test_a_database_is_empty_and_writable(database_url: str, turn: int) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        assert sa.inspect(connection).get_table_names() == []
        connection.exec_driver_sql("CREATE TABLE thing (name varchar(20))")
        connection.execute(sa.text("INSERT INTO thing VALUES (:name)"), {"name": "中文"})
        assert connection.scalar(sa.text("SELECT name FROM thing")) == "中文"
    engine.dispose()

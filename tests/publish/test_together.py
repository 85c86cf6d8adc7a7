"""Several publishes at once, and readers beside them."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from engine.errors import Conflict, EngineError
from engine.publish import Plan, apply, ensure
from engine.store.failures import is_schema_changed
from engine.tenants import open_tenant
from tests.publish.stage import NOW, Stage, plugins

LEAD = "object: lead\nlabel: Lead\nfields:\n  name: {type: text, label: Name}\n"


def at_once(*works: Callable[[], object]) -> list[object]:
    """What each gives or raises."""
    start, found = threading.Barrier(len(works)), [None] * len(works)

    def run(index: int, work: Callable[[], object]) -> None:
        start.wait()
        try:
            found[index] = work()  # type: ignore[call-overload]
        except EngineError as error:
            found[index] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(found)


def publisher(stage: Stage, drawn: Plan) -> Callable[[], int]:
    """As a process of its own would: with its own connections and cache."""

    def run() -> int:
        tenant = open_tenant(stage.url, stage.folder, plugins=plugins())
        try:
            return apply(tenant, drawn, None, NOW)
        finally:
            tenant.close()

    return run


def test_of_two_publishes_of_different_plans_one_wins_and_one_is_to_plan_again(stage: Stage) -> None:
    stage.publish(LEAD)
    plans = [stage.plan(LEAD + f"  {name}: {{type: text, label: X}}\n") for name in ("one", "two")]
    found = at_once(*(publisher(stage, drawn) for drawn in plans))
    (won,) = [index for index, result in enumerate(found) if result == 2]
    assert isinstance(found[1 - won], Conflict)
    assert stage.columns("lead")[-1] == ("one", "two")[won]


def test_several_processes_may_start_on_an_empty_database(stage: Stage) -> None:
    def start() -> int:
        tenant = open_tenant(stage.url, stage.folder, plugins=plugins())
        try:
            return ensure(tenant, NOW)
        finally:
            tenant.close()

    assert at_once(start, start, start) == [1, 1, 1]
    assert stage.values("user", "username") == []


def test_a_reader_on_the_old_version_goes_on_and_can_tell_what_happened(stage: Stage) -> None:
    stage.publish(LEAD + "  score: {type: integer, label: Score}\n")
    stage.insert("lead", {"name": "Ada", "score": 7})
    old = stage.tenant.snapshot().physical.table("lead")
    stage.publish(LEAD)
    with stage.tenant.database.read() as connection:
        assert connection.sa.scalars(sa.select(old.c.name)).all() == ["Ada"]
        with pytest.raises(sa.exc.DBAPIError) as error:
            connection.sa.execute(sa.select(old.c.score))
        assert is_schema_changed(error.value)
    assert "score" not in stage.tenant.snapshot().physical.table("lead").c


def test_another_process_notices_a_publish(stage: Stage) -> None:
    stage.publish(LEAD)
    other = open_tenant(stage.url, stage.folder, plugins=plugins())
    assert list(other.snapshot().definitions.objects["lead"].fields) == ["name"]
    stage.publish(LEAD + "  score: {type: integer, label: Score}\n")
    assert list(other.snapshot().definitions.objects["lead"].fields) == ["name", "score"]
    assert other.at(1).version == 1
    other.close()


def test_a_connection_used_before_a_publish_works_after_it(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada"})
    for _ in range(5):  # often enough for the driver to prepare the statement
        assert stage.values("lead", "name") == ["Ada"]
    stage.publish(LEAD + "  score: {type: integer, label: Score, required: true, default: 3}\n")
    assert stage.values("lead", "name", "score") == [("Ada", 3)]

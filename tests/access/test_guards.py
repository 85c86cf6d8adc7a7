"""Each guard, taken away, turns its check red: so the table in docs/security.md cannot lie."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.testing import Running, running
from tests.access.conftest import NOW
from tests.access.guard_checks import GUARDED, PEOPLE
from tests.access.guards import GUARDS

DOCS = Path(__file__).parents[2] / "docs/security.md"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    url = f"sqlite:///{tmp_path_factory.mktemp('guards') / 'test.db'}"
    with running(url, [GUARDED], now=NOW) as site:
        for name, roles in PEOPLE.items():
            site.user(name, *roles, name=name.title())
        for name in ("gus", "hal"):
            site.records(name).create("lead", {"name": name, "phone": "13800138000", "salary": "100.00"})
        yield site


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_taken_away_is_missed(guarded: Running, guard: str) -> None:
    _, take_away, check = GUARDS[guard]
    cache = guarded.tenant.snapshot().cache
    cache.clear()  # scopes and statements are kept there
    check(guarded)
    with pytest.MonkeyPatch.context() as patch:
        take_away(patch)
        cache.clear()
        try:
            check(guarded)
        except (AssertionError, EngineError, pytest.fail.Exception):
            return
        finally:
            cache.clear()
    pytest.fail(f"nothing is missed without '{guard}'")


def test_the_table_of_guards_is_that_of_the_tests() -> None:
    told = re.findall(r"^\| ([^|`]+?) \| `([^`]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == [(guard, place) for guard, (place, _, _) in GUARDS.items()]

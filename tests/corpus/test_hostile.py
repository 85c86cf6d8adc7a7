"""Hostile packages work on both databases, through every door; or they are refused with problems."""

import time
from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.publish import plan
from engine.tenants import load_plugins
from engine.testing import running
from metadata.package import load
from tests.corpus.exercise import Exercise
from tests.corpus.hostile import HOSTILE, MANIFEST
from tests.corpus.hostile_language import CLOSED, EITHER, WORKING
from tests.depth import IS_DEEP

TEXTS = {**HOSTILE, **WORKING}
LARGE = ("knot", "many_doubles", "many_fields")


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_a_hostile_package_works(name: str, database_url: str) -> None:
    if name in LARGE and database_url.startswith("postgresql") and not IS_DEEP:
        pytest.skip("the large ones are tried on SQLite; on PostgreSQL in make deep")
    text = MANIFEST + TEXTS[name]
    with running(database_url, ui="ui.pages:mount") as site:
        site.publish(text)
        assert plan(site.tenant, [site.written(text)]).steps == ()
        # Pages ask no database of their own: one of the two is enough for them.
        faults = Exercise(site).run(pages=database_url.startswith("sqlite"))
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("name", EITHER)
def test_a_package_that_makes_no_sense_is_refused_or_works(name: str, tmp_path: Path) -> None:
    (tmp_path / "package.yaml").write_text(MANIFEST + EITHER[name], encoding="utf-8")
    plugins, started = load_plugins(), time.process_time()
    read = load([tmp_path], plugins.kinds(), plugins.functions, has_lint=True)
    assert time.process_time() - started < 20  # it would be hours; machines differ
    assert all(problem.message and problem.place.line > 0 for problem in read.problems)
    if not read.has_errors:
        with running(ui="ui.pages:mount") as site:
            site.publish(tmp_path)
            faults = Exercise(site).run()
        assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLOSED)
def test_what_can_never_be_saved_is_warned_of_and_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    text, warning, refusal = CLOSED[name]
    (tmp_path / "package.yaml").write_text(MANIFEST + text, encoding="utf-8")
    plugins = load_plugins()
    read = load([tmp_path], plugins.kinds(), plugins.functions, has_lint=True)
    assert (read.has_errors, warning in {problem.code for problem in read.problems}) == (False, True)
    with running() as site:
        site.publish(tmp_path)
        site.user("ann", "admin")
        (built,) = (one for one in site.tenant.snapshot().definitions.objects.values() if one.package == "hostile")
        with pytest.raises(BadInput) as refused:
            site.records("ann").create(built.name, dict.fromkeys(built.fields, "x"))
    assert refused.value.code == refusal

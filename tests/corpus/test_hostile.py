"""Hostile packages work on both databases, through every door."""

import pytest

from engine.publish import plan
from engine.testing import running
from tests.corpus.exercise import Exercise
from tests.corpus.hostile import HOSTILE, MANIFEST


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_package_works(name: str, database_url: str) -> None:
    text = MANIFEST + HOSTILE[name]
    with running(database_url, ui="ui.pages:mount") as site:
        site.publish(text)
        assert plan(site.tenant, [site.written(text)]).steps == ()
        faults = Exercise(site).run()
    assert not faults, "\n".join(faults)

"""A package with something odd in it is refused with problems, or it works. Nothing raises."""

from pathlib import Path

import pytest

from engine.publish import plan
from engine.tenants import load_plugins
from engine.testing import running
from metadata.model import Loaded
from metadata.package import load
from tests.corpus.exercise import Exercise
from tests.corpus.hostile import MANIFEST
from tests.corpus.mutations import mutated
from tests.depth import at_depth

PLUGINS = load_plugins()


def loaded(folder: Path, text: str) -> Loaded:
    (folder / "package.yaml").write_text(text, encoding="utf-8")
    return load([folder], PLUGINS.kinds(), PLUGINS.functions)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, at_depth(20, 400), 20))
def test_an_odd_package_is_refused_or_works(start: int, tmp_path: Path) -> None:
    for seed in range(start, start + 20):
        read = loaded(tmp_path, mutated(seed))
        assert all(problem.message and problem.place.line > 0 for problem in read.problems), seed
        if not read.has_errors:
            with running(ui="ui.pages:mount") as site:
                site.publish(tmp_path)
                assert plan(site.tenant, [tmp_path]).steps == (), seed
                faults = Exercise(site).run(pages=seed % 4 == 0)
            assert not faults, "\n".join([str(seed), *faults])


def test_a_default_of_a_field_with_a_wrong_pattern(tmp_path: Path) -> None:
    read = loaded(tmp_path, MANIFEST + 'object: a\nfields: {name: {type: text, default: x, pattern: "(("}}\n')
    assert [(problem.code, problem.message) for problem in read.problems] == [
        ("field.pattern", "the pattern '((' is refused at character 2: '(' is not closed"),
    ]

"""The limits in docs/security.md are those of the code."""

import importlib
import re
from pathlib import Path

from engine.config import Config

DOCS = Path(__file__).parents[2] / "docs/security.md"
ROW = re.compile(r"^\| [^|]+ \| ([\d,]+) \| `([\w.]+)` \|$", re.MULTILINE)


def test_each_limit_is_the_constant_that_it_names() -> None:
    told = ROW.findall(DOCS.read_text(encoding="utf-8"))
    assert len(told) > 35
    for value, place in told:
        assert constant(place) == int(value.replace(",", "")), place


def constant(place: str) -> object:
    module, _, name = place.rpartition(".")
    if module == "engine.config.Config":
        return getattr(Config(), name)
    return getattr(importlib.import_module(module), name)


def test_every_file_that_the_document_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", DOCS.read_text(encoding="utf-8"))
    assert len(named) > 15
    assert [name for name in named if not (DOCS.parents[1] / name).exists()] == []

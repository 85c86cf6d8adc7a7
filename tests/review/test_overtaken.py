"""A plan that another publish overtakes starts again from what runs then."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from engine.testing import running

BEFORE = """
package: kit
version: 1.0.0
label: Kit
---
object: part
label: Part
fields:
  name: {type: text, label: Name}
  old: {type: text, label: Old}
"""
planning = importlib.import_module("engine.publish.plan")  # the package names its function so
AFTER = BEFORE.replace("  old: {type: text, label: Old}\n", "  new: {type: text, label: New}\n")


def test_a_field_is_gone_while_its_values_are_counted(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package.yaml").write_text(AFTER.replace("new", "newer").replace("New", "Newer"), encoding="utf-8")
    with running(database_url, [BEFORE]) as site:
        real, overtakes = planning.installed_files, [True]

        def overtaken(*args: Any) -> Any:
            if overtakes:
                overtakes.clear()
                site.publish(AFTER)
            return real(*args)

        monkeypatch.setattr(planning, "installed_files", overtaken)
        drawn = planning.plan(site.tenant, [tmp_path])
        assert drawn.base_version == 2
        assert [(step.sign, step.what) for step in drawn.steps if "field" in step.what] == [
            ("+", "field part.newer"), ("-", "field part.new"),
        ]  # fmt: skip

"""Does `fieldstone check` answer people and scripts as documented?"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.cli import main

Write = Callable[[Mapping[str, str]], Path]


def test_a_sound_package_has_no_problems(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    package = write({"a.yaml": "object: a\nfields: {name: {type: text}}"})
    assert main(["check", str(package)]) == 0
    assert capsys.readouterr().out == "no problems\n"


def test_scripts_get_json(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    package = write({"a.yaml": "object: a\nfields:\n  name: {type: txt}\n"})
    assert main(["check", str(package), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "problems": [
            {
                "file": "a.yaml", "line": 3, "column": 16, "path": "fields.name.type", "code": "field.type.unknown",
                "level": "error", "message": "no field type is called 'txt'", "fix": "write 'text'?",
            }
        ],
        "errors": 1,
        "warnings": 0,
    }  # fmt: skip


def test_warnings_alone_are_no_failure(write: Write) -> None:
    assert main(["check", str(write({"r.yaml": "role: r\nobjects: {user: [update]}"}))]) == 0


def test_without_a_path_it_is_used_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2


def test_the_example_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(Path(__file__).parents[2] / "examples" / "crm")]) == 0
    assert capsys.readouterr().out == "no problems\n"

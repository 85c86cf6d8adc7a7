"""Does every problem have a wrong package beside the exact text that `fieldstone check` prints for it?"""

import ast
import re
from pathlib import Path

import pytest

from engine.cli import main
from metadata.processes import EVENTS

ROOT = Path(__file__).parents[2]
BAD = ROOT / "tests" / "bad"
CODES = sorted(folder.name for folder in BAD.iterdir() if folder.is_dir())
CODE = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")


def arguments(folder: Path) -> list[str]:
    """What is checked: `package` (a folder, or a zip file, or nothing), and beside it `other`."""
    package = "package.zip" if (folder / "package.zip").exists() else "package"
    return [package, "other"] if (folder / "other").exists() else [package]


@pytest.mark.parametrize("code", CODES)
def test_check_prints_exactly_what_is_expected(
    code: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(BAD / code)
    expected = (BAD / code / "expected.txt").read_text(encoding="utf-8")
    exit_code = main(["check", *arguments(BAD / code)])
    assert capsys.readouterr().out == expected
    assert exit_code == (0 if "\n0 errors," in expected else 1)


@pytest.mark.parametrize("code", CODES)
def test_expected_text_holds_its_code(code: str) -> None:
    assert f"[{code}]" in (BAD / code / "expected.txt").read_text(encoding="utf-8")


def codes_in(folder: str, pattern: str = "") -> set[str]:
    """Every text constant of the source that reads as a code."""
    return {
        node.value
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if CODE.fullmatch(node.value) and not node.value.endswith((".json", ".yaml"))
        if node.value.startswith(pattern)
    }


def test_every_code_of_the_source_has_a_wrong_package() -> None:
    # Field types say what is wrong with their own options.
    codes = codes_in("metadata") | codes_in("plugins/base/fields", "field.")
    assert codes - set(CODES) - set(EVENTS) == set()


def test_every_wrong_package_belongs_to_a_code_of_the_source() -> None:
    assert set(CODES) - codes_in("metadata") - codes_in("plugins/base/fields", "field.") - codes_in("engine") == set()


def test_documentation_lists_exactly_these_codes() -> None:
    text = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z_.]+)` \|", text.split("## Problem codes")[1], re.MULTILINE)
    assert listed == CODES

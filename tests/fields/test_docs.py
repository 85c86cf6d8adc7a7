"""Does docs/fields.md say what there is, no more and no less?"""

import re
from pathlib import Path

import pytest

import engine.sdk
from engine.contracts.field import FieldType
from tests.fields.cases import KINDS, PLUGINS

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "fields.md").read_text(encoding="utf-8")
SHARED = ("engine/values.py", "engine/numbers.py", "engine/files/value.py")
SOURCES = [
    *(ROOT / "plugins/base/fields").glob("*.py"), *(ROOT / "engine/rules").glob("*.py"),
    *(ROOT / path for path in SHARED),
]  # fmt: skip


def row_of(name: str) -> str:
    found = re.search(rf"^\| `{name}` \|.*$", DOCS, re.MULTILINE)
    assert found is not None, f"docs/fields.md has no row for '{name}'"
    return found[0]


@pytest.mark.parametrize("kind", [case for case in KINDS if case.id != "id"])
def test_a_type_and_its_options_are_described(kind: FieldType) -> None:
    row = row_of(kind.name)
    for option in kind.options:
        assert f"`{option}`" in row


def test_only_types_that_exist_are_described() -> None:
    table = DOCS.split("## The types")[1].split("\n\n")[1]
    assert {*re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)} == {*PLUGINS.fields} - {"id"}


@pytest.mark.parametrize("prefix", ["value", "field"])
def test_the_codes_are_those_of_the_source(prefix: str) -> None:
    used = {
        code for path in SOURCES for code in re.findall(rf'"({prefix}\.[a-z_.]+)"', path.read_text(encoding="utf-8"))
    }
    listed = set(re.findall(rf"^\| `({prefix}\.[a-z_.]+)` \|", DOCS, re.MULTILINE))
    assert listed == used


def test_every_code_of_a_bad_value_is_listed() -> None:
    for kind in PLUGINS.fields.values():
        for _, _, code in kind.bad:
            assert f"| `{code}` |" in DOCS


def test_all_names_of_the_sdk_are_described_and_no_others() -> None:
    table = DOCS.split("What `engine.sdk` offers:")[1]
    assert {*re.findall(r"`(\w+)`", table)} == {*engine.sdk.__all__}
    assert all(hasattr(engine.sdk, name) for name in engine.sdk.__all__)

"""What examples/crm/README.md tells a tenant admin to do, done to the letter, on both databases."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.testing import running
from metadata.model import Definitions
from tests.depth import IS_DEEP

ROOT = Path(__file__).parents[2]
README = (ROOT / "examples/crm/README.md").read_text(encoding="utf-8")
COMMAND = Path(sys.executable).with_name("fieldstone")
LEAD = {"name": "吴雪", "company": "沪枝医疗科技", "source": "website"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def without_hash(text: str) -> str:
    return re.sub(r"\bplan [0-9a-f]{16}\b", "plan HASH", text)


def edit_as_told(crm: Path) -> None:
    new_field, new_row = blocks("yaml")
    lead = crm / "objects/lead.yaml"
    lines = lead.read_text(encoding="utf-8").splitlines(keepends=True)
    city = next(number for number, line in enumerate(lines) if line.startswith("  city:"))
    lead.write_text("".join([*lines[: city + 1], new_field, *lines[city + 1 :]]), encoding="utf-8")
    layout = crm / "layouts/lead.yaml"
    text = layout.read_text(encoding="utf-8")
    old_row = new_row.replace("employees, ", "")
    assert old_row in text
    layout.write_text(text.replace(old_row, new_row), encoding="utf-8")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"] if IS_DEEP else ["sqlite"])  # publishing has tests of its own
def test_the_readme_adds_a_field_and_the_data_stays(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:  # fmt: skip
    database_url: str = request.getfixturevalue(f"{kind}_url")
    shutil.copytree(ROOT / "examples/crm", tmp_path / "examples/crm")
    with running(database_url, [tmp_path / "examples/crm"]) as site:
        kept = site.records().create("lead", LEAD)["id"]
        assert "employees" not in lead_fields(site.tenant.snapshot().definitions)

        edit_as_told(tmp_path / "examples/crm")
        for said in blocks("console"):
            for told in re.split(r"^\$ ", said, flags=re.MULTILINE)[1:]:
                command, _, expected = told.partition("\n")
                done = run(command, tmp_path, database_url)
                assert without_hash(done) == without_hash(expected), command

        assert "employees" in lead_fields(site.tenant.snapshot().definitions)
        lead = site.records().get("lead", kept)
        assert (lead["name"], lead["company"], lead["employees"]) == ("吴雪", "沪枝医疗科技", None)
        assert site.records().update("lead", kept, {"employees": 120})["employees"] == 120
        assert run(".venv/bin/fieldstone plan examples/crm", tmp_path, database_url) == "nothing to change\n"


def lead_fields(definitions: Definitions) -> set[str]:
    layout = definitions.layouts["lead"]
    placed = {cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells}
    return set(definitions.objects["lead"].fields) & {name for name in placed if name}


def run(command: str, folder: Path, database_url: str) -> str:
    words = command.split()
    assert words[0] == ".venv/bin/fieldstone"
    done = subprocess.run(
        [COMMAND, *words[1:], "--database", database_url] if words[1] != "check" else [COMMAND, *words[1:]],
        cwd=folder, capture_output=True, text=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout

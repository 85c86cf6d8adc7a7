"""Are the schemas under docs/schemas the ones that `fieldstone check --schema` writes?"""

from pathlib import Path

import pytest

from engine.cli import main

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "schemas"


def test_published_schemas_are_those_that_check_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema", str(tmp_path)]) == 0
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    published = {path.name: path.read_bytes() for path in PUBLISHED.iterdir()}
    assert sorted(published) == sorted(written)
    changed = [name for name in sorted(written) if written[name] != published[name]]
    assert changed == [], "write them anew: fieldstone check --schema docs/schemas"

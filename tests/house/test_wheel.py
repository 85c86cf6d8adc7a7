"""Does the wheel hold what an installation needs, and nothing beside it?"""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import absent

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built without isolation, so without asking a registry."""
    if shutil.which("node") is None:
        absent("Node", "it builds the browser's files: install Node 20 or newer")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_wheel_has_exactly_four_import_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"engine", "metadata", "plugins", "ui"}


def test_wheel_carries_every_tracked_file_of_its_packages(wheel: zipfile.ZipFile) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "engine", "metadata", "plugins", "ui"], cwd=ROOT, capture_output=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name and not name.startswith("ui/frontend/")]
    present = {name for name in names if (ROOT / name).is_file()}
    assert present - set(wheel.namelist()) == set()


@pytest.mark.parametrize(
    ("source", "folder", "suffix"),
    [
        ("metadata/schema", "metadata/schema", ".json"),
        ("ui/templates", "ui/templates", ".html"),
        ("examples", "engine/examples", ".yaml"),
    ],
)
def test_wheel_carries_data_files(wheel: zipfile.ZipFile, source: str, folder: str, suffix: str) -> None:
    here = {path.relative_to(ROOT / source).as_posix() for path in (ROOT / source).rglob(f"*{suffix}")}
    assert here
    packed = {name.removeprefix(f"{folder}/") for name in wheel.namelist() if name.startswith(f"{folder}/")}
    assert here - packed == set()


def test_wheel_carries_the_browsers_files(wheel: zipfile.ZipFile) -> None:
    manifest = json.loads(wheel.read("ui/static/dist/manifest.json"))
    assert set(manifest) >= {"app.js", "app.css", "icons.svg"}
    packed = [f"ui/static/dist/{file}{suffix}" for file in manifest.values() for suffix in ("", ".gz", ".br")]
    assert set(packed) - set(wheel.namelist()) == set()


def test_wheel_has_no_sources_of_the_browsers_files(wheel: zipfile.ZipFile) -> None:
    assert [name for name in wheel.namelist() if name.startswith("ui/frontend")] == []


def test_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "fieldstone = engine.cli:main" in wheel.read(entry_points).decode()

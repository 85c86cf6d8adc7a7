"""Does the tree hold only what belongs there?"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("engine", "metadata", "plugins", "ui")
MOST_LINES = 500
# Spelt in pieces, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:wor" rb"k|roo" rb"t|hom" rb"e|User" rb"s)/[\w.]+")
REGISTRY = re.compile(
    rb"(?:files\.)?python" rb"hosted\.org|pypi\." rb"org/simple|registry\.npm" rb"js\.org|deb\.debian" rb"\.org"
)
LONGEST_WRITTEN_LINE = 2000


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def holding(pattern: re.Pattern[bytes]) -> list[str]:
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if match := pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0].decode()}")
    return found


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert holding(MACHINE_PATH) == []


def test_no_file_names_a_package_registrys_host() -> None:
    assert holding(REGISTRY) == []


def test_nothing_built_or_borrowed_is_tracked() -> None:
    folders = {"node_modules", "dist", "vendor", "__pycache__", ".venv"}
    borrowed = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if folders & set(path.relative_to(ROOT).parts) or re.search(r"\.min\.(js|css)$|\.map$", path.name)
    ]
    assert borrowed == []


def test_no_script_or_style_is_minified() -> None:
    minified = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in {".js", ".mjs", ".css"}
        and max(map(len, path.read_bytes().splitlines()), default=0) > LONGEST_WRITTEN_LINE
    ]
    assert minified == []


def test_no_module_has_grown_past_one_subject() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.relative_to(ROOT).parts[0] in PACKAGES
        and path.suffix in {".py", ".js", ".css", ".html", ".mjs"}
        and (lines := len(path.read_bytes().splitlines())) > MOST_LINES
    }
    assert long == {}

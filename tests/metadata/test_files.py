"""Are folders and zip files read within limits, and never out of their bounds?"""

import os
import zipfile
from pathlib import Path

import pytest

from metadata import files
from metadata.files import read_files


def zipped(path: Path, entries: dict[str, str | bytes], **more: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = more.get("attributes", 0)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


def codes(path: Path) -> list[str]:
    return [problem.code for problem in read_files(path).problems]


def test_definitions_are_read_and_the_rest_is_left_alone(tmp_path: Path) -> None:
    for name in ("package.yaml", "objects/lead.yml", "views.json", "data/lead.csv", "other/x.csv", "README.yaml",
                 "notes.txt", ".git/x.yaml", "__pycache__/x.yaml"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("a: 1")
    assert list(read_files(tmp_path).files) == ["data/lead.csv", "objects/lead.yml", "package.yaml", "views.json"]


def test_a_zip_made_around_the_folder_is_the_same_package(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"crm/package.yaml": "package: crm", "crm/objects/lead.yaml": "object: lead"})
    texts = read_files(path)
    assert (list(texts.files), texts.problems) == (["objects/lead.yaml", "package.yaml"], [])


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "package.yaml").write_bytes(b"\xef\xbb\xbfpackage: a")
    assert read_files(tmp_path).files == {"package.yaml": "package: a"}


@pytest.mark.parametrize("name", ["../x.yaml", "/x.yaml", "a/../../x.yaml", "..\\x.yaml", "C:/x.yaml"])
def test_a_zip_entry_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "a.zip", {"package.yaml": "package: a", name: "object: a"})
    assert codes(path) == ["source.zip"]
    assert list(read_files(path).files) == ["package.yaml"]


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.yaml": "/etc/passwd"}, attributes=0o120777 << 16)
    assert codes(path) == ["source.link"]


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.yaml": "object: a"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert codes(path) == ["source.zip"]


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    assert codes(zipped(tmp_path / "a.zip", {"x.yaml": " " * 1_000_000})) == ["source.zip"]


def test_a_lying_size_is_found_while_unpacking(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.yaml": os.urandom(3000).hex() + " " * 3000})
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    assert codes(path) == ["source.zip"]


def test_a_huge_directory_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.yaml": "object: a"})
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x05\x06") + 12
    content[at : at + 4] = (50_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    assert [p.message for p in read_files(path).problems] == [
        "the zip file has more than 10,000 entries, or is not one"
    ]


def test_a_damaged_zip_is_a_problem(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.yaml": os.urandom(3000).hex()})
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(content)
    assert codes(path) == ["source.zip"]


def test_too_many_files_and_too_large_ones_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 3)
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 100)
    (tmp_path / "large.yaml").write_text("#" * 101)
    assert codes(tmp_path) == ["source.size"]
    for number in range(3):
        (tmp_path / f"{number}.yaml").write_text("a: 1")
    assert "source.size" in codes(tmp_path)
    assert codes(zipped(tmp_path / "a.zip", {f"{n}.yaml": "a: 1" for n in range(4)})) == ["source.size"]


def test_the_whole_package_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_PACKAGE_BYTES", 150)
    for number in range(3):
        (tmp_path / f"{number}.yaml").write_text("#" * 100)
    assert codes(tmp_path) == ["source.size"]


def test_links_that_lead_out_or_to_folders_are_problems(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("object: secret")
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "a.yaml").write_text("object: a")
    (package / "same.yaml").symlink_to("a.yaml")
    (package / "leak.yaml").symlink_to("../outside.yaml")
    (package / "loop").symlink_to(".")
    texts = read_files(package)
    assert list(texts.files) == ["a.yaml", "same.yaml"]
    assert [(p.place.file, p.code) for p in texts.problems] == [("leak.yaml", "source.link"), ("loop", "source.link")]


@pytest.mark.parametrize("name", ["nowhere", "\0", "x" * 5000])
def test_a_path_that_cannot_be_read_is_a_problem(tmp_path: Path, name: str) -> None:
    assert codes(tmp_path / name) == ["source.path"]


def test_a_file_that_is_no_package_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "lead.yaml").write_text("object: lead")
    assert codes(tmp_path / "lead.yaml") == ["source.path"]

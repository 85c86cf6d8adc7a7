"""What a shell may give by mistake: each is refused in a sentence, with nothing changed."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from engine.cli import main
from tests.review.kit import KIT


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("FIELDSTONE_DATABASE_URL", raising=False)
    monkeypatch.delenv("FIELDSTONE_ADMIN_PASSWORD", raising=False)
    folder = tmp_path / "kit"
    folder.mkdir()
    (folder / "package.yaml").write_text(KIT, encoding="utf-8")
    return folder


@pytest.mark.parametrize("url", ["postgresql://localhost:abc/x", "postgresql://[::1/x"])
def test_a_url_whose_port_is_no_number(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "--database", url]) == 1
    assert f"'{url}' is not a database URL" in capsys.readouterr().err


def test_a_refused_first_password_publishes_nothing(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIELDSTONE_ADMIN_PASSWORD", "short")
    data = tmp_path / "data"
    assert main(["apply", str(package), "--data", str(data)]) == 1
    assert "a password has at least 10 characters; this has 5" in capsys.readouterr().err
    assert not data.exists()
    assert main(["serve", "--port", "8997", "--data", str(data)]) == 1
    assert not data.exists()


def test_a_time_zone_that_is_none_makes_no_user(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    assert main(["user", "create", "lin", "--time-zone", "Asia/Shangai", *data]) == 1
    assert "fix: write 'Asia/Shanghai'?" in capsys.readouterr().err
    assert main(["user", "list", "--json", *data]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_label_of_a_token_that_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path)]
    assert main(["user", "create", "lin", "--no-password", *data]) == 0
    assert main(["user", "token", "lin", "--label", os.fsdecode(b"\xff"), *data]) == 1
    assert "the label of a token has characters that cannot be shown" in capsys.readouterr().err


def test_a_file_name_that_is_not_utf8(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (b"\xfe.yaml", b"\xff.yaml"):
        with open(os.path.join(os.fsencode(package), name), "wb") as file:
            file.write(b"object: part\n")
    assert main(["check", str(package), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert ("?.yaml", "another file's name reads like this one's") in {(p["file"], p["message"]) for p in problems}
    assert main(["plan", os.fsdecode(b"/\xff"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"][0]["message"] == "there is no '/?'"


def test_schemas_into_a_place_that_is_no_folder(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema", str(package / "package.yaml")]) == 1
    assert capsys.readouterr().err == f"fieldstone: '{package / 'package.yaml'}': File exists\n"


def test_a_terminal_that_cannot_show_chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package.yaml").write_text("package: 中文\nversion: x\n", encoding="utf-8")
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="ascii"))
    assert main(["check", str(tmp_path)]) == 1
    sys.stdout.flush()
    assert b"'x' is not a version" in shown.getvalue()


def test_a_demo_of_a_tenant_that_leads_out_of_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"precious")
    (tmp_path / "demo").mkdir()
    words = ["demo", "--reset", "--no-serve", "--data", str(tmp_path / "demo"), "--tenant", "../other"]
    assert main(words) == 1
    assert "'../other' cannot name a tenant" in capsys.readouterr().err
    assert other.read_bytes() == b"precious"

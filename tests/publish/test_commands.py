"""fieldstone plan, apply and history, as a shell would use them."""

import json
from pathlib import Path

import pytest

from engine.cli import main

LEAD = """package: crm
version: 1.0.0
label: Sales
---
object: lead
label: Lead
fields:
  name: {type: text, label: Name}
  score: {type: integer, label: Score}
"""


class Shell:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.package, self.data, self.capsys = folder / "crm", folder / "data", capsys
        self.package.mkdir()
        self.write(LEAD)

    def write(self, text: str) -> None:
        (self.package / "crm.yaml").write_text(text, encoding="utf-8")

    def __call__(self, *words: str) -> tuple[int, str, str]:
        paths = [] if words[0] == "history" else [str(self.package)]
        code = main([words[0], *paths, *words[1:], "--data", str(self.data)])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.delenv("FIELDSTONE_DATABASE_URL", raising=False)
    monkeypatch.setenv("FIELDSTONE_ADMIN_PASSWORD", "a long enough Passw0rd")
    return Shell(tmp_path, capsys)


def test_a_plan_is_printed_and_changes_nothing(shell: Shell) -> None:
    code, out, _ = shell("plan")
    assert code == 0
    assert "+ object lead: 2 fields\n" in out
    assert out.splitlines()[-1].endswith(" on version 0")
    assert not shell.data.exists()


def test_applied_then_nothing_to_change(shell: Shell) -> None:
    code, out, _ = shell("apply")
    assert (code, out.splitlines()[-1]) == (0, "version 1 runs")
    assert shell("plan") == (0, "nothing to change\n", "")
    assert shell("apply") == (0, "nothing to change\n", "")


def test_the_first_user_is_made_once_and_the_password_shown(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIELDSTONE_ADMIN_PASSWORD")
    assert "user admin, password " in shell("apply")[2]
    assert shell("apply")[2] == ""


def test_a_plan_as_json_gives_the_hash_that_apply_takes(shell: Shell) -> None:
    plan = json.loads(shell("plan", "--json")[1])
    assert plan["base_version"] == 0
    assert {"sign": "+", "what": "object lead", "detail": "2 fields", "loses": 0, "stops": [], "breaks": 0} in plan[
        "steps"
    ]
    code, _, err = shell("apply", "--plan", "0123456789abcdef")
    assert (code, err) == (
        1, "fieldstone: the plan is not 0123456789abcdef any more\n    fix: look at the plan above\n",
    )  # fmt: skip
    assert shell("apply", "--plan", plan["hash"])[0] == 0


def test_a_loss_wants_a_word(shell: Shell) -> None:
    shell("apply")
    shell.write(LEAD.replace("  score: {type: integer, label: Score}\n", ""))
    from engine.tenants import open_tenant  # only this test puts a record in
    from tests.publish.stage import NOW, Stage

    stage = Stage("", shell.data)
    stage.tenant = open_tenant("", shell.data)
    stage.insert("lead", {"name": "Ada", "score": 7, "modified_at": NOW})
    stage.tenant.close()
    code, out, err = shell("apply")
    assert code == 1
    assert "- field lead.score\n    loses 1 value\n" in out
    assert "fieldstone: 1 value or row would be lost\n    fix: add --plan " in err
    assert shell("apply", "--yes")[0] == 0


def test_errors_in_definitions_are_printed_and_refused(shell: Shell) -> None:
    shell.write(LEAD.replace("type: integer", "type: intger"))
    for command in ("plan", "apply"):
        code, out, err = shell(command)
        assert (code, out) == (1, "")
        assert "crm.yaml:9:17: fields.score.type: no field type is called 'intger' [field.type.unknown]" in err
        assert "write 'integer'?" in err
    assert not shell.data.exists()


def test_history_tells_who_published_what(shell: Shell) -> None:
    assert shell("history") == (0, "nothing was published\n", "")
    shell("apply")
    shell.write(LEAD.replace("version: 1.0.0", "version: 1.1.0") + "  mail: {type: email, label: Mail}\n")
    shell("apply")
    lines = shell("history")[1].splitlines()
    assert [line.split()[0] for line in lines] == ["2", "1"]
    assert lines[0].endswith("Z  command line  +1 ~1  crm 1.1.0, system 1.0.0")
    (latest, _) = json.loads(shell("history", "--json")[1])
    assert latest["steps"] == [
        {"sign": "~", "what": "package crm", "detail": "1.0.0 -> 1.1.0", "loses": 0},
        {"sign": "+", "what": "field lead.mail", "detail": "email", "loses": 0},
    ]
    assert (latest["version"], latest["by"], latest["packages"]) == (2, None, {"crm": "1.1.0", "system": "1.0.0"})


@pytest.mark.parametrize(
    ("words", "code"), [(["--version"], 0), (["--help"], 0), ([], 2), (["nosuch"], 2), (["plan"], 2)]
)
def test_exit_codes_tell_help_from_wrong_use(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == code
    capsys.readouterr()


def test_a_database_that_cannot_be_opened_is_said_with_the_reason(shell: Shell) -> None:
    shell.data.write_text("a file where a folder should be", encoding="utf-8")
    code, out, err = shell("history", "--database", f"sqlite:///{shell.data}/x.db")
    assert (code, out) == (0, "nothing was published\n")
    code, out, err = shell("apply")
    assert (code, err.startswith("fieldstone: the database cannot be opened: ")) == (1, True)


def test_a_refusal_is_one_plain_sentence(shell: Shell) -> None:
    code, _, err = shell("plan", "--database", "mysql://localhost/x")
    assert (code, err) == (
        1, "fieldstone: 'mysql://localhost/x' is not on SQLite or PostgreSQL\n    fix: write sqlite:///crm.db?\n",
    )  # fmt: skip

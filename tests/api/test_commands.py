"""`fieldstone user`, `serve` and `demo`, on both databases."""

import io
import json
import socket
from pathlib import Path

import pytest

from engine.cli import main
from engine.commands import demo, serve
from engine.people import passwords, sessions
from engine.service import Query, SortKey
from engine.testing import Running, running

SMALL = """
package: small
version: 1.0.0
label: Small
languages: [en, zh-CN]
demo:
  users:
    - {username: lin, name: 林悦, roles: [seller], language: zh-CN, time_zone: Asia/Shanghai}
---
object: note
label: Note
fields:
  name: {type: text, label: Name, required: true}
---
role: seller
label: Seller
objects:
  note: {can: [create, read], rows: "owner == user.id"}
---
data: note
records:
  - {name: Mine, owner: lin}
  - {name: Another}
"""


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", type(passwords.HASHER)(time_cost=1, memory_cost=1024, parallelism=1))
    passwords.nobodys_hash.cache_clear()
    for name in ("FIELDSTONE_DATABASE_URL", "FIELDSTONE_DATA", "FIELDSTONE_ADMIN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "package.yaml").write_text(SMALL, encoding="utf-8")
    return folder


def test_user_is_made_and_its_token_is_the_last_word(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--database", database_url]
    assert main(["user", "create", "kim", "--role", "admin", "--name", "Kim", *common]) == 0
    password = capsys.readouterr().out.split()[-1]
    assert len(password) == 19
    assert main(["user", "token", "kim", "--days", "3", *common]) == 0
    token = capsys.readouterr().out.split()[-1]
    assert main(["user", "list", "--json", *common]) == 0
    (user,) = json.loads(capsys.readouterr().out)
    assert (user["username"], user["name"], user["roles"], user["is_active"]) == ("kim", "Kim", ["admin"], True)
    with running(database_url) as site:
        client = site.client()
        client.headers["authorization"] = f"Bearer {token}"
        assert client.get("/api/v1/objects").status_code == 200


def test_tokens_are_limited_listed_and_revoked(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--database", database_url]
    assert main(["user", "create", "kim", "--role", "admin", *common]) == 0
    limits = ["--read-only", "--object", "user", "--label", "report"]
    assert main(["user", "token", "kim", *limits, *common]) == 0
    token = capsys.readouterr().out.split()[-1]
    assert main(["user", "token", "kim", "--object", "usr", *common]) == 1
    assert "no object 'usr'\n    fix: write 'user'?" in capsys.readouterr().err
    assert main(["user", "token", "kim", "--list", "--json", *common]) == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["read_only"], listed["objects"]) == ("report", True, ["user"])
    with running(database_url) as site:
        client = site.client()
        client.headers["authorization"] = f"Bearer {token}"
        assert [one["name"] for one in client.get("/api/v1/objects").json()["objects"]] == ["user"]
        assert main(["user", "token", "kim", "--revoke", "nothing", *common]) == 1
        assert main(["user", "token", "kim", "--revoke", "report", *common]) == 0
        assert client.get("/api/v1/objects").status_code == 401


def test_an_invitation_is_written_to_a_folder_where_no_mail_server_is_set(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--database", sqlite_url, "--data", str(tmp_path)]
    assert main(["user", "create", "kim", "--email", "kim@example.com", "--no-password", *common]) == 0
    assert main(["user", "invite", "kim", *common]) == 1
    assert "set FIELDSTONE_BASE_URL" in capsys.readouterr().err
    monkeypatch.setenv("FIELDSTONE_BASE_URL", "https://crm.example.com")
    assert main(["user", "invite", "kim", *common]) == 0
    assert "an invitation for kim was sent to kim@example.com" in capsys.readouterr().out
    [mail] = (tmp_path / "mail").glob("*.eml")
    assert "https://crm.example.com/login/password?link=" in mail.read_text()


def test_password_is_read_from_the_standard_input(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--database", sqlite_url]
    assert main(["user", "create", "kim", "--no-password", *common]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("too short\n"))
    assert main(["user", "password", "kim", *common]) == 1
    assert "a password has at least 10 characters; this has 9" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert main(["user", "password", "kim", *common]) == 0


def test_wrong_names_are_refused_with_the_nearest(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--database", sqlite_url]
    assert main(["user", "create", "kim", "--role", "admni", *common]) == 1
    assert "no role 'admni'\n    fix: write 'admin'?" in capsys.readouterr().err
    assert main(["user", "create", "kim", *common]) == 0
    assert main(["user", "token", "kin", *common]) == 1
    assert "no user 'kin'\n    fix: write 'kim'?" in capsys.readouterr().err
    assert main(["user", "create", "kim", *common]) == 1
    assert main(["user", "deactivate", "kim", *common]) == 0
    assert main(["user", "token", "kim", *common]) == 1  # it would come to life with its user
    assert "kim is not active\n    fix: fieldstone user activate kim" in capsys.readouterr().err
    assert main(["user", "create"]) == 2


def test_serve_makes_what_an_empty_database_needs(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "serve", lambda *args, **more: None)
    monkeypatch.setattr(serve, "must_be_free", lambda *address: None)
    assert main(["serve", "--database", database_url, "--port", "8123"]) == 0
    said = capsys.readouterr()
    assert "The first user is admin, with the password " in said.err
    assert "serving on http://localhost:8123" in said.out
    assert main(["serve", "--database", database_url]) == 0
    assert "password" not in capsys.readouterr().err


def test_first_password_comes_from_the_environment(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "serve", lambda *args, **more: None)
    monkeypatch.setattr(serve, "must_be_free", lambda *address: None)
    monkeypatch.setenv("FIELDSTONE_ADMIN_PASSWORD", "correct horse battery")
    assert main(["serve", "--database", sqlite_url]) == 0
    assert "password" not in capsys.readouterr().err
    with running(sqlite_url) as site:
        assert sessions.sign_in(site.tenant, "admin", "correct horse battery", now=site.now).secret


def test_demo_makes_people_and_records_once(
    database_url: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["demo", "--no-serve", "--package", str(package), "--database", database_url]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert "lin         fieldstone-demo       seller          林悦" in first
    assert "admin       fieldstone-demo       admin" in first
    with running(database_url) as site:
        assert names_of(site, "lin") == ["Mine"]
        assert names_of(site, "admin") == ["Another", "Mine"]
        site.records("lin").create("note", {"name": "New"})
    assert main(command) == 0
    with running(database_url) as site:
        assert names_of(site, "lin") == ["Mine", "New"]


def test_demo_plays_what_people_did_or_makes_nothing(
    database_url: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["demo", "--no-serve", "--package", str(package), "--database", database_url]
    played = package / "played.yaml"
    step = "scenario: more\nsteps: [{at: now-1d, as: lin, %s: {object: note, values: {name: Made}}}]\n"
    wrong = "---\nscenario: wrong\nsteps: [{at: now-1d, as: lin, delete: {record: note.first}}]\n"
    keyed = (package / "package.yaml").read_text(encoding="utf-8").replace("{name: Mine", "{_key: first, name: Mine")
    (package / "package.yaml").write_text(keyed, encoding="utf-8")
    played.write_text(step % "create" + wrong, encoding="utf-8")
    assert main(command) == 1
    assert "lin could not delete" in capsys.readouterr().err
    played.write_text(step % "create", encoding="utf-8")
    assert main(command) == 0
    with running(database_url) as site:
        assert names_of(site, "lin") == ["Made", "Mine"]
    assert main(command) == 0
    with running(database_url) as site:
        assert names_of(site, "lin") == ["Made", "Mine"]


def names_of(site: Running, username: str) -> list[str]:
    listing = site.records(username).list(Query("note", ("name",), sort=(SortKey("name"),)))
    return [record["name"] for record in listing.records]


def test_demo_takes_changed_definitions_unless_values_would_be_lost(
    sqlite_url: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["demo", "--no-serve", "--package", str(package), "--database", sqlite_url]
    main(command)
    more = SMALL.replace("required: true}", "required: true}\n  level: {type: integer, label: Level}")
    (package / "package.yaml").write_text(more, encoding="utf-8")
    assert main(command) == 0
    with running(sqlite_url) as site:
        assert "level" in site.tenant.snapshot().definitions.objects["note"].fields
        for record in site.records().list(Query("note")).records:
            site.records().update("note", record["id"], {"level": 3})
    (package / "package.yaml").write_text(SMALL, encoding="utf-8")
    capsys.readouterr()
    assert main(command) == 0
    assert "would lose values" in capsys.readouterr().out
    with running(sqlite_url) as site:
        assert "level" in site.tenant.snapshot().definitions.objects["note"].fields


def test_demo_leaves_a_tenant_alone_that_it_did_not_make(
    database_url: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "create", "kim", "--database", database_url]) == 0
    assert main(["demo", "--no-serve", "--package", str(package), "--database", database_url]) == 1
    assert "tenant 'main' of this database was not made by `fieldstone demo`" in capsys.readouterr().err


def test_demo_that_others_can_reach_has_no_known_password(
    sqlite_url: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["demo", "--no-serve", "--package", str(package), "--database", sqlite_url]
    main(command)
    capsys.readouterr()
    assert main([*command, "--host", "0.0.0.0"]) == 0
    said = capsys.readouterr()
    assert "others can reach this address" in said.err
    assert "fieldstone-demo" not in said.out
    assert main(command) == 0
    assert "lin         (as you set it)" in capsys.readouterr().out


def test_serve_warns_of_a_demo_that_others_can_reach(
    sqlite_url: str, package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serve, "serve", lambda *args, **more: None)
    monkeypatch.setattr(serve, "must_be_free", lambda *address: None)
    main(["demo", "--no-serve", "--package", str(package), "--database", sqlite_url])
    assert main(["serve", "--database", sqlite_url]) == 0
    assert "WARNING" not in capsys.readouterr().err
    assert main(["serve", "--database", sqlite_url, "--host", "0.0.0.0"]) == 0
    assert "WARNING: admin, lin of the demo can be signed in by anyone" in capsys.readouterr().err


def test_demo_reset_begins_anew_but_never_deletes_a_named_database(
    sqlite_url: str, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["demo", "--no-serve", "--package", str(package)]
    assert main([*command, "--reset", "--database", sqlite_url]) == 1
    here = ["--data", str(tmp_path / "data")]
    assert main([*command, *here]) == 0
    assert main([*command, *here, "--reset"]) == 0
    assert (tmp_path / "data/main.db").exists()


def test_demo_finds_the_crm_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert (demo.example() / "package.yaml").is_file()


@pytest.mark.parametrize(
    ("host", "hosts"), [("127.0.0.1", ()), ("localhost", ()), ("0.0.0.0", ("*",)), ("192.0.2.7", ("192.0.2.7",))]
)
def test_demo_answers_under_the_address_that_was_named(host: str, hosts: tuple[str, ...]) -> None:
    assert demo.hosts_for(host, ()) == hosts


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_is_refused_before_anything_is_made(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert main([command, "--port", str(port), "--data", str(tmp_path / "data")]) == 1
    said = capsys.readouterr()
    assert (
        said.err == f"fieldstone: port {port} is in use by another program\n    fix: name another: --port {port + 1}\n"
    )
    assert said.out == ""
    assert not (tmp_path / "data").exists()


def test_a_demo_whose_changed_files_would_lose_values_says_what_to_type(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    start = ["demo", "--no-serve", "--package", str(package), "--data", str(data)]
    field = "  name: {type: text, label: Name, required: true}\n"
    manifest = package / "package.yaml"
    manifest.write_text(SMALL.replace(field, f"{field}  age: {{type: integer, default: 7}}\n"), encoding="utf-8")
    assert main(start) == 0
    manifest.write_text(SMALL, encoding="utf-8")
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("sys.argv", [".venv/bin/fieldstone", *start])
    capsys.readouterr()
    assert main(start) == 0
    said = capsys.readouterr().out
    assert "so the former ones run. See:\n" in said
    assert f"\n    .venv/bin/fieldstone plan {package} --data {data}\n" in said

"""`fieldstone tenant`, as a person or a script uses it."""

import io
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from engine.cli import main
from engine.tenancy import storage
from engine.tenancy.catalogue import Catalogue
from engine.tenancy.restore import Place
from engine.tenants import storage_of
from tests.tenants.test_backup import SHOP

Run = Callable[..., int]


@pytest.fixture
def run(place: Place, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("FIELDSTONE_DATABASE_URL", raising=False)
    monkeypatch.delenv("FIELDSTONE_TENANT", raising=False)
    monkeypatch.setenv("FIELDSTONE_ADMIN_PASSWORD", "a-long-password-of-ours")

    def command(*words: object) -> int:
        return main(["tenant", *map(str, words), "--data", str(place.data), "--database", place.url])

    return command


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "shops"
    folder.mkdir()
    (folder / "package.yaml").write_text(SHOP, encoding="utf-8")
    return folder


def listed(run: Run, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[object, ...]]:
    capsys.readouterr()
    assert run("list", "--json") == 0
    rows = orjson.loads(capsys.readouterr().out)
    return {row["name"]: (row["state"], row["hosts"], row["version"], row["sandbox_of"]) for row in rows}


def test_the_life_of_a_tenant(
    run: Run, package: Path, place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listed(run, capsys) == {}
    assert run("create", "north", "--host", "CRM.north.test", "--package", package) == 0
    assert run("create", "plain") == 0
    assert listed(run, capsys) == {
        "north": ("active", ["crm.north.test"], 1, None), "plain": ("active", [], 1, None),
    }  # fmt: skip
    assert run("suspend", "plain") == 0
    assert run("hosts", "plain", "a.test", "B.test.", "b.test") == 0
    assert "plain has the host names: a.test, b.test" in capsys.readouterr().out
    assert run("clone", "north", "play", "--sandbox") == 0
    assert run("backup", "north", tmp_path / "north.zip") == 0
    assert "version 1" in capsys.readouterr().out
    assert run("restore", tmp_path / "north.zip", "--as", "again", "--host", "again.test") == 0
    with closing(Catalogue(place.url, place.data)) as catalogue:
        catalogue.set_state("north", "unfinished")  # as a restore leaves it that is killed after its switch
    assert run("restore", tmp_path / "north.zip", "--over") == 0
    what_others_store_is_no_tenant(run, place, tmp_path)
    assert listed(run, capsys) == {
        "again": ("active", ["again.test"], 1, None),
        "north": ("active", ["crm.north.test"], 2, None),
        "plain": ("suspended", ["a.test", "b.test"], 1, None),
        "play": ("active", [], 1, "north"),
    }
    for name in ("again", "north", "plain", "play"):
        assert run("delete", name, "--yes") == 0
    assert listed(run, capsys) == {}
    assert storage.stored_names(place.url, place.data) == []
    assert sorted(path.name for path in place.data.glob("*.db") if not path.name.startswith("fs_")) == []


def what_others_store_is_no_tenant(run: Run, place: Place, tmp_path: Path) -> None:
    with closing(storage_of(place.url, place.data, "hr")) as theirs, theirs.write() as connection:
        if connection.dialect == "postgresql":
            connection.run("CREATE SCHEMA hr")
        connection.run("CREATE TABLE salary (amount integer)")
    for words in (
        ("backup", "hr", tmp_path / "hr.zip"), ("clone", "hr", "copy"), ("suspend", "hr"), ("hosts", "hr", "hr.test"),
        ("create", "hr"), ("restore", tmp_path / "north.zip", "--as", "hr", "--over"), ("delete", "hr", "--yes"),
    ):  # fmt: skip
        assert run(*words) == 1, words
    with closing(storage_of(place.url, place.data, "hr")) as theirs:
        with theirs.read() as connection:
            assert connection.rows("SELECT amount FROM salary") == []
        storage.drop(theirs)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "north"), "there is a tenant 'north' already"),
        (("create", "North"), "'North' cannot name a tenant"),
        (("create", "fs_tenants"), "'fs_tenants' cannot name a tenant"),
        (("create", "south", "--host", "taken.test"), "the host name 'taken.test' is the tenant north's"),
        (("create", "south", "--host", "http://a.test"), "'http://a.test' is not a host name"),
        (("create", "south", "--host", "münchen.test"), "write it as browsers send it: xn--"),
        (("create", "south", "--package", "nowhere"), "nowhere"),
        (("clone", "north", "north"), "there is a tenant 'north' already"),
        (("clone", "nobody", "south"), "there is no tenant 'nobody'"),
        (("clone", "north", "south", "--host", "taken.test"), "the host name 'taken.test' is the tenant north's"),
        (("backup", "nobody", "x.zip"), "there is no tenant 'nobody'"),
        (("restore", "nothing.zip"), "No such file"),
        (("suspend", "nobody"), "there is no tenant 'nobody'"),
        (("delete", "nobody", "--yes"), "there is no tenant 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    run: Run, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert run("create", "north", "--host", "taken.test") == 0
    before = listed(run, capsys)
    assert run(*words) == 1
    found = capsys.readouterr()
    assert said in found.err + found.out
    assert listed(run, capsys) == before


def test_deleting_asks_for_the_name(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("create", "north") == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("nort\n"))
    assert run("delete", "north") == 1
    assert "nothing was deleted" in capsys.readouterr().err
    assert list(listed(run, capsys)) == ["north"]
    monkeypatch.setattr("sys.stdin", io.StringIO("north\n"))
    assert run("delete", "north") == 0
    assert listed(run, capsys) == {}


def test_a_tenant_that_was_made_without_it_is_listed_and_can_be_suspended(
    run: Run, place: Place, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", str(package), "--data", str(place.data), "--database", place.url]) == 0
    assert listed(run, capsys) == {"main": ("active", [], 1, None)}
    for words in (["user", "list"], ["secrets", "rotate"], ["automation", "runs"]):  # of a name that is misspelt
        assert main([*words, "--tenant", "mian", "--data", str(place.data), "--database", place.url]) == 1
        assert "there is no tenant 'mian'" in capsys.readouterr().err
    assert listed(run, capsys) == {"main": ("active", [], 1, None)}
    assert run("suspend", "main") == 0
    assert listed(run, capsys) == {"main": ("suspended", [], 1, None)}
    assert run("resume", "main") == 0
    with closing(place.tenant("main")) as tenant, tenant.database.read() as connection:
        kinds = [kind for (kind,) in connection.rows("SELECT kind FROM fs_audit ORDER BY at, chain, seq")]
    assert [kind for kind in kinds if kind.startswith("tenant.")] == ["tenant.suspend", "tenant.resume"]
    assert listed(run, capsys) == {"main": ("active", [], 1, None)}


def test_a_file_that_cannot_be_read_hides_no_other_tenant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--database", "", "--data", str(tmp_path)]
    (tmp_path / "broken.db").write_bytes(b"x" * 5000)
    (tmp_path / "notes.db").write_bytes(b"")
    assert main(["tenant", "list", *place]) == 0
    assert capsys.readouterr().out.split() == ["broken", "version", "0", "unreadable"]
    assert main(["tenant", "delete", "broken", "--yes", *place]) == 0
    assert not (tmp_path / "broken.db").exists()


def test_the_log_of_a_database_goes_before_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: gone.append(path.name))
    storage.drop(storage_of("", tmp_path, "north"))
    assert gone == ["north.db-wal", "north.db-shm", "north.db-journal", "north.db"]


def test_an_argument_that_is_no_text_and_numbers_that_are_too_large_are_said_to_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--database", "", "--data", str(tmp_path)]
    assert main(["jobs", "list", "--kind", "\udcff", *place]) == 2
    assert capsys.readouterr().err == "fieldstone: an argument is not text in UTF-8\n"
    assert main(["jobs", "list", "--limit", f"{10**30}", *place]) == 0
    assert main(["audit", "prune", "--days", f"{10**30}", *place]) == 0
    assert main(["audit", "verify", "--anchor", "\u00b2.2.x", *place]) == 1
    assert "is not an anchor" in capsys.readouterr().err

"""Secrets: encrypted in the database, masked in every answer, out of reach of every question."""

import base64
import logging
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from engine.cli import main
from engine.context import context_of
from engine.errors import BadInput
from engine.keyring import KeyMissing, Keyring, make_key, read_keys
from engine.mail.jobs import said_in, send_later
from engine.mail.message import Mail
from engine.people import totp
from engine.sealed import DOTS, Sealed, Unsealed, mask_of
from engine.secrets import decrypt, rotate
from engine.service import AggregateQuery, Query, Records, SortKey
from engine.store import system, system_jobs
from engine.tenancy.rows import lines_of
from engine.tenants import open_tenant
from engine.testing import Running, running
from tests.records.conftest import NOW

CANARY = "canary-5f1d77c0-token"
CARD = "6222021234567890123"
VAULT = """
package: vaults
version: 1.0.0
label: Vaults
---
object: account
label: Account
fields:
  name: {type: text, label: Name}
  token: {type: secret, label: Token}
  card: {type: secret, label: Card, mask: first3_last4}
  pin: {type: secret, label: Pin, length: 20, required: true}
---
object: order
label: Order
fields:
  name: {type: text, label: Name}
  account: {type: reference, to: account, label: Account}
---
role: clerk
label: Clerk
objects: {account: [create, read, update, delete], order: [create, read]}
"""


@pytest.fixture
def vault(database_url: str) -> Iterator[Running]:
    with running(database_url, [VAULT], now=NOW) as site:
        site.user("ann", "clerk")
        yield site


def made(site: Running, **more: object) -> dict:
    return site.records("ann").create("account", {"name": "Acme", "pin": "0000", "token": CANARY, **more})


def raw(site: Running, column: str) -> list[str]:
    with site.tenant.database.read() as connection:
        return [row[0] for row in connection.rows(f'SELECT "{column}" FROM "account" ORDER BY "id"')]


def opened(site: Running, record: str, field: str) -> str:
    stored = site.records("ann").get_row("account", record, (field,))[field]
    assert isinstance(stored, Sealed)
    return decrypt(site.context(), "account", field, stored)


def test_answers_hold_the_mask_and_the_engine_can_read_it(vault: Running) -> None:
    record = made(vault, card=CARD)
    assert (record["token"], record["card"], record["pin"]) == (DOTS, "622••••••0123", DOTS)
    records = vault.records("ann")
    assert records.get("account", record["id"])["card"] == "622••••••0123"
    assert records.list(Query("account")).records[0]["card"] == "622••••••0123"
    order = records.create("order", {"account": record["id"]})
    assert records.get("order", order["id"], ["account.card"])["account.card"] == "622••••••0123"
    assert (opened(vault, record["id"], "token"), opened(vault, record["id"], "card")) == (CANARY, CARD)


@pytest.mark.parametrize(
    ("plain", "kind", "mask"),
    [
        ("secret", "all", DOTS), ("1234567", "last4", DOTS), ("12345678", "last4", "••••••5678"),
        ("1380013800", "first3_last4", DOTS), ("13800138000", "first3_last4", "138••••••8000"), ("", "last4", DOTS),
    ],
)  # fmt: skip
def test_a_mask_tells_little_and_nothing_of_the_length(plain: str, kind: str, mask: str) -> None:
    assert mask_of(plain, kind) == mask  # type: ignore[arg-type]


def test_the_same_secret_is_never_stored_alike(vault: Running) -> None:
    made(vault)
    made(vault)
    one, other = raw(vault, "token")
    assert one != other
    assert one.startswith("s1.")
    assert CANARY not in one + other


def test_the_mask_sent_back_keeps_the_secret(vault: Running) -> None:
    record = made(vault, card=CARD)
    records = vault.records("ann")
    again = records.update("account", record["id"], {"token": DOTS, "card": "622••••••0123", "pin": DOTS})
    assert again["version"] == 1
    assert opened(vault, record["id"], "card") == CARD
    changed = records.update("account", record["id"], {"name": "Acme Ltd", "card": "622••••••0123"})
    assert (changed["version"], opened(vault, record["id"], "card")) == (2, CARD)


def test_the_same_secret_sent_again_is_no_change(vault: Running) -> None:
    record = made(vault)
    assert vault.records("ann").update("account", record["id"], {"token": CANARY})["version"] == 1
    assert vault.records("ann").update("account", record["id"], {"token": CANARY + "2"})["version"] == 2
    assert opened(vault, record["id"], "token") == CANARY + "2"
    assert vault.records("ann").update("account", record["id"], {"token": None})["token"] is None


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"token": "622••••••0123"}, "value.secret.mask"),
        ({"token": 12345678}, "value.type"),
        ({"token": {"a": CANARY}}, "value.type"),
        ({"pin": CANARY}, "value.secret.long"),
        ({"pin": None}, "value.required"),
        ({"token": "\ud800" + CANARY}, "value.secret.character"),
    ],
)
def test_a_refusal_quotes_nothing_of_it(vault: Running, values: dict[str, object], code: str) -> None:
    with pytest.raises(BadInput) as refused:
        vault.records("ann").create("account", {"pin": "0000", **values})
    assert [problem.code for problem in refused.value.problems] == [code]
    told = f"{refused.value} {refused.value.problems}"
    assert CANARY not in told
    assert "12345678" not in told


QUESTIONS = {
    "filter": Query("account", filter="token == 'x'"),
    "filter through a reference": Query("order", filter="account.token != null"),
    "sort": Query("account", sort=(SortKey("token"),)),
    "sort through a reference": Query("order", sort=(SortKey("account.token", True),)),
    "conditions": Query("account", conditions=(("token", "begins", "c"),)),
    "conditions blank": Query("account", conditions=(("token", "blank", None),)),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_question_is_answered_about_a_secret(vault: Running, name: str) -> None:
    made(vault)
    with pytest.raises(BadInput) as refused:
        vault.records("ann").list(QUESTIONS[name])
    assert refused.value.code == ("formula.secret" if "filter" in name else "field.secret")
    assert "is a secret" in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        AggregateQuery("account", group=("token",)),
        AggregateQuery("account", measures=("distinct(token)",)),
        AggregateQuery("account", measures=("count(token)",)),
        AggregateQuery("account", group=("name",), having="max(token) > 'a'"),
        AggregateQuery("order", group=("account.token",)),
    ],
)
def test_no_group_or_measure_is_made_of_a_secret(vault: Running, query: AggregateQuery) -> None:
    with pytest.raises(BadInput) as refused:
        vault.records("ann").aggregate(query)
    assert refused.value.code in ("field.secret", "formula.secret")


def test_the_search_box_does_not_read_secrets(vault: Running) -> None:
    made(vault)
    assert vault.records("ann").list(Query("account", search="canary")).records == []
    assert vault.records("ann").options("account", "s1.") == []


def test_the_history_says_only_that_it_changed(vault: Running) -> None:
    record = made(vault, card=CARD)
    records = vault.records("ann")
    records.update("account", record["id"], {"card": "6222029999999999999"})
    records.update("account", record["id"], {"card": None})
    changes = [change.changes for change in records.history("account", record["id"])]
    assert changes[:2] == [{"card": (DOTS, None)}, {"card": (DOTS, DOTS)}]
    with vault.tenant.database.read() as connection:
        kept = "".join(str(row) for row in connection.sa.scalars(sa.select(system.history.c.changes)))
    assert "0123" not in kept
    assert "9999" not in kept


def test_the_plain_text_is_nowhere(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers: list[str] = []
    with running(sqlite_url, [VAULT], now=NOW, ui="ui.pages:mount", access_log=True) as site:
        site.user("ann", "clerk")
        client, screens = site.client("ann"), site.client("ann", by="session")

        def ask(method: str, path: str, who: object = client, **more: object) -> dict:
            answer = who.request(method, path, **more)  # type: ignore[attr-defined]
            answers.append(answer.text + str(answer.headers))
            return answer.json() if "json" in answer.headers.get("content-type", "") else {}

        records = "/api/v1/records/account"
        body = {"name": "A", "pin": "0000", "token": CANARY}
        one = ask("POST", records, json=body, headers={"idempotency-key": "a"})["id"]
        ask("POST", records, json=body, headers={"idempotency-key": "a"})
        ask("POST", records, json={**body, "pin": CANARY})
        ask("POST", records, json={**body, "nme": "x"})
        ask("POST", records, content=b'{"token": "' + CANARY.encode() + b'"')
        ask("PATCH", f"{records}/{one}", json={"token": CANARY + "2"})
        ask("PUT", f"{records}/by/token/{CANARY[:3]}", json={})
        many = [{"action": "create", "values": one} for one in ({**body, "pin": CANARY}, body)]
        ask("POST", f"{records}/batch", json={"atomic": False, "operations": many})
        ask("GET", f"{records}/{one}")
        ask("GET", records)
        ask("GET", f"{records}?search={CANARY[:6]}")
        ask("GET", "/api/v1/objects/account")
        ask("GET", "/api/v1/openapi.json")
        token = screens.headers["x-csrf-token"]
        form = {"_csrf": token, "name": "B", "pin": "0000", "token": CANARY}
        ask("POST", "/o/account/new", screens, data=form)
        ask("POST", "/o/account/new", screens, data={**form, "pin": ""})
        ask("POST", f"/o/account/{one}/edit", screens, data={**form, "version": "1"})
        for path in ("/o/account", f"/o/account/{one}", f"/o/account/{one}/edit", f"/o/account/new?_like={one}",
                     "/o/account?q=canary", "/search?q=canary", "/"):  # fmt: skip
            ask("GET", path, screens)
        assert len(site.records("ann").list(Query("account")).records) >= 3
        with site.tenant.database.read() as connection:
            connection.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        files = [path for path in site.folder.rglob("*") if path.is_file()]
        files += list(Path(sqlite_url.removeprefix("sqlite:///")).parent.glob("test.db*"))
        stored = b"".join(path.read_bytes() for path in files)
    assert b"SQLite format" in stored
    for place in (*answers, caplog.text):
        assert CANARY not in place
    for text in (CANARY.encode(), CANARY.encode("utf-16-le"), base64.b64encode(CANARY.encode())[:24]):
        assert text not in stored


def test_a_secret_that_is_moved_elsewhere_cannot_be_read(vault: Running) -> None:
    record = made(vault, card=CARD)
    with vault.tenant.database.write() as connection:
        connection.run('UPDATE "account" SET "token" = "card"')
    stored = vault.records("ann").get_row("account", record["id"], ("token",))["token"]
    with pytest.raises(KeyMissing, match="not the one that was put into this field"):
        decrypt(vault.context(), "account", "token", stored)
    vault.records("ann").update("account", record["id"], {"token": CANARY})
    assert opened(vault, record["id"], "token") == CANARY


def test_a_rename_keeps_secrets_and_a_narrower_mask_counts_at_once(vault: Running) -> None:
    record = made(vault, card=CARD)
    renamed = VAULT.replace("card: {type: secret, label: Card, mask: first3_last4}",
                            "number: {was: card, type: secret, label: Card, mask: last4}")  # fmt: skip
    vault.publish(renamed)
    assert vault.records("ann").get("account", record["id"])["number"] == "••••••0123"
    assert opened(vault, record["id"], "number") == CARD
    vault.publish(renamed.replace("mask: last4", "mask: all"))
    assert vault.records("ann").get("account", record["id"])["number"] == DOTS
    assert all("0123" not in text for text in raw(vault, "card"))


def test_a_text_becomes_a_secret_and_is_forgotten_as_a_text(vault: Running) -> None:
    plain = VAULT.replace("token: {type: secret", "token: {type: text")
    vault.publish(VAULT.replace("  token: {type: secret, label: Token}\n", ""))
    vault.publish(plain)
    record = made(vault)
    vault.records("ann").update("account", record["id"], {"token": CANARY + "2", "name": "B"})
    vault.publish(VAULT)
    assert vault.records("ann").get("account", record["id"])["token"] == DOTS
    assert opened(vault, record["id"], "token") == CANARY + "2"
    with vault.tenant.database.read() as connection:
        kept = list(
            connection.sa.scalars(sa.select(system.history.c.changes).where(system.history.c.object == "account"))
        )
    assert CANARY not in str(kept)
    assert vault.records("ann").history("account", record["id"])[0].changes == {"name": ("Acme", "B")}


def test_a_secret_never_becomes_readable_by_a_publish(vault: Running) -> None:
    made(vault)
    with pytest.raises(BadInput) as refused:
        vault.publish(VAULT.replace("token: {type: secret", "token: {type: text"))
    told = str([problem.message for problem in refused.value.problems])
    assert "no value of the old type is one of the new" in told
    assert DOTS in told


def test_the_first_key_encrypts_and_all_decrypt(tmp_path: Path) -> None:
    old, new = os.urandom(32), os.urandom(32)
    before = Keyring([old])
    sealed = before.seal(Unsealed(CANARY, "last4"), "account.token")
    both = Keyring([new, old])
    assert both.open(Sealed.read(sealed.text, "last4"), "account.token") == CANARY
    renewed = both.seal(Unsealed(CANARY, "all"), "account.token")
    assert renewed.key_id != sealed.key_id
    with pytest.raises(KeyMissing, match=f"the key {renewed.key_id}, which is not there"):
        before.open(renewed, "account.token")
    with pytest.raises(KeyMissing):
        both.open(sealed, "account.pin")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = Keyring.in_folder(tmp_path / "data")
    path = tmp_path / "data" / "secret.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(path.read_text())) == 32
    make_key(path)  # another process, a moment later
    assert Keyring.in_folder(tmp_path / "data").first == first.first
    assert [entry.name for entry in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_keys_come_from_the_environment(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDSTONE_SECRET_KEY", base64.b64encode(b"k" * 32).decode())
    with running(sqlite_url, [VAULT], now=NOW) as site:
        site.user("ann", "clerk")
        record = made(site)
        assert opened(site, record["id"], "token") == CANARY
        assert not (site.folder / "secret.key").exists()


@pytest.mark.parametrize("text", ["", "short", "A" * 43 + "é", base64.b64encode(b"x" * 31).decode(), ","])
def test_a_key_that_cannot_be_is_refused_unquoted(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_keys(f"{base64.b64encode(b'k' * 32).decode()},{text}")
    assert str(refused.value) == "FIELDSTONE_SECRET_KEY: key 2 is not 32 bytes in base64"
    assert refused.value.code == "secret.key"


def test_what_is_not_encrypted_is_not_stored(vault: Running) -> None:
    field = vault.tenant.snapshot().definitions.objects["account"].fields["token"]
    column = vault.tenant.plugins.fields[field.type].column(field)
    dump = column.dumper("sqlite")  # type: ignore[attr-defined]
    for value in (CANARY, Unsealed(CANARY, "all")):
        with pytest.raises(TypeError, match="a secret is encrypted before it is stored"):
            dump(value)
    assert (repr(Unsealed(CANARY, "all")), str(Unsealed(CANARY, "all"))) == (DOTS, DOTS)


def test_definitions_cannot_make_a_secret_readable(vault: Running) -> None:
    for wrong in ("unique: true", "index: true", "default: x"):
        with pytest.raises(AssertionError, match="a field of type 'secret'"):
            vault.publish(VAULT.replace("type: secret, label: Token", f"type: secret, label: Token, {wrong}"))
    for line in ("search: [token]", "title: token", "unique: [[name, token]]", "indexes: [[token]]"):
        with pytest.raises(AssertionError, match="is a field of type 'secret'"):
            vault.publish(VAULT.replace("object: account\n", f"object: account\n{line}\n"))


def test_two_secrets_that_are_the_same_are_equal_and_hash_alike() -> None:
    one, other = Unsealed("a", "all"), Unsealed("a", "last4")
    assert (one == other, hash(one) == hash(other), one == Unsealed("b", "all"), one == "a") == (
        True,
        True,
        False,
        False,
    )
    with pytest.raises(TypeError):  # of a dataclass orjson would write the members
        orjson.dumps(one)


def test_secrets_are_encrypted_anew_with_the_first_key(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    monkeypatch.setenv("FIELDSTONE_SECRET_KEY", old)
    with running(database_url, [VAULT], now=NOW) as site:
        site.user("ann", "clerk")
        record = made(site, card=CARD)
        gone = made(site, pin="1234")
        site.records("ann").delete("account", gone["id"])
        options = ["--database", database_url, "--data", str(site.folder)]
        app = totp.begin(site.tenant, site.user("ann"), NOW)
        with site.tenant.database.write() as connection:
            send_later(connection, site.tenant, Mail("ada@example.com", "Hello", "there"), now=NOW)
        before = raw(site, "token")
        monkeypatch.setenv("FIELDSTONE_SECRET_KEY", new)
        with closing(open_tenant(database_url, site.folder)) as other, pytest.raises(KeyMissing):
            rotate(other)  # without the old one nothing is changed
        assert raw(site, "token") == before
        monkeypatch.setenv("FIELDSTONE_SECRET_KEY", f"{new},{old}")
        assert main(["secrets", "rotate", *options]) == 0
        assert main(["secrets", "rotate", *options]) == 0
        assert capsys.readouterr().out == "7 secrets encrypted anew\nall secrets have the first key\n"
    monkeypatch.setenv("FIELDSTONE_SECRET_KEY", new)
    with closing(open_tenant(database_url, site.folder)) as tenant:
        ctx = context_of(tenant, now=NOW)
        row = Records(ctx).get_row("account", record["id"], ("token", "card", "pin", "version"))
        assert [decrypt(ctx, "account", name, row[name]) for name in ("token", "card", "pin")] == [CANARY, CARD, "0000"]
        assert (row["card"].mask, row["version"]) == ("622••••••0123", 1)
        assert Records(ctx).restore("account", gone["id"])["id"] == gone["id"]
        assert totp.waiting(tenant, site.user("ann")) == app
        keys = set[str]()  # those that a backup says are needed
        with tenant.database.steady() as connection:
            (mail,) = connection.sa.scalars(sa.select(system_jobs.job.c.payload)).all()
            assert said_in(tenant, orjson.loads(mail))["text"] == "there"
            assert len(list(lines_of(connection, system.totp, keys))) == 1
        assert keys == {tenant.secrets.first}

"""A person's data is taken out whole, and after an erasure it is found nowhere, while the audit log still verifies."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest

from engine.audit.verify import verify
from engine.cli import main
from engine.context import SYSTEM, Context, context_of
from engine.errors import BadInput, Forbidden
from engine.privacy.erase import erase, expire
from engine.privacy.export import export, report
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
CANARY = "Zyxwvut"

FIRM = """
package: firm
version: 1.0.0
label: Firm
---
object: contact
label: Contact
data_subject: true
duplicates:
  - {rule: same, match: {name: name}}
fields:
  name: {type: text, label: Name, required: true, length: 80, privacy: {category: identity, purpose: to know who it is}}
  code: {type: text, label: Code, required: true, unique: true, length: 80, privacy: {category: identity}}
  phone: {type: text, label: Phone, privacy: {category: contact, retention: 30}}
  picture: {type: file, label: Picture, privacy: {category: identity}}
  level: {type: integer, label: Level, required: true, privacy: {category: other}}
  city: {type: text, label: City}
---
object: visit
label: Visit
kind: child
fields:
  contact: {type: reference, to: contact, label: Contact, master: true}
  notes: {type: text, label: Notes, privacy: {category: health}}
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name}
  contact: {type: reference, to: contact, label: Contact}
  buyer: {type: text, label: Buyer, privacy: {category: contact}}
"""


@pytest.fixture
def firm(database_url: str) -> Iterator[Running]:
    with running(database_url, [FIRM], now=NOW) as site:
        site.user("boss", "admin")
        site.user("lin")
        yield site


def system(site: Running) -> Context:
    return context_of(site.tenant, SYSTEM, site.now)


def fill(site: Running) -> str:
    """Ada, with all that she can leave behind; her id."""
    client = site.client("boss")
    headers = {"content-type": "text/plain"}
    file = client.post(f"/api/v1/files?name={CANARY}.txt", content=f"{CANARY} file".encode(), headers=headers).json()
    sent = {"name": f"{CANARY} Ada", "code": f"{CANARY}1", "phone": f"{CANARY}555", "level": 3, "city": "Oslo",
            "picture": file["id"]}  # fmt: skip
    answer = client.post("/api/v1/records/contact", json=sent, headers={"idempotency-key": "k1"})
    assert answer.status_code == 201, answer.text
    ada = str(answer.json()["id"])
    records = site.records("boss")
    records.update("contact", ada, {"name": f"{CANARY} Ada L."})
    records.create("visit", {"contact": ada, "notes": f"{CANARY} is ill"})
    records.create("deal", {"name": "Pumps", "contact": ada, "buyer": f"{CANARY} again"})
    gone = records.create("visit", {"contact": ada, "notes": f"{CANARY} in the trash"})["id"]
    records.delete("visit", gone, None)
    twin = records.create("contact", {"name": f"{CANARY} Twin", "code": f"{CANARY}2", "level": 1})["id"]
    records.merge("contact", ada, [twin], {"phone": twin, "code": ada})
    return ada


def places(site: Running) -> list[str]:
    """Where the canary is found: tables, and contents of files."""
    found = []
    with site.tenant.database.read() as connection:
        if connection.dialect == "sqlite":
            tables = connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        else:
            tables = connection.rows("SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
                                     " WHERE relkind = 'r' AND nspname = current_schema")  # fmt: skip
        for (table,) in tables:
            if any(CANARY.lower() in repr(row).lower() for row in connection.rows(f'SELECT * FROM "{table}"')):
                found.append(table)
    for hash_ in site.tenant.files.hashes():
        with site.tenant.files.open(hash_) as content:
            if CANARY.encode() in content.read():
                found.append("file")
    return sorted(found)


def test_after_an_erasure_it_is_found_nowhere(firm: Running) -> None:
    ada = fill(firm)
    assert {"fs_history", "fs_file", "fs_idempotency", "file"} <= set(places(firm))
    done = erase(system(firm), "contact", ada)
    assert places(firm) == []
    assert (dict(done.fields), done.kept) == (
        {"contact": ["name", "code", "phone", "picture"], "visit": ["notes"], "deal": ["buyer"]}, ["contact.level"],
    )  # fmt: skip
    left = firm.records("boss").get("contact", ada)
    assert (left["name"], left["code"], left["phone"], left["city"]) == ("[erased]", f"erased-{ada}", None, "Oslo")
    assert not verify(firm.tenant).findings


def test_that_it_was_done_is_kept(firm: Running) -> None:
    ada = fill(firm)
    ctx = firm.context("boss")
    erase(ctx, "contact", ada)
    (entry,) = firm.client("boss").get("/api/v1/audit?kind=privacy.erase").json()["entries"]
    assert (entry["by"]["id"], entry["record"], entry["at"]) == (ctx.actor.id, ada, "2026-11-22T02:15:00.000Z")
    assert entry["details"]["fields"]["visit"] == ["notes"]


def test_all_that_is_kept_of_a_person_is_exported(firm: Running, tmp_path: Path) -> None:
    ada = fill(firm)
    counts = export(system(firm), "contact", ada, tmp_path / "ada.zip")
    with zipfile.ZipFile(tmp_path / "ada.zip") as archive:
        data = json.loads(archive.read("data.json"))
        (file,) = [name for name in archive.namelist() if name.startswith("files/")]
        assert archive.read(file) == f"{CANARY} file".encode()
    assert counts == {"records": 5, "files": 1}
    assert sorted(record["object"] for record in data["records"]) == ["contact", "contact", "deal", "visit", "visit"]
    own = next(record for record in data["records"] if record["id"] == ada)
    assert own["values"]["name"] == f"{CANARY} Ada L."
    assert own["history"][-1]["changes"]["name"] == [None, f"{CANARY} Ada"]


def test_only_administrators_handle_it(firm: Running, tmp_path: Path) -> None:
    ada = fill(firm)
    ctx = firm.context("lin")
    for refused in (
        lambda: erase(ctx, "contact", ada), lambda: export(ctx, "contact", ada, tmp_path / "x.zip"),
        lambda: report(ctx), lambda: expire(ctx),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            refused()
    assert not (tmp_path / "x.zip").exists()


def test_an_object_about_no_person_is_refused(firm: Running) -> None:
    with pytest.raises(BadInput) as refusal:
        erase(system(firm), "deal", "0190b9f0-0000-7000-8000-000000000000")
    assert refusal.value.code == "privacy.subject"


def test_what_is_over_its_time_is_erased(firm: Running) -> None:
    ada = fill(firm)
    bob = firm.records("boss").create("contact", {"name": "Bob", "code": "b", "level": 1, "phone": "1"})["id"]
    firm.fixed_now = NOW + timedelta(days=20)
    firm.records("boss").update("contact", bob, {"city": "Rome"})
    firm.fixed_now = NOW + timedelta(days=31)
    before = firm.records("boss").get("contact", ada)["modified_at"]
    assert firm.records("boss").update("contact", ada, {"phone": "777"})["phone"] == "777"
    firm.fixed_now = NOW + timedelta(days=55)
    assert expire(system(firm), is_dry=True) == {"contact.phone": 1}
    assert firm.records("boss").get("contact", bob)["phone"] == "1"
    assert expire(system(firm)) == {"contact.phone": 1}
    assert firm.records("boss").get("contact", bob)["phone"] is None
    assert firm.records("boss").get("contact", bob)["modified_at"] == "2026-12-12T02:15:00.000Z"
    assert firm.records("boss").get("contact", ada)["phone"] == "777"
    assert expire(system(firm)) == {}
    assert before == "2026-11-22T02:15:00.000Z"
    assert not verify(firm.tenant).findings


def test_the_commands(firm: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ada = fill(firm)
    url = firm.tenant.database.url.render_as_string(hide_password=False)
    place = ["--database", url, "--data", str(firm.folder)]
    assert main(["privacy", "report", *place]) == 0
    assert "to know who it is" in capsys.readouterr().out
    assert main(["privacy", "export", "contact", ada, "--out", str(tmp_path / "a.zip"), *place]) == 0
    assert main(["privacy", "erase", "contact", ada, *place]) == 1
    assert "file" in places(firm)
    assert main(["privacy", "erase", "contact", ada, "--yes", *place]) == 0
    assert places(firm) == []
    assert main(["audit", "verify", *place]) == 0


def test_the_api(firm: Running) -> None:
    ada = fill(firm)
    boss, lin = firm.client("boss"), firm.client("lin")
    address = f"/api/v1/privacy/contact/{ada}"
    assert lin.post(f"{address}/export").status_code == 403
    assert lin.post(f"{address}/erase", json={"confirm": ada}).status_code == 403
    sent = boss.post(f"{address}/export")
    with zipfile.ZipFile(BytesIO(sent.content)) as archive:
        assert json.loads(archive.read("data.json"))["id"] == ada
    assert boss.post(f"{address}/erase", json={"confirm": "x"}).status_code == 400
    assert "contact" in "".join(places(firm))
    assert boss.post(f"{address}/erase", json={"confirm": ada}).json()["kept"] == ["contact.level"]
    assert places(firm) == []

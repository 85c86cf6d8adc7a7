"""A person's data is taken out whole, and after an erasure it is found nowhere, while the audit log still verifies."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.audit.verify import verify
from engine.cli import main
from engine.context import SYSTEM, Context, context_of
from engine.errors import BadInput, Conflict, Forbidden
from engine.jobs.port import enqueue
from engine.mail.jobs import said_in, send_later
from engine.mail.message import Mail
from engine.privacy.erase import erase, expire
from engine.privacy.export import export, report
from engine.process.approval.service import Approvals
from engine.process.notices import notify
from engine.process.preferences import set_mail
from engine.service import Query
from engine.store import system as system_tables
from engine.store.database import Connection, new_id
from engine.store.system_approvals import approval_event
from engine.store.system_jobs import job, notification, preference
from engine.store.system_runs import run
from engine.testing import Running, running
from tests.state import state

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
---
approval: deal_ok
label: Deal
object: deal
flow: [{approve: one, label: One, approvers: [{user: lin}], comment: [reject]}]
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
    deal = records.create("deal", {"name": "Pumps", "contact": ada, "buyer": f"{CANARY} again"})["id"]
    Approvals(site.context("boss")).submit("deal", deal, comment="for Oslo")
    (task,) = Approvals(site.context("lin")).inbox().rows
    Approvals(site.context("lin")).act(task.task, "reject", comment="too dear")
    with site.tenant.database.write() as connection:
        more = {"object_name": "deal", "record": deal, "values": {"subject": f"{CANARY} called"}}
        notify(site.context("boss"), connection, [site.user("lin")], "automation", **more)
        tell_others(site, connection, deal)
    gone = records.create("visit", {"contact": ada, "notes": f"{CANARY} in the trash"})["id"]
    records.delete("visit", gone, None)
    twin = records.create("contact", {"name": f"{CANARY} Twin", "code": f"{CANARY}2", "level": 1})["id"]
    records.merge("contact", ada, [twin], {"phone": twin, "code": ada})
    return ada


def tell_others(site: Running, connection: Connection, deal: str) -> None:
    """A call that nobody took, mails that wait, and an automation that does."""
    body = {"url": "https://a.example.com", "object": "deal", "record": deal, "body": {"buyer": f"{CANARY} again"}}
    call = enqueue(connection, "webhook", body, now=site.now)
    connection.sa.execute(sa.update(job).where(job.c.id == call).values(state="parked", error="nobody was there"))
    for to, text in (("boss@example.com", f"{CANARY}: /o/deal/{deal}"), (f"{CANARY}1", "Hello"), ("x@y.zz", "Bye")):
        send_later(connection, site.tenant, Mail(to, "News", text), now=site.now)
    written = {"id": new_id(site.now), "automation": "care", "version": 1, "object": "deal", "record": deal,
               "cause": "save", "state": "waiting", "step": 1, "tries": 0, "created_at": site.now,
               "inputs": '{"action": "create"}', "outputs": f'{{"0": {{"buyer": "{CANARY} again"}}}}'}  # fmt: skip
    connection.sa.execute(sa.insert(run).values(written))


def unsent(site: Running) -> list[tuple[str, str, str]]:
    """(kind, state, to whom or about what) of mails and calls that still say something."""
    with site.tenant.database.read() as connection:
        rows = connection.sa.execute(sa.select(job.c.kind, job.c.state, job.c.payload).order_by(job.c.id)).all()
    said = [(kind, state, said_in(site.tenant, json.loads(payload))) for kind, state, payload in rows]
    return [(kind, state, one.get("to") or one["object"]) for kind, state, one in said if {"to", "object"} & one.keys()]


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
    assert {"fs_history", "fs_file", "fs_idempotency", "fs_job", "fs_run", "file"} <= set(places(firm))
    assert unsent(firm) == [("webhook", "parked", "deal"), ("mail", "waiting", "boss@example.com"),
                            ("mail", "waiting", f"{CANARY}1"), ("mail", "waiting", "x@y.zz")]  # fmt: skip
    done = erase(system(firm), "contact", ada)
    assert places(firm) == []
    assert unsent(firm) == [("mail", "waiting", "x@y.zz")]
    assert (dict(done.fields), done.kept) == (
        {"contact": ["name", "code", "phone", "picture"], "visit": ["notes"], "deal": ["buyer"]}, ["contact.level"],
    )  # fmt: skip
    assert done.comments == 2  # in approvals
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
    assert [(one["kind"], one["state"], one.get("subject")) for one in data["unsent"]] == [
        ("webhook", "parked", None), ("mail", "waiting", "News"), ("mail", "waiting", "News"),
    ]  # fmt: skip
    (content,) = firm.tenant.files.hashes()  # one that is lost keeps nobody from the rest
    firm.tenant.files.delete(content)
    export(system(firm), "contact", ada, tmp_path / "ada.zip")
    with zipfile.ZipFile(tmp_path / "ada.zip") as archive:
        (lost,) = json.loads(archive.read("data.json"))["files"]
    assert (lost["name"], lost["at"]) == (f"{CANARY}.txt", None)
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith("ada.zip")] == ["ada.zip"]


def test_a_user_who_left_is_erased_and_what_they_said_is_kept(firm: Running, tmp_path: Path) -> None:
    fill(firm)
    ctx, lin = firm.context("boss"), firm.user("lin")
    told = {"name": f"{CANARY} Lin", "email": f"{CANARY}@example.com", "phone": "13800138000"}
    firm.records("boss").update("user", lin, told)
    with firm.tenant.database.write() as connection:
        set_mail(connection, lin, {"approval": False})
    export(ctx, "user", lin, tmp_path / "lin.zip")
    with zipfile.ZipFile(tmp_path / "lin.zip") as archive:
        data = json.loads(archive.read("data.json"))
    assert data["records"][0]["values"]["email"] == f"{CANARY}@example.com"
    assert data["preferences"] == {"mail": {"approval": False, "automation": False}}
    assert [one["kind"] for one in data["notifications"]] == ["approval.asked", "automation"]
    assert [(one["action"], one["comment"]) for one in data["said"]] == [("reject", "too dear")]
    before = state(firm)
    with pytest.raises(Conflict) as refusal:
        erase(ctx, "user", lin)
    assert refusal.value.code == "privacy.active"
    assert state(firm) == before
    firm.records("boss").update("user", lin, {"is_active": False})
    done = erase(ctx, "user", lin)
    assert (dict(done.fields), done.comments) == ({"user": ["username", "name", "email", "phone"]}, 1)
    left = firm.records("boss").get("user", lin)
    assert (left["username"], left["name"], left["email"]) == (f"erased-{lin}", "[erased]", None)
    with firm.tenant.database.read() as connection:
        for table in (notification, preference, system_tables.credential, system_tables.session):
            assert connection.sa.execute(sa.select(table).where(table.c.user == lin)).all() == [], table.name
        said = connection.sa.scalars(sa.select(approval_event.c.comment).where(approval_event.c.actor == lin)).all()
    assert [one for one in said if one] == ["too dear"]
    deal = firm.records("boss").list(Query("deal", ("id",))).records[0]["id"]
    (shown,) = Approvals(ctx).of_record("deal", deal)
    assert [line.actor.name for line in shown.history if line.comment] == ["boss", "[erased]"]
    assert not verify(firm.tenant).findings


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
    assert boss.post("/api/v1/privacy/contact/x/export").json()["code"] == "record.unknown"
    assert boss.post(f"/api/v1/privacy/contact/{ada.upper()}/erase", json={"confirm": ada.upper()}).status_code == 404
    assert boss.post(f"{address}/erase", json={"confirm": "x"}).status_code == 400
    assert "contact" in "".join(places(firm))
    assert boss.post(f"{address}/erase", json={"confirm": ada}).json()["kept"] == ["contact.level"]
    assert places(firm) == []

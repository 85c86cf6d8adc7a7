"""What must fail once a guard is taken away: tests/access/guards.py says which guard that is."""

import dataclasses
import io
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

import metadata.files
from engine.access.narrow import TokenScope
from engine.api.site import CSRF_HEADER, Site
from engine.app import create_app
from engine.audit.verify import verify
from engine.context import context_of
from engine.errors import BadInput, EngineError, Forbidden, NotFound, WrongTenant
from engine.outbound import Outbound, OutboundRefused
from engine.service import AggregateQuery, Query, Records, SortKey
from engine.service_writes import update_in
from engine.store import system
from engine.store.database import Database, new_id
from engine.store.query import find, one
from engine.store.rows import current
from engine.testing import BASE_URL, Running
from tests.access.conftest import TEAM

GUARDED = (
    TEAM
    + """---
object: task
label: Task
fields:
  name: {type: text, required: true}
  lead: {type: reference, to: lead}
---
object: paper
label: Paper
sharing: private
fields:
  name: {type: text, required: true}
  scan: {type: file}
---
object: box
label: Box
fields:
  name: {type: text, required: true}
  cap: {type: integer, default: 5}
validations:
  - {rule: high, error_if: "cap < 10 and name == 'bad'", message: Too low., field: cap}
---
approval: sign_off
label: Sign-off
object: box
flow: [{approve: boss, label: Boss, approvers: [{user: gus}], hidden: [cap]}]
---
automation: box_stop
object: box
phase: before_save
when: "name == 'stop'"
run_as: svc
do: [{refuse: {message: "It holds {cap}."}}]
---
automation: box_in
run_as: gus
webhook: {signature: {header: X-Signature}}
do: [{create: {object: box, values: {name: "{body.name}"}}}]
---
role: clerk
objects:
  task: [create, read, update]
  paper: [create, read]
  box: {can: [create, read, update], fields: {cap: hidden}}
---
role: viewer
objects:
  paper: {can: [read], reach: all, fields: {scan: hidden}}
---
role: service
objects: {box: [read]}
"""
)
PEOPLE = {
    "gus": ("seller", "clerk"),
    "hal": ("seller", "clerk"),
    "max": ("marketing",),
    "ana": ("analyst",),
    "ann": ("viewer",),
    "svc": ("service",),
}
Check = Callable[[Running], None]


def passes(work: Callable[[], Any], *kinds: type[EngineError]) -> None:
    with pytest.raises(kinds or (EngineError,)):
        work()


def lead_of(site: Running, username: str) -> str:
    owner = site.user(username)
    found = site.records().list(Query("lead", ("id",), conditions=(("owner", "=", owner),), sort=(SortKey("id"),)))
    return str(found.records[0]["id"])


def served(site: Running, username: str = "", **settings: Any) -> TestClient:
    """A client of an application that is made now, as a guard may be one of its making."""
    app = create_app(dataclasses.replace(site.config, **settings), site.tenant)
    app.state.site.clock = lambda: site.now
    client = TestClient(app, base_url=BASE_URL, follow_redirects=False)
    if username:
        client.headers["authorization"] = f"Bearer {site.token(username)}"
    return client


# What a person sees of records


def list_holds(site: Running) -> None:
    assert [one["name"] for one in site.records("gus").list(Query("lead", ("name",))).records] == ["gus"]


def get_holds(site: Running) -> None:
    passes(lambda: site.records("gus").get("lead", lead_of(site, "hal")), NotFound)


def search_holds(site: Running) -> None:
    assert site.records("gus").list(Query("lead", ("name",), search="hal")).records == []


def aggregate_holds(site: Running) -> None:
    assert site.records("gus").aggregate(AggregateQuery("lead")).total == {"count()": 1}


def count_holds(site: Running) -> None:
    assert site.records("gus").list(Query("lead", ("name",), count="exact")).count == 1


def lookup_holds(site: Running) -> None:
    assert site.records("gus").options("lead", "hal") == []


def history_holds(site: Running) -> None:
    passes(lambda: site.records("gus").history("lead", lead_of(site, "hal")), NotFound)


def trash_holds(site: Running) -> None:
    made = site.records("hal").create("lead", {"name": "binned"})["id"]
    site.records().delete("lead", made)
    assert site.records("gus").list(Query("lead", ("name",), in_trash=True)).records == []


def update_of_unseen_holds(site: Running) -> None:
    passes(lambda: site.records("gus").update("lead", lead_of(site, "hal"), {"stage": "won"}), NotFound)


def path_holds(site: Running) -> None:
    task = site.records().create("task", {"name": "call", "lead": lead_of(site, "hal")})["id"]
    assert site.records("gus").get("task", task, ("lead.name",))["lead.name"] is None


def related_holds(site: Running) -> None:
    site.records().create("call", {"note": "secret", "lead": lead_of(site, "hal")})
    assert site.records("gus").list(Query("call", ("note",))).records == []


def files_hold(site: Running) -> None:
    headers = {"content-type": "text/plain"}
    sent = site.client("hal").post("/api/v1/files?name=a.txt", content=b"secret", headers=headers)
    assert sent.status_code == 201, sent.text
    file = sent.json()
    site.records("hal").create("paper", {"name": "p", "scan": file["id"]})
    assert site.client("gus").get(f"/api/v1/files/{file['id']}").status_code == 404


def restriction_holds(site: Running) -> None:
    site.records().create("lead", {"name": "VIP", "owner": site.user("gus")})
    found = site.records("ana").list(Query("lead", ("name",), limit=1000)).records
    assert "VIP" not in {one["name"] for one in found}


# Fields


CLAUSES: dict[str, Callable[[Records, str], Any]] = {
    "select": lambda records, name: records.list(Query("lead", (name,))),
    "filter": lambda records, name: records.list(Query("lead", filter=f"{name} == null")),
    "sort": lambda records, name: records.list(Query("lead", sort=(SortKey(name),))),
    "group": lambda records, name: records.aggregate(AggregateQuery("lead", group=(name,))),
    "having": lambda records, name: records.aggregate(
        AggregateQuery("lead", group=("stage",), having=f"count({name}) > 0")
    ),
    "upsert": lambda records, name: records.upsert("lead", name, "1", {"name": "x"}),
}


def hidden_in(clause: str, name: str = "salary") -> Check:
    return lambda site: passes(lambda: CLAUSES[clause](site.records("max"), name), BadInput)


def history_hides(site: Running) -> None:
    assert all("salary" not in one.changes for one in site.records("max").history("lead", lead_of(site, "hal")))


def worked_out_is_hidden(site: Running) -> None:
    assert "tax" not in site.records("max").get("lead", lead_of(site, "hal"))


def error_holds(site: Running) -> None:
    with pytest.raises(BadInput) as refusal:
        site.records("gus").create("box", {"name": "bad"})
    assert [one.path for one in refusal.value.problems] != ["cap"]


def words_hold(site: Running) -> None:
    with pytest.raises(BadInput, match=r"^It holds …\.$"):
        site.records("gus").create("box", {"name": "stop"})


def mask_holds(site: Running) -> None:
    assert site.records("max").get("lead", lead_of(site, "hal"))["phone"] == "138****8000"


def mask_in_history_holds(site: Running) -> None:
    first = site.records("max").history("lead", lead_of(site, "hal"))[-1]
    assert first.changes["phone"] == (None, "138****8000")


def mask_in_search_holds(site: Running) -> None:
    assert site.records("max").list(Query("lead", ("name",), search="1380013")).records == []


def mask_cannot_be_guessed(site: Running) -> None:
    own = site.records().create("lead", {"name": "max", "phone": "13900139000", "owner": site.user("max")})["id"]
    passes(lambda: site.records("max").update("lead", own, {"phone": "13900139000"}), BadInput)


def field_is_read_only(site: Running) -> None:
    own = site.records().create("lead", {"name": "max", "owner": site.user("max")})["id"]
    passes(lambda: site.records("max").update("lead", own, {"name": "other"}), BadInput)


# Writes


def row_after_write_holds(site: Running) -> None:
    own = site.records("hal").create("lead", {"name": "hal"})["id"]
    passes(lambda: site.records("hal").update("lead", own, {"name": "VIP"}), Forbidden)


def row_before_write_holds(site: Running) -> None:
    passes(lambda: site.records("max").update("lead", lead_of(site, "hal"), {"stage": "won"}), Forbidden)


def system_fields_hold(site: Running) -> None:
    passes(lambda: site.records("gus").update("lead", lead_of(site, "gus"), {"created_at": "2020-01-01T00:00:00Z"}))


def unmask_holds(site: Running) -> None:
    passes(lambda: site.records("max").unmask("lead", lead_of(site, "hal"), "phone"), Forbidden)


# Requests


def csrf_holds(site: Running) -> None:
    client = site.client("gus", by="session")
    del client.headers[CSRF_HEADER]
    assert client.post("/api/v1/records/lead", json={"name": "forged"}).status_code == 403


def host_holds(site: Running) -> None:
    answer = served(site).get("/api/v1/objects", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "host")


def cookie_holds(site: Running) -> None:
    told = Site(dataclasses.replace(site.config, base_url="https://crm.example.com"), site.tenant).cookie()
    assert (told["httponly"], told["samesite"], told["secure"]) == (True, "lax", True)


def csp_holds(site: Running) -> None:
    assert "default-src 'none'" in served(site).get("/api/v1/objects").headers["content-security-policy"]


def body_limit_holds(site: Running) -> None:
    client = served(site, "gus", max_body_bytes=1000)
    assert client.post("/api/v1/records/lead", json={"name": "x" * 2000}).status_code == 413


def upload_limit_holds(site: Running) -> None:
    client = served(site, "gus", max_file_bytes=1000)
    headers = {"content-type": "text/plain"}
    assert client.post("/api/v1/files?name=a.txt", content=b"x" * 2000, headers=headers).status_code == 413


def pace_holds(site: Running) -> None:
    client = served(site, "gus", requests_per_minute=2)
    assert [client.get("/api/v1/objects").status_code for _ in range(3)] == [200, 200, 429]


def archive_limit_holds(site: Running) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package.yaml", b" " * 900_000)
    path = Path(site.folder) / "bomb.zip"
    path.write_bytes(packed.getvalue())
    assert metadata.files.read_files(path).problems != []


def outbound_holds(site: Running) -> None:
    with pytest.raises(OutboundRefused):
        Outbound().get("http://127.0.0.1:9/")


def session_ends(site: Running) -> None:
    name = f"t{int(datetime.now(UTC).timestamp() * 1e6)}"
    user = site.user(name, "seller")
    site.session(name)
    site.records().update("user", user, {"is_active": False})
    with site.tenant.database.read() as connection:
        count = sa.select(sa.func.count()).select_from(system.session).where(system.session.c.user == user)
        assert connection.sa.execute(count).scalar_one() == 0


def inactive_is_refused(site: Running) -> None:
    name = f"i{int(datetime.now(UTC).timestamp() * 1e6)}"
    site.user(name, "seller")
    client = site.client(name)
    assert client.get("/api/v1/objects").status_code == 200
    site.records().update("user", site.user(name), {"is_active": False})
    assert client.get("/api/v1/objects").status_code == 401


def token_scope_holds(site: Running) -> None:
    ctx = site.context("gus")
    narrow = dataclasses.replace(ctx.actor, token_scope=TokenScope(objects=frozenset({"task"})))
    passes(lambda: Records(context_of(site.tenant, narrow, site.now)).list(Query("lead")), NotFound)


def audit_chain_holds(site: Running) -> None:
    site.records("gus").create("task", {"name": "noted"})
    with site.tenant.database.write() as connection:
        last = sa.select(sa.func.max(system.audit.c.seq)).scalar_subquery()
        connection.sa.execute(sa.update(system.audit).where(system.audit.c.seq == last).values(address="10.0.0.9"))
    assert verify(site.tenant).findings != ()


def attachments_hold(site: Running) -> None:
    hal, box = site.client("hal"), site.records("hal").create("box", {"name": "said"})["id"]
    file = hal.post("/api/v1/files?name=a.txt", content=b"said", headers={"content-type": "text/plain"}).json()["id"]
    assert hal.post(f"/api/v1/records/box/{box}/submit", json={"attachments": [file]}).status_code == 201
    assert [one.get(f"/api/v1/files/{file}").status_code for one in (hal, site.client("max"))] == [200, 404]


def hidden_files_hold(site: Running) -> None:
    assert site.client("ann").get(f"/api/v1/files/{file_of_a_hidden_field(site)}").status_code == 404


def file_of_a_hidden_field(site: Running) -> str:
    headers = {"content-type": "text/plain"}
    file = site.client("hal").post("/api/v1/files?name=a.txt", content=b"secret", headers=headers).json()["id"]
    site.records("hal").create("paper", {"name": "p", "scan": file})
    return str(file)


def connection_stays_with_its_tenant(site: Running) -> None:
    """Another tenant's storage, with the same tables."""
    path = Path(str(site.tenant.database.url.database)).with_name(f"{new_id()}.db")
    with site.tenant.database.read() as connection:
        connection.run("VACUUM INTO ?", (str(path),))
    other, ctx = Database.open(f"sqlite:///{path}"), site.context("gus")
    other.functions |= site.tenant.database.functions
    lead = lead_of(site, "gus")
    with closing(other), other.write() as connection:
        for work in (
            lambda: find(ctx, connection, Query("lead")),
            lambda: one(ctx, connection, "lead", lead, ("id",)),
            lambda: current(ctx, connection, "lead", lead, "update"),
            lambda: update_in(ctx, connection, "lead", lead, {"name": "Gus"}, None),
        ):
            with pytest.raises(WrongTenant):
                work()

"""Each guard of docs/security.md: how it is taken away, and the check that must then fail."""

import dataclasses
import io
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

import engine.access.fields
import engine.access.scope
import engine.api.guard
import engine.api.operations
import engine.api.site
import engine.audit.verify
import engine.outbound
import engine.rules.pipeline
import engine.rules.told
import engine.rules.values
import engine.store.query_rows
import engine.store.rows
import engine.store.rows_files
import engine.store.rows_people
import metadata.files
from engine.access.narrow import TokenScope
from engine.access.scope import Scope
from engine.api.site import CSRF_HEADER, Site
from engine.app import create_app
from engine.audit.verify import verify
from engine.config import Config
from engine.context import context_of
from engine.errors import BadInput, EngineError, Forbidden, NotFound
from engine.outbound import Outbound, OutboundRefused
from engine.service import AggregateQuery, Query, Records, SortKey
from engine.store import system
from engine.store.query_build import Builder
from engine.testing import BASE_URL, Running
from tests.access.conftest import TEAM

__all__ = ["GUARDED", "GUARDS", "PEOPLE"]

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
role: clerk
objects:
  task: [create, read, update]
  paper: [create, read]
  box: {can: [create, read, update], fields: {cap: hidden}}
"""
)
PEOPLE = {"gus": ("seller", "clerk"), "hal": ("seller", "clerk"), "max": ("marketing",), "ana": ("analyst",)}
Check = Callable[[Running], None]
Patch = Callable[[pytest.MonkeyPatch], None]


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


# How each is taken away


def everything_visible(patch: pytest.MonkeyPatch) -> None:
    def visible(builder: Builder, in_trash: bool) -> list[Any]:
        deleted_at = builder.joins.root.c.deleted_at
        return [deleted_at.is_not(None) if in_trash else deleted_at.is_(None)]

    patch.setattr(Builder, "visible", visible)


def written_is_allowed(patch: pytest.MonkeyPatch) -> None:
    written = engine.store.rows._written
    patch.setattr(engine.store.rows, "_written", lambda *args: dataclasses.replace(written(*args), is_allowed=True))


def large_bodies(patch: pytest.MonkeyPatch) -> None:
    read = engine.api.operations.read_body
    patch.setattr(engine.api.operations, "read_body", lambda receive, headers, _: read(receive, headers, 1 << 40))


def large_files(patch: pytest.MonkeyPatch) -> None:
    read = engine.api.operations.receive_file
    patch.setattr(
        engine.api.operations, "receive_file", lambda receive, headers, _, name: read(receive, headers, 1 << 40, name)
    )


def attribute(owner: Any, name: str, value: Any) -> Patch:
    return lambda patch: patch.setattr(owner, name, value)


def files_of_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine.store.rows_files, "readable", lambda ctx, connection, place, ids: set(ids))


def system_fields_open(patch: pytest.MonkeyPatch) -> None:
    read = engine.rules.values.read_values

    def without(ctx: Any, rules: Any, sent: Any, before: Any) -> Any:
        return read(ctx, rules, {name: value for name, value in sent.items() if name != "created_at"}, before)

    for module in sys.modules.values():
        if getattr(module, "read_values", None) is read:
            patch.setattr(module, "read_values", without)


OPEN_FIELDS = attribute(Scope, "sees", lambda *_: 2)


def unflagged(patch: pytest.MonkeyPatch) -> None:
    def flag(ctx: Any, table: Any, object_name: str, action: str) -> Any:
        return sa.literal_column("1").label(f"may_{action}")

    patch.setattr(engine.store.rows, "may_flag", flag)
    written_is_allowed(patch)  # which would refuse it after all


GUARDS: dict[str, tuple[str, Patch, Check]] = {
    # guard: (where it stands, how it is taken away, the check)
    "row rule in lists": ("Builder.visible", everything_visible, list_holds),
    "row rule of one record": ("Builder.visible", everything_visible, get_holds),
    "row rule in search": ("Builder.visible", everything_visible, search_holds),
    "row rule in counts": ("Builder.visible", everything_visible, count_holds),
    "row rule in aggregates": ("Builder.visible", everything_visible, aggregate_holds),
    "row rule in lookups": ("Builder.visible", everything_visible, lookup_holds),
    "row rule in histories": ("Builder.visible", everything_visible, history_holds),
    "row rule in the trash": ("Builder.visible", everything_visible, trash_holds),
    "row rule of what is written": ("Builder.visible", everything_visible, update_of_unseen_holds),
    "row rule through references": ("Builder._row_rule", attribute(Builder, "_row_rule", lambda *_: []), path_holds),
    "row rule of the master": (
        "Scope._with_masters", attribute(Scope, "_with_masters", lambda self, action, name, own: own), related_holds,
    ),
    "row rule in files": ("rows_files.readable", files_of_all, files_hold),
    "sharing": ("sharing.shared", attribute(engine.access.scope, "shared", lambda *_: None), list_holds),
    "restriction rules": ("sharing.restrictions", attribute(engine.access.scope, "restrictions", lambda *_: []),
                          restriction_holds),
    **{f"hidden field in {clause}": ("Scope.sees", OPEN_FIELDS, hidden_in(clause)) for clause in CLAUSES
       if clause != "upsert"},
    "hidden field in upserts": ("Scope.sees", OPEN_FIELDS, hidden_in("upsert", "passport")),
    "hidden field in histories": ("Scope.sees", OPEN_FIELDS, history_hides),
    "hidden field in errors": ("told.error_told", attribute(engine.rules.told, "error_told", lambda ctx, name, e: e),
                               error_holds),
    "what is worked out from a hidden field": (
        "fields.reads_of", attribute(engine.access.scope, "reads_of", lambda *_: frozenset()), worked_out_is_hidden,
    ),
    "mask": ("query_rows.mask_of", attribute(engine.store.query_rows, "mask_of", lambda _: lambda value: value),
             mask_holds),
    "mask in histories": ("Scope.masks", attribute(Scope, "masks", lambda *_: {}), mask_in_history_holds),
    "mask in search": ("Scope.sees", OPEN_FIELDS, mask_in_search_holds),
    "mask in filters": ("Scope.sees", OPEN_FIELDS, hidden_in("filter", "phone")),
    "mask against guesses": ("values._is_guessed", attribute(engine.rules.values, "_is_guessed", lambda *_: False),
                             mask_cannot_be_guessed),
    "unmasking": ("Scope.has", attribute(Scope, "has", lambda *_: True), unmask_holds),
    "field that may be read only": ("Scope.writes", attribute(Scope, "writes", lambda *_, **__: True),
                                    field_is_read_only),
    "row check before a write": ("rows.may_flag", unflagged, row_before_write_holds),
    "row check after a write": ("rows._written", written_is_allowed, row_after_write_holds),
    "fields of the system": ("values.read_values", system_fields_open, system_fields_hold),
    "CSRF token": ("site.check_csrf", attribute(engine.api.site, "check_csrf", lambda *_: None), csrf_holds),
    "host names": ("Config.allowed_hosts", attribute(Config, "allowed_hosts", frozenset({"*"})), host_holds),
    "flags of the cookie": ("Site.cookie", attribute(Site, "cookie", lambda _: {"httponly": False, "samesite": "none",
                            "secure": False}), cookie_holds),
    "content security policy": ("guard.API_POLICY", attribute(engine.api.guard, "API_POLICY", b""), csp_holds),
    "size of bodies": ("operations.read_body", large_bodies, body_limit_holds),
    "size of uploads": ("uploads.receive_file", large_files, upload_limit_holds),
    "requests in a minute": ("Pace.count", attribute(engine.api.site.Pace, "count", lambda *_: None), pace_holds),
    "archives that unpack to too much": ("files.MAX_RATIO", attribute(metadata.files, "MAX_RATIO", 1 << 40),
                                         archive_limit_holds),
    "addresses inside": ("outbound.is_inside", attribute(engine.outbound, "is_inside", lambda _: False),
                         outbound_holds),
    "sessions of who is deactivated": ("rows_people.note", attribute(engine.store.rows_people, "note", lambda *_: None),
                                       session_ends),
    "limits of a token": ("TokenScope.allows", attribute(TokenScope, "allows", lambda *_: True), token_scope_holds),
    "chain of the audit log": ("verify.entry_mac", attribute(engine.audit.verify, "entry_mac", lambda *_: ANY),
                               audit_chain_holds),
}  # fmt: skip

"""Files with what is said in an approval: whose they may be, who may have them, how long they are kept."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.context import SYSTEM, context_of
from engine.errors import BadInput
from engine.files import catalogue
from engine.files.upkeep import collect
from engine.privacy.erase import erase
from engine.privacy.export import export
from engine.process.approval.service import Approvals
from engine.testing import Running, running
from tests.process.desk import NOW, Desk, fakes, fill, package
from tests.records.state import refused

FLOW = """
- approve: head
  label: Head
  approvers: [{user: max}]
  reclaim: true
- approve: last
  approvers: [{user: di}]
"""
PERSONAL = "note: {type: text, label: Note, privacy: {category: contact, purpose: to call them}}"
QUOTES = (
    package(FLOW)
    .replace("label: Quote\n", "label: Quote\ndata_subject: true\n", 1)
    .replace("note: {type: text, label: Note}", PERSONAL)
)


@pytest.fixture
def desk(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """max has no right at all, and is asked first."""
    with running(database_url, [QUOTES], now=NOW, fill=fill) as site:
        desk = Desk(site)
        fakes(monkeypatch, desk)
        yield desk


def put(site: Running, user: str, name: str = "scan.pdf", content: bytes = b"%PDF-1.4 scan") -> Any:
    headers = {"content-type": "application/octet-stream"}
    return site.client(user).post(f"/api/v1/files?name={name}", content=content, headers=headers)


def test_what_is_attached_is_shown_and_given_to_who_sees_what_was_said(desk: Desk) -> None:
    site = desk.site
    assert put(site, "max").json()["code"] == "file.upload.forbidden"
    plan, record = put(site, "ada", "plan.pdf").json()["id"], desk.quote()
    ada, stranger = site.client("ada"), site.client("max")
    sent = {"comment": "see the plan", "attachments": [plan, plan]}
    instance = ada.post(f"/api/v1/records/quote/{record}/submit", json=sent).json()["instance"]
    desk.instance = instance
    scan = put(site, "max").json()["id"]  # who is asked may say something now
    assert site.client("di").get(f"/api/v1/files/{scan}").status_code == 404
    task = f"/api/v1/approvals/tasks/{desk.task_of('max').id}"
    assert stranger.post(f"{task}/approve", json={"comment": "as agreed", "attachments": [scan]}).status_code == 200
    history = site.client("di").get(f"/api/v1/approvals/{instance}").json()["history"]
    told = [(one["action"], one["comment"], one["attachments"]) for one in history if one["comment"]]
    assert told == [
        ("submit", "see the plan", [{"id": plan, "name": "plan.pdf", "type": "application/pdf", "size": 13}]),
        ("approve", "as agreed", [{"id": scan, "name": "scan.pdf", "type": "application/pdf", "size": 13}]),
    ]
    got = {user: site.client(user).get(f"/api/v1/files/{scan}").status_code for user in ("ada", "max", "di", "flo")}
    assert got == {"ada": 200, "max": 200, "di": 200, "flo": 200}  # flo reads the quote
    outsider = site.user("outsider")
    assert outsider
    assert site.client("outsider").get(f"/api/v1/files/{scan}").status_code == 404
    entries = site.client(site_admin(site)).get("/api/v1/audit?kind=approval.attached").json()["entries"]
    assert [(one["details"]["action"], one["details"]["files"]) for one in entries] == [
        ("approve", [{"id": scan, "size": 13}]), ("submit", [{"id": plan, "size": 13}]),
    ]  # fmt: skip


def site_admin(site: Running) -> str:
    site.user("root", "admin")
    return "root"


def test_what_is_not_ones_own_is_refused_and_changes_nothing(desk: Desk) -> None:
    site = desk.site
    desk.quote()
    desk.submit()
    theirs = put(site, "ada").json()["id"]
    own = put(site, "max").json()["id"]
    empty = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
    for ids in ([theirs], [own, empty], ["x"], [own] * 2 + [empty]):
        with refused(site, BadInput) as refusal:
            desk.act("max", "approve", attachments=tuple(ids))
        assert refusal.value.code == "value.file.unknown"
        assert refusal.value.problems[0].path == "attachments"
    many = tuple(put(site, "max", content=bytes([65, at])).json()["id"] for at in range(21))
    assert desk.refused("max", "approve", attachments=many) == "value.file.many"
    desk.act("max", "approve", attachments=(own,))
    assert desk.refused("di", "approve", attachments=(own,)) == "value.file.unknown"  # held by what max said
    large = put(site, "di", content=b"x" * (10 * 1024 * 1024 + 1)).json()["id"]
    assert desk.refused("di", "approve", attachments=(large,)) == "value.file.size"


def test_words_stand_with_what_was_done_and_not_with_what_came_before(desk: Desk) -> None:
    desk.quote()
    desk.submit()
    desk.act("max", "approve")
    scan = put(desk.site, "max").json()["id"]
    mine = next(one.id for one in desk.state().tasks.values() if one.state == "APPROVED")
    desk.act("max", "reclaim", mine, comment="wrong file", attachments=(scan,))
    seen = Approvals(desk.site.context("ada")).instance(desk.instance).history
    assert [(one.action, bool(one.attachments)) for one in seen if one.comment] == [("reclaim", True)]


def test_it_is_kept_as_long_as_the_approval_and_goes_when_the_record_is_erased(desk: Desk, tmp_path: Path) -> None:
    site, record = desk.site, desk.quote(note="+47 555")
    desk.submit(attached=[put(site, "ada", content=b"%PDF-1.4 kept").json()["id"]])
    desk.act("boss", "cancel", comment="no longer needed")
    put(site, "ada", content=b"%PDF-1.4 never used")
    found = collect(site.tenant, site.now + timedelta(days=2))
    assert (found.files, found.contents) == (1, 1)
    [line] = [one for one in Approvals(site.context("ada")).instance(desk.instance).history if one.attachments]
    file = line.attachments[0].id
    assert catalogue.get(site.context("ada"), file).name == "scan.pdf"
    system = context_of(site.tenant, SYSTEM, site.now)
    assert export(system, "quote", record, tmp_path / "quote.zip") == {"records": 1, "files": 1}
    erase(system, "quote", record)
    assert site.client("ada").get(f"/api/v1/files/{file}").status_code == 404
    assert list(site.tenant.files.hashes()) == []
    [line] = [one for one in Approvals(site.context("ada")).instance(desk.instance).history if one.attachments]
    assert (line.attachments[0].name, line.attachments[0].size) == ("", None)

"""What must fail once a guard of processes is taken away: locks, steps, and links of mails."""

from datetime import timedelta

import sqlalchemy as sa

from engine.errors import Locked
from engine.people.authentication import fingerprint
from engine.process import locks, reading, standing_in
from engine.process.approval import mail_links
from engine.process.approval.service import Approvals
from engine.process.automation import hook_secrets
from engine.store.database import new_id
from engine.store.system_approvals import approval_link, approval_task
from engine.testing import Running
from tests.access.guard_checks import passes, served


def lock_holds(site: Running) -> None:
    ctx, box = site.context("gus"), site.records("gus").create("box", {"name": "locked"})["id"]
    with site.tenant.database.write() as connection:
        locks.lock(ctx, connection, "box", box, new_id(site.now))
    passes(lambda: site.records("gus").update("box", box, {"name": "free"}), Locked)


def signature_holds(site: Running) -> None:
    with site.tenant.database.write() as connection:
        hook_secrets.keep(site.tenant, connection, "box_in", "known to the sender", "", site.now)
    sent = {"x-signature": "0" * 64, "content-type": "application/json"}
    assert site.client().post("/api/v1/hooks/box_in/signed", content=b"{}", headers=sent).status_code == 401


def step_hides(site: Running) -> None:
    box = site.records("gus").create("box", {"name": "seen"})["id"]
    ctx, approval = site.context("max"), site.tenant.snapshot().definitions.processes.approvals["sign_off"]
    with site.tenant.database.read() as connection:
        found = reading.read_for(ctx, connection, approval, approval.flow[0], "box", box)
    assert ("name" in found.values, "cap" in found.values) == (True, False)


def link_of(site: Running) -> tuple[str, str]:
    """A task of gus, and the address of a link that approves it."""
    box = site.records("gus").create("box", {"name": "asked"})["id"]
    instance = Approvals(site.context("hal")).submit("box", box).instance
    (task,) = (one.task for one in Approvals(site.context("gus")).inbox().rows if one.instance == instance)
    with site.tenant.database.write() as connection:
        return task, f"{mail_links.PATH}{mail_links.make(site.context('gus'), connection, task)['approve']}"


def link_decides_by_post_alone(site: Running) -> None:
    task, link = link_of(site)
    client = served(site, ui="ui.pages:mount")
    for answer in (client.get(link), client.head(link)):
        assert answer.status_code == 200
    assert state_of(site, task) == "PENDING"


def link_decides_once(site: Running) -> None:
    task, link = link_of(site)
    client = served(site, ui="ui.pages:mount")
    assert client.post(link).status_code == 200
    assert state_of(site, task) == "APPROVED"
    assert client.post(link).status_code == 404


def link_is_of_its_person(site: Running) -> None:
    """hal, who submitted it, sees the task: his link decides nothing."""
    task, _ = link_of(site)
    row = {
        "hash": fingerprint(task), "task": task, "user": site.user("hal"), "action": "approve",
        "created_at": site.now, "expires_at": site.now + timedelta(days=1), "used_at": None,
    }  # fmt: skip
    with site.tenant.database.write() as connection:
        connection.sa.execute(sa.insert(approval_link).values(row))
    assert served(site, ui="ui.pages:mount").post(mail_links.PATH + task).status_code == 409
    assert state_of(site, task) == "PENDING"


def own_submission_holds(site: Running) -> None:
    """hal, who submitted it, stands in for gus, who is asked."""
    task, _ = link_of(site)
    values = {"agent": site.user("hal"), "from": site.now.isoformat(), "to": (site.now + timedelta(days=1)).isoformat()}
    agent = standing_in.appoint(site.context("gus"), values).id
    try:
        assert site.client("hal").post(f"/api/v1/approvals/tasks/{task}/approve", json={}).status_code == 403
    finally:
        standing_in.take_back(site.context("gus"), agent)
    assert state_of(site, task) == "PENDING"


def state_of(site: Running, task: str) -> str:
    with site.tenant.database.read() as connection:
        return str(connection.sa.scalar(sa.select(approval_task.c.state).where(approval_task.c.id == task)))

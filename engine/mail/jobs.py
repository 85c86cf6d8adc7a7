"""Mail that nobody waits for: jobs that send it, and try again. What a mail says is encrypted until it is sent."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context, Origin
from engine.errors import BadInput, NotFound
from engine.jobs.handlers import GivenUp, Job, outside
from engine.jobs.port import enqueue
from engine.jobs.store import forgotten
from engine.keyring import KeyMissing
from engine.mail.message import Mail, address_of
from engine.people import links
from engine.people.standing import standing_of
from engine.process import templates
from engine.sealed import Sealed, Unsealed
from engine.store import system_jobs
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["ask_for_reset", "renew", "said_in", "send_later"]

MAIL, RESET = "mail", "mail.reset"
PLACE = "fs_job.payload"  # what these are bound to
Finish = Callable[[Connection], None]


def send_later(
    connection: Connection, tenant: Tenant, mail: Mail, *, now: datetime, key: str | None = None, by: str = ""
) -> str | None:  # fmt: skip
    """A job that sends it once the transaction has ended; its id, or None where there was one with this key."""
    body = {"to": mail.to, "subject": mail.subject, "text": mail.text, "html": mail.html}
    return enqueue(connection, MAIL, sealed(tenant, body), now=now, key=key, by=by or None)


def ask_for_reset(tenant: Tenant, typed: str, origin: Origin, now: datetime) -> None:
    """Whoever is called `typed` is looked up later, so that how long this takes tells nothing. The link is made when it
    is sent, and is never stored."""
    body = {"typed": typed, "channel": origin.channel, "address": origin.address, "request": origin.request}
    with tenant.database.write() as connection:
        enqueue(connection, RESET, sealed(tenant, body), now=now)


@outside(RESET)
def send_reset(job: Job) -> Finish:
    said = opened(job)
    origin = Origin(said["channel"], said["address"], said["request"])
    mail = links.reset_mail(
        job.site.tenant, job.site.config, said["typed"], origin, job.now, is_noted=job.tries == 1
    )  # fmt: skip
    if mail is not None:
        send(job, mail)
    return forgotten(job.id)


@outside(MAIL)
def send_mail(job: Job) -> Finish:
    """The payload is sealed, or an automation's: `to`, and `subject` and `body` or a `template` with its record."""
    if "sealed" in job.payload:
        said = opened(job)
        mail = Mail(said["to"], said["subject"], said["text"], said["html"])
    else:
        mail = worded(job, job.payload)
    send(job, mail)
    return forgotten(job.id)


def send(job: Job, mail: Mail) -> None:
    """Raises MailFailed, and GivenUp for an address that is none."""
    try:
        address_of(mail.to)
        job.site.mailer.send(Mail(mail.to, mail.subject, mail.text, mail.html, job.id))
    except BadInput as error:
        raise GivenUp(str(error), code=error.code) from error


def worded(job: Job, said: Mapping[str, Any]) -> Mail:
    to = str(said["to"])
    if not said.get("template"):
        return Mail(to, str(said.get("subject") or ""), str(said.get("body") or ""))
    reader = reader_of(job, to, str(said.get("language") or ""))
    with job.ctx.tenant.database.read() as connection:
        made = templates.render(
            job.ctx, connection, str(said["template"]), str(said.get("object") or ""), str(said.get("record") or ""),
            reader, values=said.get("values") or {},
        )  # fmt: skip
    return Mail(to, made.subject, made.text, made.html)


def reader_of(job: Job, to: str, language: str) -> Context:
    """Who reads a mail to this address: the user who has it, else whoever left the job."""
    table = job.ctx.snapshot.physical.table("user")
    wanted = sa.select(table.c.id).where(
        sa.func.lower(table.c.email) == to.lower(), table.c.is_active, table.c.deleted_at.is_(None)
    )
    with job.ctx.tenant.database.read() as connection:
        users = connection.sa.execute(wanted.limit(2)).scalars().all()
    user = str(users[0]) if len(users) == 1 else job.by
    if not user:
        return job.ctx
    try:
        return standing_of(job.ctx, user).context
    except NotFound as error:
        raise GivenUp("whoever had this mail sent is not there any more", code="mail.sender") from error


def sealed(tenant: Tenant, body: Mapping[str, Any]) -> dict[str, str]:
    return {"sealed": tenant.secrets.seal(Unsealed(orjson.dumps(body).decode(), "all"), PLACE).text}


def said_in(tenant: Tenant, payload: Mapping[str, Any]) -> Any:
    """What a job says, sealed or not. Raises KeyMissing."""
    if "sealed" not in payload:
        return payload
    return orjson.loads(tenant.secrets.open(Sealed.read(payload["sealed"], "all"), PLACE))


def renew(tenant: Tenant, connection: Connection) -> int:
    """Encrypt mails that wait or are parked with the first key. Returns how many. What no key of ours opens, stays."""
    c, count = system_jobs.job.c, 0
    wanted = sa.select(c.id, c.payload).where(c.kind.in_((MAIL, RESET)), c.payload.contains('"sealed"'))
    for one, text in connection.sa.execute(wanted).all():
        payload = orjson.loads(text)
        if "sealed" in payload and Sealed.read(payload["sealed"], "all").key_id != tenant.secrets.first:
            with suppress(KeyMissing):
                again = orjson.dumps(sealed(tenant, said_in(tenant, payload))).decode()
                change = sa.update(system_jobs.job).where(c.id == one, c.payload == text).values(payload=again)
                count += connection.sa.execute(change).rowcount
    return count


def opened(job: Job) -> Any:
    try:
        return said_in(job.site.tenant, job.payload)
    except KeyMissing as error:
        raise GivenUp(str(error), code=error.code, fix=error.fix) from error

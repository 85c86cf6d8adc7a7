"""What notifications say to their readers: made after the transaction, and mailed where that is wanted."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import orjson
import sqlalchemy as sa

from engine.context import Context
from engine.errors import EngineError, NotFound
from engine.jobs.handlers import Job, inside
from engine.mail.jobs import send_later
from engine.mail.message import Mail
from engine.people.standing import standing_of
from engine.process import templates
from engine.process.approval import mail_links
from engine.process.notice_words import worded
from engine.process.notices import MADE, USER
from engine.service_reads import get_row, titles
from engine.store import system_jobs
from engine.store.database import Connection
from engine.store.types import is_id

__all__ = ["Notice", "seen_by"]

log = logging.getLogger("fieldstone.notices")
notification = system_jobs.notification


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification as its person reads it."""

    id: str
    kind: str
    object: str
    record: str
    link: str
    subject: str
    body: str
    created_at: datetime
    read_at: datetime | None
    outcome: str = ""  # of a decision: "approved", "rejected"


@inside(MADE)
def make(job: Job, connection: Connection) -> None:
    """After the transaction in which it happened, with what the person may see then."""
    columns = notification.c
    query = sa.select(*columns).where(columns.id == job.payload["notification"])
    found = connection.sa.execute(query).mappings().first()
    if found is None:
        return
    row = dict(found)
    try:
        standing = standing_of(job.ctx, row["user"])
    except NotFound:
        return
    if not standing.is_active:
        return
    reader, html = standing.context, ""
    if row["template"]:
        try:
            made = templates.render(
                job.ctx, connection, row["template"], row["object"] or "", row["record"] or "", reader,
                values={**orjson.loads(row["values"]), "link": address_of(job, row["link"])},
            )  # fmt: skip
        except EngineError as error:
            log.warning("the template '%s' cannot be used: %s", row["template"], error)
        else:
            texts, html = {"subject": made.subject, "body": made.text}, made.html
            row |= texts
            connection.sa.execute(sa.update(notification).where(columns.id == row["id"]).values(texts))
    if job.payload["mail"]:
        [notice] = seen_by(reader, [row])
        values = orjson.loads(row["values"])
        more = mail_links.buttons(reader, connection, row["kind"], values, job.site.config.base_url)
        send_notice(job, connection, notice, row["user"], html, more)


def send_notice(
    job: Job, connection: Connection, notice: Notice, user: str, html: str, more: Sequence[tuple[str, str]] = ()
) -> None:
    """`more`: (words, address) of what may be done by the mail alone."""
    to = get_row(job.ctx, USER, user, ("email",))["email"]
    if not to:
        return
    link = address_of(job, notice.link)
    said = [notice.body or notice.subject, link, *(f"{words}: {address}" for words, address in more)]
    text = "\n\n".join(part for part in said if part) + "\n"
    if html and more:
        html += with_buttons(more)
    mail = Mail(to, notice.subject, text, html)
    send_later(connection, job.ctx.tenant, mail, now=job.now, key=f"notice {notice.id}", by=job.by)


def with_buttons(more: Sequence[tuple[str, str]]) -> str:
    links = (f'<a href="{escape(address)}">{escape(words)}</a>' for words, address in more)
    return f"<p>{' &#160; '.join(links)}</p>"


def address_of(job: Job, link: str | None) -> str:
    base = job.site.config.base_url
    return f"{base}{link}" if base and link else ""


def seen_by(reader: Context, rows: Sequence[Mapping[str, Any]]) -> list[Notice]:
    """Rows of fs_notification as the reader may see them now, in the reader's language."""
    loaded = [(row, orjson.loads(row["values"])) for row in rows]
    wanted: dict[str, set[str]] = {USER: {str(values["actor"]) for _, values in loaded if is_id(values.get("actor"))}}
    for row, _ in loaded:
        if row["object"] and row["record"]:
            wanted.setdefault(row["object"], set()).add(str(row["record"]))
    names = {
        name: titles(reader, name, ids) if name in reader.snapshot.definitions.objects else {}
        for name, ids in wanted.items()
    }
    return [notice_of(row, values, names, reader.language) for row, values in loaded]


def notice_of(
    row: Mapping[str, Any], values: dict[str, Any], names: Mapping[str, Mapping[str, str]], language: str
) -> Notice:  # fmt: skip
    object_name, record = row["object"] or "", str(row["record"] or "")
    if is_id(values.get("actor")):
        values["actor"] = names[USER].get(str(values["actor"]), "")
    if record:
        values["title"] = names.get(object_name, {}).get(record) or values.get("title", "")
    subject, body = worded(row["kind"], values, language)
    return Notice(
        str(row["id"]), row["kind"], object_name, record, row["link"] or "", row["subject"] or subject,
        body if row["subject"] is None else row["body"] or "", row["created_at"], row["read_at"],
        str(values.get("outcome") or ""),
    )  # fmt: skip

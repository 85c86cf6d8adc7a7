"""The audit log, for those who may read it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.api.reading import whole_number
from engine.audit.search import AuditEntry, Wanted, find
from engine.store.types import utc_text

__all__ = ["OPERATIONS"]

MAX_LIMIT = 200


def list_entries(call: Call) -> Answer:
    sent = call.values()
    wanted = Wanted(
        kind=sent.get("kind", ""), by=an_id(sent, "by"), object=sent.get("object", ""), record=an_id(sent, "record"),
        since=a_time(sent, "since"), until=a_time(sent, "until"),
    )  # fmt: skip
    entries, following = find(call.ctx, wanted, sent.get("cursor", ""), whole_number(sent, "limit", 50, 1, MAX_LIMIT))
    return json_answer({"entries": [body_of(entry) for entry in entries], "next": following or None})


def body_of(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.id, "at": utc_text(entry.at), "kind": entry.kind, "by": person(entry.by, entry.by_name),
        "on_behalf_of": person(entry.on_behalf_of, entry.on_behalf_of_name), "channel": entry.channel or None,
        "address": entry.address or None, "request": entry.request or None, "object": entry.object or None,
        "record": entry.record or None, "title": entry.title or None, "details": entry.details,
    }  # fmt: skip


def person(key: str, name: str) -> dict[str, str] | None:
    return {"id": key, "name": name} if key else None


def an_id(sent: dict[str, str], name: str) -> str:
    text = sent.get(name, "")
    try:
        return str(UUID(text)) if text else ""
    except ValueError as error:
        raise bad_request("query.value", f"{name} is an id, not '{text[:40]}'", path=name) from error


def a_time(sent: dict[str, str], name: str) -> datetime | None:
    if not (text := sent.get(name, "")):
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        message = f"{name} is a day or a time such as 2026-11-22T02:15:00Z, not '{text[:40]}'"
        raise bad_request("query.value", message, path=name) from error


OPERATIONS = (
    Operation(
        "GET", "/audit", Permission("person", "may_view_audit"), list_entries,
        ("kind", "by", "object", "record", "since", "until", "limit", "cursor"),
    ),
)  # fmt: skip

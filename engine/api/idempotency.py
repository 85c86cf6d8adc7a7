"""Idempotency-Key: a POST that is sent twice has its effect once, and the second sending gets the first answer."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.api.answers import Answer
from engine.api.errors import bad_request
from engine.context import Context
from engine.errors import Conflict
from engine.service import Records
from engine.store import system

if TYPE_CHECKING:
    from engine.api.operations import Call

__all__ = ["KEPT_FOR", "once"]

KEY = re.compile(r"[\x21-\x7e]{1,200}")
KEPT_FOR = timedelta(hours=24)
RESULT = ("index", "action", "status", "id")
REPLAYED = (b"idempotent-replayed", b"true")
INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def once(call: "Call", key: str, run: Callable[["Call"], Answer]) -> Answer:
    """`run(call)`, and its answer kept in the same transaction; or the answer that is kept under this key.

    A refusal leaves no trace: it may be sent again with the same key. Raises Conflict when the key stands for another
    request of this person.
    """
    if not KEY.fullmatch(key):
        message = "an Idempotency-Key has 1 to 200 visible ASCII characters"
        raise bad_request("idempotency.key", message, fix="send a new UUID for each request")
    kept, ctx = system.idempotency.c, call.ctx
    mine = sa.and_(kept.key == key, kept.user == ctx.actor.id)
    asked = request_hash(call)
    row = {"key": key, "user": ctx.actor.id, "request_hash": asked, "status": 0, "body": "", "created_at": ctx.now}
    database = ctx.tenant.database
    with database.together() as connection:  # what `run` writes joins this transaction
        connection.sa.execute(sa.delete(system.idempotency).where(kept.created_at < ctx.now - KEPT_FOR))
        # The key first: another process with the same key waits here until this one has committed or failed.
        reserve = INSERT[database.dialect](system.idempotency).values(row).on_conflict_do_nothing().returning(kept.key)
        if connection.sa.execute(reserve).first() is not None:
            answer = run(call)
            change = sa.update(system.idempotency).where(mine)
            connection.sa.execute(change.values(status=answer.status, body=pack(answer, ctx)))
            return answer
        first = connection.sa.execute(sa.select(kept.request_hash, kept.status, kept.body).where(mine)).one()
    if first.request_hash != asked:
        raise Conflict(
            "this Idempotency-Key was used for another request", code="idempotency.reused",
            fix="send a new key with each new request",
        )  # fmt: skip
    return replayed(call, first.status, first.body)


def request_hash(call: "Call") -> str:
    body = call.body if call.upload is None else call.upload.digest()
    parts = (call.operation.path.encode(), *(arg.encode() for arg in call.args), call.query, body)
    if limits := call.ctx.actor.token_scope.text:  # a token that may do less gets no answer to one that may do more
        parts = (*parts, limits.encode())
    joined = b"".join(b"%d:%s" % (len(part), part) for part in parts)
    return hashlib.sha256(joined).hexdigest()


def pack(answer: Answer, ctx: Context) -> str:
    headers = [(name.decode("ascii"), value.decode("ascii")) for name, value in answer.headers]
    return orjson.dumps({"headers": headers, "body": answer.body.decode(), "for": rights_of(ctx)}).decode()


def rights_of(ctx: Context) -> str:
    """Other ones may not let everything through that the answer tells."""
    return f"{ctx.snapshot.version}|{ctx.scope.key}"


def replayed(call: "Call", status: int, text: str) -> Answer:
    """What was answered; to a person who may not see all of it any more, that it was done and to which records."""
    kept = orjson.loads(text)
    headers = [(name.encode(), value.encode()) for name, value in kept["headers"]]
    body = kept["body"]
    if body and not (kept.get("for") == rights_of(call.ctx) and are_visible(call, orjson.loads(body))):
        body = orjson.dumps(bare(orjson.loads(body))).decode()
    return Answer(status, body.encode(), (*headers, REPLAYED))


def are_visible(call: "Call", body: dict[str, Any]) -> bool:
    path, ctx = call.operation.path, call.ctx
    if not path.startswith("/records/{object}"):
        return True
    told = [one["id"] for one in body.get("results", ()) if "record" in one]
    ids = [call.args[1]] if "{id}" in path else told if "results" in body else [body["id"]]
    if ids and not ctx.scope.can("read", call.args[0]):
        return False
    return Records(ctx).titles(call.args[0], ids).keys() >= set(ids)


def bare(body: dict[str, Any]) -> dict[str, Any]:
    if "results" in body:
        return {"results": [{key: one[key] for key in RESULT if key in one} for one in body["results"]]}
    return {key: body[key] for key in ("id", "version") if key in body}

"""The secret by which a receiver of webhooks knows them, for those who look after processes."""

from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.audit.log import note
from engine.jobs.admin import check
from engine.jobs.webhooks import secret_of

__all__ = ["OPERATIONS"]


def secret(call: Call) -> Answer:
    check(call.ctx)
    sent = call.json()
    url = sent.get("url")
    if not isinstance(url, str) or set(sent) != {"url"}:
        raise bad_request("value.type", 'the body is {"url": "https://…"}', path="url")
    ctx, found = call.ctx, secret_of(call.ctx, url)
    with ctx.tenant.database.write() as connection:
        note(connection, "webhook.secret.shown", actor=ctx.actor, origin=ctx.origin, now=ctx.now,
             details={"url": url.partition("?")[0]})  # fmt: skip
    return json_answer({"secret": found}, headers=((b"cache-control", b"no-store"),))


OPERATIONS = (
    Operation("POST", "/webhooks/secret", Permission("person", "the system permission manage_processes"), secret,
              takes_key=False),
)  # fmt: skip

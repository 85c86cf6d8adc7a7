"""Calls from outside: with a token, or signed with a secret that is set here."""

import base64
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from engine.audit.log import note
from engine.context import SYSTEM, Context, context_of
from engine.errors import BadInput, Conflict, Forbidden, InputProblem, NotFound
from engine.process.automation.desk import need_admin, run_with
from engine.process.automation.hook_secrets import keep, secrets_of, set_at
from engine.process.automation.identity import as_named, user_named
from engine.process.automation.runs import begin
from engine.process.automation.signatures import DECODED, delivery_of, refused
from engine.store.database import Connection, new_id
from metadata.formula.results import BODY
from metadata.processes import ADMIN_PERMISSION, Automation

__all__ = ["BODY_BYTES", "LONGEST", "LONGEST_FORMER", "SHORTEST", "call", "call_signed", "secret_set_at", "set_secret"]

BODY_BYTES = 256 * 1024
SHORTEST, LONGEST = 16, 500  # characters of a secret
MADE_BYTES = 32
LONGEST_FORMER = 168  # hours for which the secret before may be used: a week


def call(ctx: Context, name: str, body: Any, key: str = "") -> tuple[str, bool]:
    """With a token: (the run's id, whether it is new). A delivery with a key that came before is that one.

    Raises Forbidden where the automation runs as somebody else than whose token was shown, who is no administrator of
    processes either, and where it takes signed calls only."""
    rule = ctx.snapshot.definitions.processes.automations.get(name)
    if rule is None or rule.phase != "webhook":
        raise NotFound(f"there is no webhook '{name[:60]}'", code="automation.unknown")
    if not ctx.actor.token_scope.calls(name):
        raise Forbidden("this token is for something else", code="token.scope", fix="use another token")
    if rule.signature is not None:
        fix = f"sign it, and send it to /hooks/{name}/signed"
        raise Forbidden(f"'{name}' takes signed calls only", code="automation.signed", fix=fix)
    body = held(body)
    if len(orjson.dumps(body)) > BODY_BYTES:
        raise too_large()
    with ctx.tenant.database.together() as connection:
        is_own = rule.run_as == "user" or user_named(ctx, connection, rule.run_as) == ctx.actor.id
        if not is_own and not ctx.scope.has(ADMIN_PERMISSION):
            message = f"'{name}' runs as '{rule.run_as}': call it with a token of that user"
            raise Forbidden(message, code="automation.forbidden", fix="use another token")
        return taken(ctx, connection, rule, body, key)


def call_signed(
    ctx: Context, name: str, headers: Mapping[str, str], sent: bytes, read: Callable[[], Any],
    admit: Callable[[str], None],
) -> tuple[str, bool]:  # fmt: skip
    """By nobody whom we know: the signature is the proof, and it acts as the user that the definition names. `ctx` is
    of nobody; `read` parses what was `sent`, once it is known to come from who has the secret; `admit` counts a request
    of a user. Raises Unauthenticated for what is not signed as it should be, in the words as for what is not there.
    """
    if len(sent) > BODY_BYTES:
        raise too_large()
    rule = ctx.snapshot.definitions.processes.automations.get(name)
    if rule is None or rule.signature is None:
        raise refused()
    with ctx.tenant.database.read() as connection:
        secrets = secrets_of(ctx.tenant, connection, name, ctx.now)
    delivery = delivery_of(rule.signature, secrets, headers, sent, ctx.now)
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot, ctx.origin)
    acting = as_named(system, rule.run_as, name)
    admit(acting.actor.id)
    body = held(read())
    with ctx.tenant.database.together() as connection:
        return taken(acting, connection, rule, body, delivery)


def taken(ctx: Context, connection: Connection, rule: Automation, body: Any, delivery: str) -> tuple[str, bool]:
    if not rule.is_active:
        raise Conflict(f"'{rule.name}' is switched off", code="automation.off")
    wanted = at(body, rule.key) if rule.key else delivery
    if isinstance(wanted, str):
        wanted = wanted.replace("\0", "\\0")  # which no database keeps
    if rule.key and wanted in (None, ""):
        raise BadInput(f"the body has nothing at '{rule.key}'", code="automation.key", fix="send its key")
    occasion = f"{rule.name}:call:{wanted}" if wanted else f"{rule.name}:call:{new_id()}"
    run_id = begin(ctx, connection, rule, "webhook", key=occasion, inputs={BODY: body})
    if run_id is not None:
        return run_id, True
    return run_with(connection, occasion).id, False


def held(value: Any) -> Any:
    """A number with more digits than a float or 64 bits keep becomes a text, as which formulas read all that came."""
    if isinstance(value, dict):
        return {name: held(one) for name, one in value.items()}
    if isinstance(value, list):
        return [held(one) for one in value]
    is_long = isinstance(value, Decimal) or (isinstance(value, int) and not -(2**63) <= value < 2**63)
    return str(value) if is_long else value


def at(body: Any, path: str) -> Any:
    found = body
    for step in path.removeprefix(f"{BODY}.").split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, str | int | float) else None


def too_large() -> BadInput:
    return BadInput(f"a webhook takes at most {BODY_BYTES // 1024} KB", code="automation.body")


def secret_set_at(ctx: Context, name: str) -> tuple[datetime, datetime | None] | None:
    """When the secret was set with which calls of a signed webhook are signed, and until when the one before may be
    used; None where there is none yet. Needs manage_processes."""
    need_admin(ctx)
    with ctx.tenant.database.read() as connection:
        return set_at(connection, name)


def set_secret(ctx: Context, name: str, secret: str = "", former_hours: int = 0) -> str:
    """What calls of the webhook are signed with from now on, instead of what it was before, which may be used for some
    hours more; made here where the sender has none. Returns one that was made, else "". Needs manage_processes;
    audited."""
    need_admin(ctx)
    rule = ctx.snapshot.definitions.processes.automations.get(name)
    if rule is None or rule.signature is None:
        raise NotFound(f"there is no signed webhook '{name[:60]}'", code="automation.unknown")
    if secret and not (SHORTEST <= len(secret) <= LONGEST and secret.isprintable()):
        message = f"a secret has {SHORTEST} to {LONGEST} characters"
        raise BadInput(message, code="automation.secret", fix="take the one that the sender shows")
    if not 0 <= former_hours <= LONGEST_FORMER:
        message = f"the secret before may be used for 0 to {LONGEST_FORMER} hours more"
        problems = [InputProblem("former_hours", "automation.former", message)]
        raise BadInput(message, code="automation.former", problems=problems)
    made = "" if secret else DECODED + base64.b64encode(os.urandom(MADE_BYTES)).decode()
    with ctx.tenant.database.write() as connection:
        until = ctx.now + timedelta(hours=former_hours) if former_hours else None
        keep(ctx.tenant, connection, name, secret or made, ctx.actor.id, ctx.now, until)
        details = {"automation": name, "made": not secret, "former_hours": former_hours}
        note(connection, "webhook.secret.set", actor=ctx.actor, origin=ctx.origin, now=ctx.now, details=details)
    return made

"""Operations of a person's own account: tokens and sessions; and inviting, for who manages users."""

from datetime import datetime
from typing import Any

from engine.access.narrow import TokenScope
from engine.api.answers import Answer, json_answer
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.context import Origin
from engine.errors import BadInput, Forbidden, InputProblem
from engine.people import links, manage, sessions, tokens
from engine.people.tokens import Token

__all__ = ["OPERATIONS"]

Json = dict[str, Any]


def list_tokens(call: Call) -> Answer:
    whole(call)
    found = tokens.list_tokens(call.ctx.tenant, call.ctx.actor.id)
    return json_answer({"tokens": [token_view(one) for one in found]})


def make_token(call: Call) -> Answer:
    """The only answer that ever holds the token."""
    whole(call)
    sent, ctx = call.json(), call.ctx
    refuse_unknown(sent)
    objects, days = sent.get("objects", []), sent.get("days", 90)
    automations = sent.get("automations", [])
    tokens.check_objects(ctx.scope.objects(), objects)
    tokens.check_automations(ctx.snapshot, automations)
    made = tokens.make_token(
        ctx.tenant, ctx.actor.id, now=ctx.now, days=days, name=sent.get("name", ""),
        scope=TokenScope(sent.get("read_only", False), frozenset(objects), frozenset(automations)), actor=ctx.actor,
        origin=origin_of(call),
    )  # fmt: skip
    [view] = [token_view(one) for one in tokens.list_tokens(ctx.tenant, ctx.actor.id, made)]
    return json_answer(view | {"token": made}, 201, ((b"cache-control", b"no-store"),))


def refuse_unknown(sent: Json) -> None:
    kinds: dict[str, tuple[type, str]] = {
        "name": (str, "a text"), "days": (int, "a whole number"), "read_only": (bool, "true or false"),
        "objects": (list, "a list of names of objects"), "automations": (list, "a list of names of webhooks"),
    }  # fmt: skip
    problems = [InputProblem(name, "field.unknown", f"no field '{name}'") for name in sent if name not in kinds]
    for name, (kind, text) in kinds.items():
        value = sent.get(name)
        is_right = type(value) is kind and (kind is not list or all(isinstance(one, str) for one in sent[name]))
        if name in sent and not is_right:
            problems.append(InputProblem(name, "value.type", f"'{name}' is {text}"))
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, problems=problems)


def revoke_token(call: Call) -> Answer:
    whole(call)
    ctx = call.ctx
    tokens.revoke_token(
        ctx.tenant, ctx.actor.id, call.args[0], now=ctx.now, actor=ctx.actor, origin=origin_of(call)
    )  # fmt: skip
    return Answer(204)


def list_sessions(call: Call) -> Answer:
    whole(call)
    ctx = call.ctx
    found = sessions.list_sessions(ctx.tenant, ctx.actor.id, ctx.now, call.identity.fingerprint)
    return json_answer({
        "sessions": [
            {
                "id": one.id, "agent": one.agent, "address": one.address, "created_at": at(one.created_at),
                "seen_at": at(one.seen_at), "is_current": one.is_current,
            }
            for one in found
        ]
    })  # fmt: skip


def end_session(call: Call) -> Answer:
    whole(call)
    ctx = call.ctx
    sessions.end(ctx.tenant, ctx.actor.id, call.args[0], actor=ctx.actor, origin=origin_of(call), now=ctx.now)
    return Answer(204)


def invite(call: Call) -> Answer:
    """The mail is sent before the answer: who invites learns whether it was."""
    whole(call)
    ctx, config = call.ctx, call.site.config
    account = manage.managed(ctx, call.args[0])
    call.site.mailer.send(links.invite(ctx.tenant, config, account.id, ctx.actor, origin_of(call), ctx.now))
    return json_answer({"sent_to": account.email})


def end_sessions_of(call: Call) -> Answer:
    whole(call)
    manage.end_sessions(call.ctx, manage.managed(call.ctx, call.args[0]), origin_of(call))
    return Answer(204)


def whole(call: Call) -> None:
    """A token that may do less than its user may not make one that does more. Raises Forbidden."""
    if call.ctx.actor.token_scope.told:
        raise Forbidden("this token is limited to records", code="token.scope", fix="use one without limits")


def origin_of(call: Call) -> Origin:
    return call.ctx.origin if call.ctx.origin.channel else Origin("api")


def token_view(token: Token) -> Json:
    return {
        "id": token.id, "name": token.name, "created_at": at(token.created_at), "expires_at": at(token.expires_at),
        "used_at": at(token.used_at), "read_only": token.scope.read_only, "objects": sorted(token.scope.objects),
        "automations": sorted(token.scope.automations),
    }  # fmt: skip


def at(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


OWN = Permission("person", "own account")
MANAGE = Permission("person", "people: manage")
OPERATIONS = (
    Operation("GET", "/tokens", OWN, list_tokens),
    Operation("POST", "/tokens", OWN, make_token, body_is_optional=True, takes_key=False),
    Operation("DELETE", "/tokens/{id}", OWN, revoke_token),
    Operation("GET", "/sessions", OWN, list_sessions),
    Operation("DELETE", "/sessions/{id}", OWN, end_session),
    Operation("POST", "/users/{id}/invite", MANAGE, invite, is_aside=True, body_is_optional=True, takes_key=False),
    Operation("DELETE", "/users/{id}/sessions", MANAGE, end_sessions_of),
)

"""Asking who may do what: for those who manage rights, about people and records that they may see themselves."""

from dataclasses import dataclass

import sqlalchemy as sa

from engine.access.explain import Explanation, explain
from engine.access.explain_fields import FIELD_ACTIONS, FieldAction, FieldExplanation, explain_field
from engine.access.reasons import Reason
from engine.context import Context
from engine.errors import BadInput, Forbidden, InputProblem, NotFound, bad_at
from engine.people.standing import Standing, standing_of
from engine.service_reads import titles
from engine.service_rows import not_found
from engine.store import rows, types
from engine.store.query_paths import need_object
from metadata.model import GRANTABLE, Action
from metadata.problem import nearest

__all__ = ["ACTIONS", "Audience", "Viewer", "ask", "ask_field", "may_ask", "need_right", "person_of", "who_sees"]

RIGHT = "manage_rights"
ACTIONS: tuple[Action, ...] = tuple(one for one in GRANTABLE if one not in ("view_all", "modify_all"))
MOST_SHOWN, MOST_ASKED = 50, 500


@dataclass(frozen=True, slots=True)
class Viewer:
    user: str
    name: str
    reasons: tuple[Reason, ...]  # of the shortest way
    may_update: bool


@dataclass(frozen=True, slots=True)
class Audience:
    """People who see a record, by name. `after`: where the next ones begin, "" where all people were asked about."""

    viewers: tuple[Viewer, ...]
    after: str


def may_ask(ctx: Context) -> bool:
    return ctx.scope.has(RIGHT)


def need_right(ctx: Context) -> None:
    if not may_ask(ctx):
        message = "you may not ask what others may see and do"
        raise Forbidden(message, code="access.forbidden", fix="ask an administrator")


def person_of(ctx: Context, user: str) -> Standing:
    """Raises Forbidden, and NotFound for a person whom the asker may not see."""
    need_right(ctx)
    if not titles(ctx, "user", [user]):
        raise NotFound(f"no user '{user[:60]}'", code="user.unknown")
    return standing_of(ctx, user)


def ask(ctx: Context, user: str, object_name: str, record_id: str, action: str) -> Explanation:
    """Raises Forbidden, NotFound, and BadInput for an action that there is not. `record_id`: "" for the object."""
    standing = person_of(ctx, user)
    if action not in ACTIONS:
        raise unknown_action(action, ACTIONS)
    see(ctx, object_name, record_id)
    found: Action = action
    return explain(ctx, standing.context, object_name, record_id, found, standing.is_active)


def ask_field(
    ctx: Context, user: str, object_name: str, record_id: str, action: str, field_name: str
) -> FieldExplanation:
    """The same about a field: `action` is "see", "edit" or "unmask"."""
    standing = person_of(ctx, user)
    if action not in FIELD_ACTIONS:
        raise unknown_action(action, FIELD_ACTIONS)
    see(ctx, object_name, record_id)
    found: FieldAction = action
    told = explain_field(ctx, standing.context, object_name, record_id, found, field_name)
    return told if standing.is_active else inactive(ctx, standing, told)


def inactive(ctx: Context, standing: Standing, told: FieldExplanation) -> FieldExplanation:
    actor = standing.context.actor
    reason = Reason("missing.inactive", (("person", actor.name or actor.username),))
    return FieldExplanation(False, (reason, *told.reasons), told.record)


def unknown_action(action: str, known: tuple[str, ...]) -> BadInput:
    guess = nearest(action, known)
    fix = f"write '{guess}'?" if guess else f"actions are {', '.join(known)}"
    message = f"no action '{action[:60]}'"
    problems = [InputProblem("action", "access.action", message, fix)]
    return BadInput(message, code="access.action", fix=fix, problems=problems)


def see(ctx: Context, object_name: str, record_id: str) -> None:
    """Raises NotFound for what the asker may not see. A record may be among the deleted."""
    need_object(ctx.scope, object_name)
    if not record_id:
        return
    with ctx.tenant.database.read() as connection:
        if not any(rows.current(ctx, connection, object_name, record_id, "read", trash) for trash in (False, True)):
            raise not_found(object_name, record_id)


def who_sees(ctx: Context, object_name: str, record_id: str, after: str = "") -> Audience:
    """Active people who see the record, up to fifty, with the shortest reason of each; 500 are asked about at a time.

    `after` is the `after` of the part before. Only people whom the asker may see.
    """
    need_right(ctx)
    see(ctx, object_name, record_id)
    if after and not types.is_id(after):
        raise bad_at("after", "access.after", "after is what the part before said", "begin without it")
    table = ctx.snapshot.physical.table("user")
    wanted = sa.select(table.c.id).where(table.c.deleted_at.is_(None), table.c.is_active, table.c.id > after if after
                                         else sa.true()).order_by(table.c.id).limit(MOST_ASKED + 1)  # fmt: skip
    with ctx.tenant.database.read() as connection:
        ids = [str(one) for one in connection.sa.execute(wanted).scalars()]
        names, found, last = titles(ctx, "user", ids[:MOST_ASKED]), [], ""
        for user in ids[:MOST_ASKED]:
            last = user
            if user not in names:
                continue
            person = standing_of(ctx, user).context
            if not person.scope.can("read", object_name):
                continue
            seen = rows.current(person, connection, object_name, record_id, "update")
            if seen is None:
                continue
            told = explain(ctx, person, object_name, record_id, "read")
            if told.ways:
                found.append(Viewer(user, names[user], told.ways[0].steps, seen.is_allowed))
            if len(found) == MOST_SHOWN:
                break
    is_done = not ids or last == ids[-1]
    return Audience(tuple(sorted(found, key=lambda one: one.name)), "" if is_done else last)

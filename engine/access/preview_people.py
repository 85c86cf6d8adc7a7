"""What giving or taking a role, another department or another manager would do. Tried in a transaction that ends as if
it had not been, so that nothing has to be guessed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from engine.access.inquiry import person_of
from engine.access.preview import Pair, Preview, compare_people
from engine.context import SYSTEM, Context, context_of
from engine.errors import BadInput, InputProblem
from engine.people.departments import DEPARTMENT, upwards
from engine.people.role_records import write_roles
from engine.people.standing import standing_of
from engine.people.users import known_roles
from engine.service import Records
from engine.store.database import Connection

__all__ = ["CHANGES", "preview_person"]

CHANGES = ("roles", "department", "manager")
MOST_OTHERS = 200


class Undone(Exception):
    """Ends the transaction."""


def preview_person(ctx: Context, user: str, changes: Mapping[str, Any]) -> Preview:
    """`changes`: all roles that the person would have, the id of a department or of a manager, or None for none.

    Raises Forbidden without the right to manage rights, NotFound for a person whom the asker does not see, BadInput for
    what there is not, and what writing it would raise. Others are looked at where a manager or a department changes:
    those above the person, before and after, and up to 200 in these departments.
    """
    person_of(ctx, user)
    wrong = [key for key in changes if key not in CHANGES]
    if wrong or not changes:
        message = f"a preview has no '{wrong[0][:60]}'" if wrong else "nothing would change"
        fix = f"write some of {', '.join(CHANGES)}"
        path = wrong[0][:60] if wrong else ""
        problems = [InputProblem(path, "preview.key", message, fix)]
        raise BadInput(message, code="preview.key", fix=fix, problems=problems)
    roles = roles_of(ctx, changes)
    links = {key: changes[key] for key in ("department", "manager") if key in changes}
    found = Preview()
    try:
        with ctx.tenant.database.together() as connection:
            system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot)

            def write() -> None:
                if links:
                    Records(system).update("user", user, links)
                if roles is not None:
                    write_roles(system, connection, user, roles)

            people = concerned(ctx, connection, user, bool(links))
            if links:
                people += tried(connection, write, lambda: concerned(ctx, connection, user, True))
            before = {one: fixed(ctx, one) for one in dict.fromkeys(people)}
            write()
            pairs = [Pair(was, fixed(ctx, one), (one,)) for one, was in before.items()]
            found = compare_people(ctx, connection, pairs, list(ctx.snapshot.definitions.objects))
            raise Undone
    except Undone:
        pass
    return found


def roles_of(ctx: Context, changes: Mapping[str, Any]) -> Sequence[str] | None:
    if "roles" not in changes:
        return None
    sent = changes["roles"]
    if not isinstance(sent, list | tuple) or any(not isinstance(one, str) for one in sent):
        message = "'roles' is a list of names"
        raise BadInput(message, code="value.type", problems=[InputProblem("roles", "value.type", message)])
    return known_roles(ctx.tenant, sent)


def fixed(ctx: Context, user: str) -> Context:
    """The person as they are now: what is read lazily is read."""
    found = standing_of(ctx, user).context
    actor = replace(found.actor, departments=tuple(found.actor.departments), teams=tuple(found.actor.teams))
    return replace(found, actor=actor, circle={key: tuple(value) for key, value in found.circle.items()})


def tried(connection: Connection, write: Callable[[], None], look: Callable[[], list[str]]) -> list[str]:
    """What is found once it is written, which is then taken back."""
    connection.run("SAVEPOINT fs_preview")
    write()
    found = look()
    connection.run("ROLLBACK TO SAVEPOINT fs_preview")
    connection.run("RELEASE SAVEPOINT fs_preview")
    return found


def concerned(ctx: Context, connection: Connection, user: str, is_moved: bool) -> list[str]:
    """The person; where a manager or a department changes, those above and those around, too."""
    found = [user]
    if not is_moved:
        return found
    table, department = ctx.snapshot.physical.table("user"), ctx.snapshot.physical.table(DEPARTMENT)
    here: str | None = user
    for _ in range(100):
        here = connection.sa.execute(sa.select(table.c.manager).where(table.c.id == here)).scalar()
        if here is None or here in found:
            break
        found.append(here)
    own = connection.sa.execute(sa.select(table.c[DEPARTMENT]).where(table.c.id == user)).scalar()
    if own is not None:
        up = upwards(ctx.snapshot, sa.literal(own, table.c[DEPARTMENT].type))
        ids = [row[0] for row in connection.sa.execute(sa.select(up.c.id))]
        heads = sa.select(department.c.head).where(department.c.id.in_(ids), department.c.head.is_not(None))
        found += connection.sa.execute(heads).scalars()
        around = sa.select(table.c.id).where(table.c[DEPARTMENT].in_(ids)).limit(MOST_OTHERS)
        found += connection.sa.execute(around.order_by(table.c.id)).scalars()
    living = sa.select(table.c.id).where(table.c.id.in_(found), table.c.deleted_at.is_(None), table.c.is_active)
    known = {str(one) for one in connection.sa.execute(living).scalars()}
    return [one for one in dict.fromkeys(map(str, found)) if one in known or one == user]

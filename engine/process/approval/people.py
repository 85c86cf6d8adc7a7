"""Who may do what with an instance: its administrators, those who take part, and those whom others may ask."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from engine.access.scope import scope_of
from engine.context import Actor, Context
from engine.errors import BadInput, InputProblem, NotFound
from engine.people.authentication import zone_of
from engine.people.departments import DEPARTMENT, Departments
from engine.people.roles import held, of_user
from engine.people.standing import standing_of
from engine.process.approval.chart import Chart
from engine.snapshot import Snapshot
from engine.store import rows, types
from engine.store.database import Compiled, Connection, compile_sql
from metadata.model import Action
from metadata.processes import ADMIN_PERMISSION

__all__ = ["actor_of", "administrators", "is_admin", "names_of", "need_askable", "need_chosen"]

MOST_ADMINS = 20


def is_admin(ctx: Context) -> bool:
    return ctx.scope.has(ADMIN_PERMISSION)


def administrators(ctx: Context, connection: Connection) -> list[str]:
    """Active people who hold the permission through a role, by user name."""
    definitions = ctx.snapshot.definitions
    roles = [name for name in definitions.roles if scope_of(ctx.snapshot, frozenset((name,))).has(ADMIN_PERMISSION)]
    table = ctx.snapshot.physical.table("user")
    pairs = held(ctx.snapshot)
    person, role = pairs.selected_columns
    wanted = (
        sa.select(table.c.id)
        .where(
            table.c.deleted_at.is_(None),
            table.c.is_active,
            table.c.id.in_(pairs.where(role.in_(roles)).with_only_columns(person)),
        )
        .order_by(table.c.username)
        .limit(MOST_ADMINS)
    )
    return [str(one) for one in connection.sa.scalars(wanted)]


def actor_of(ctx: Context, connection: Connection, snapshot: Snapshot, user: str) -> Actor | None:
    """A person as formulas know them; None for one who is not there. What they were given besides roles is left out."""
    if not types.is_id(user):
        return None
    compiled = asking_person(snapshot)
    rows_ = connection.rows(compiled.sql, compiled.bind({"_user": user}))
    if not rows_:
        return None
    username, name, language, zone, department, roles = rows_[0]
    above = Departments(ctx.tenant, department) if department else ()
    return Actor(
        user, username, name or "", frozenset(roles.split(",") if roles else ()), language or "en",
        zone_of(zone or "UTC"), departments=above,
    )  # fmt: skip


def asking_person(snapshot: Snapshot) -> Compiled:
    if "approval person" not in snapshot.cache:
        table = snapshot.physical.table("user")
        own = table.c[DEPARTMENT] if DEPARTMENT in table.c else sa.null()
        wanted = sa.select(
            table.c.username, table.c.name, table.c.language, table.c.time_zone, own, of_user(snapshot, table.c.id)
        ).where(table.c.id == sa.bindparam("_user", type_=types.Id()), table.c.deleted_at.is_(None))
        snapshot.cache["approval person"] = compile_sql(wanted, snapshot.dialect)
    found: Compiled = snapshot.cache["approval person"]
    return found


def names_of(ctx: Context, connection: Connection, users: Sequence[str]) -> dict[str, str]:
    """Their names, also of those who have left."""
    wanted = [one for one in dict.fromkeys(users) if types.is_id(one)]
    if not wanted:
        return {}
    table = ctx.snapshot.physical.table("user")
    rows_ = connection.sa.execute(sa.select(table.c.id, table.c.name, table.c.username).where(table.c.id.in_(wanted)))
    return {str(row[0]): row[1] or row[2] for row in rows_}


def need_askable(
    ctx: Context, connection: Connection, user: str, object_name: str, record_id: str, right: Action = "approve"
) -> None:
    """Whom one person may ask in the place of another or besides: an active user who may read the record and has the
    right to approve it. Whom a definition asks needs neither. Raises BadInput."""
    try:
        standing = standing_of(ctx, user)
    except NotFound:
        standing = None
    found = None
    if standing is not None and standing.is_active and standing.context.scope.can(right, object_name):
        found = rows.current(standing.context, connection, object_name, record_id, right)
    if found is None or not found.is_allowed:
        message = f"this person may not be asked: they must be active and have the right to {right} the record"
        problem = InputProblem("users", "approval.cannot_ask", message, "choose somebody else", (("user", user),))
        raise BadInput(message, code="approval.cannot_ask", fix=problem.fix, problems=[problem])


def need_chosen(ctx: Context, connection: Connection, chart: Chart, chosen: Mapping[str, Sequence[str]]) -> None:
    """Raises BadInput for nodes that are not there, and for people who are not there or not active."""
    table = ctx.snapshot.physical.table("user")
    wanted = {user for users in chosen.values() for user in users}
    active = sa.select(table.c.id).where(
        table.c.id.in_([one for one in wanted if types.is_id(one)]), table.c.deleted_at.is_(None), table.c.is_active
    )
    known = set(connection.sa.scalars(active)) if wanted else set()
    problems = [InputProblem(f"chosen.{name}", "approval.chosen", f"there is no step '{name}'")
                for name in chosen if name not in chart.sites]  # fmt: skip
    problems += [InputProblem(f"chosen.{name}", "approval.chosen", "this person is not there, or not active")
                 for name, users in chosen.items() for user in users if user not in known]  # fmt: skip
    if problems:
        raise BadInput(problems[0].message, code="approval.chosen", problems=problems)

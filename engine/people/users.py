"""People who can sign in: records of the system object `user`, with roles and a password beside them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from engine.context import SYSTEM, Origin, context_of
from engine.errors import BadInput, Conflict, InputProblem, NotFound
from engine.people import credentials, passwords
from engine.people.credentials import write_hash
from engine.people.passwords import ORDINARY, Policy
from engine.people.role_records import write_roles
from engine.people.roles import are_records, held
from engine.service import Records
from engine.tenants import Tenant
from metadata.problem import nearest

__all__ = [
    "ADMIN",
    "User",
    "check_first_password",
    "create_user",
    "ensure_admin",
    "find_user",
    "list_users",
    "set_active",
    "set_password",
    "set_roles",
]

ADMIN = "admin"  # name of the first user and of the role that may do everything
MOST_GUESSES = 20  # unknown roles that get a nearest one
USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class User:
    id: str
    username: str
    name: str
    roles: tuple[str, ...]
    is_active: bool


def create_user(
    tenant: Tenant,
    username: str,
    *,
    now: datetime,
    name: str = "",
    roles: Iterable[str] = (),
    password: str | None = None,
    hashed: str | None = None,
    is_demo: bool = False,
    **more: Any,
) -> str:
    """Make a user and return its id. Without a password it can only use tokens. `hashed`: instead of one, what
    `hash_password` made of it. `more`: other fields of `user`.

    Raises BadInput and Conflict. In a demo the password need not be good.
    """
    if not USERNAME.fullmatch(username):
        message = f"'{username}' is not a user name: 1 to 64 of a-z, 0-9 and . _ - + @, a letter or digit at both ends"
        raise BadInput(message, problems=[InputProblem("username", "user.name", message)])
    wanted = known_roles(tenant, roles)
    if password is not None and not is_demo:
        passwords.check_policy(password, username, (name, str(more.get("email") or "")))
    values = {"username": username, "name": name or username} | more
    hashed = passwords.hash_password(password) if password is not None else hashed
    with tenant.database.together() as connection:
        ctx = context_of(tenant, SYSTEM, now)
        if are_records(ctx.snapshot):
            values |= {"roles": [{"role": role} for role in wanted]}
        user: str = Records(ctx).create("user", values)["id"]
        if not are_records(ctx.snapshot):
            write_roles(ctx, connection, user, wanted)
        if hashed is not None:
            write_hash(tenant, user, hashed, now)
    return user


def ensure_admin(tenant: Tenant, password: str | None, now: datetime) -> str | None:
    """Make the first user, `admin`, where there is none yet. Returns a password made for it, to be shown once."""
    if list_users(tenant):
        return None
    made = None if password else passwords.made_password()
    try:
        create_user(tenant, ADMIN, now=now, name="Administrator", roles=[ADMIN], password=password or made)
    except Conflict:  # another process was faster
        return None
    return made


def check_first_password(tenant: Tenant, password: str) -> None:
    """Raises BadInput where the first user is still to be made, and not with this password; "" will do."""
    if password and not tenant.version():
        passwords.check_policy(password, ADMIN)


def set_password(
    tenant: Tenant, username: str, password: str, now: datetime, *, is_demo: bool = False, policy: Policy = ORDINARY
) -> None:
    """All sessions of the user end, and links that were sent."""
    user = find_user(tenant, username)
    account = credentials.account_of(tenant, user.id)
    assert account is not None
    if not is_demo:
        credentials.check_new(tenant, account, password, policy)
    origin = Origin("command")
    credentials.change_password(tenant, account, password, actor=SYSTEM, origin=origin, now=now, policy=policy)


def set_roles(tenant: Tenant, username: str, roles: Iterable[str]) -> None:
    user, wanted = find_user(tenant, username), known_roles(tenant, roles)
    with tenant.database.together() as connection:
        write_roles(context_of(tenant), connection, user.id, wanted)


def set_active(tenant: Tenant, username: str, is_active: bool, now: datetime) -> None:
    """A deactivated user is refused everywhere at once: sessions and tokens end (engine/store/rows_people.py)."""
    user = find_user(tenant, username)
    Records(context_of(tenant, SYSTEM, now)).update("user", user.id, {"is_active": is_active})


def find_user(tenant: Tenant, username: str) -> User:
    """Raises NotFound, with the nearest name as its fix."""
    known = {user.username: user for user in list_users(tenant)}
    if username not in known:
        guess = nearest(username, known)
        raise NotFound(f"no user '{username}'", code="user.unknown", fix=f"write '{guess}'?" if guess else "")
    return known[username]


def list_users(tenant: Tenant) -> list[User]:
    """All users, by user name."""
    snapshot = tenant.snapshot()
    physical = snapshot.physical
    user = physical.table("user")
    username, name, is_active = (physical.column("user", field) for field in ("username", "name", "is_active"))
    people = sa.select(user.c.id, username, name, is_active).where(user.c.deleted_at.is_(None)).order_by(username)
    with tenant.database.read() as connection:
        rows = connection.sa.execute(people).all()
        pairs = connection.sa.execute(held(snapshot)).all()
    roles: dict[str, list[str]] = {}
    for user_id, role in pairs:
        roles.setdefault(str(user_id), []).append(role)
    return [User(str(i), u, n or "", tuple(sorted(roles.get(str(i), ()))), bool(a)) for i, u, n, a in rows]


def known_roles(tenant: Tenant, roles: Iterable[str]) -> tuple[str, ...]:
    known, wanted = tenant.snapshot().definitions.roles, tuple(dict.fromkeys(roles))
    problems: list[InputProblem] = []
    for role in wanted:
        if role not in known:
            guess = nearest(role, known) if len(problems) < MOST_GUESSES else ""
            fix = f"write '{guess}'?" if guess else f"roles are: {', '.join(known)}"
            problems.append(InputProblem("roles", "role.unknown", f"no role '{role}'", fix))
    if problems:
        raise BadInput(problems[0].message, code="role.unknown", fix=problems[0].fix, problems=problems)
    return wanted

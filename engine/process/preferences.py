"""What people chose for themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from engine.errors import BadInput, InputProblem
from engine.store import system_jobs
from engine.store.database import Connection

__all__ = ["MAILED", "mail_wanted", "set_mail", "wants_mail"]

MAIL = "mail"
MAILED: Mapping[str, bool] = {"approval": True, "automation": False}
"""The kinds of notifications, and whether a mail comes with them unless the person says otherwise."""
preference = system_jobs.preference


def mail_wanted(connection: Connection, user: str) -> dict[str, bool]:
    """Kind of notification -> whether the person gets a mail with it."""
    return _mail(connection, [user])[user]


def wants_mail(connection: Connection, users: Sequence[str], kind: str) -> set[str]:
    """Those of these users who get a mail with a notification of this kind, such as "approval.asked"."""
    group = kind.partition(".")[0]
    return {user for user, wanted in _mail(connection, users).items() if wanted.get(group, False)}


def set_mail(connection: Connection, user: str, wanted: Mapping[str, Any]) -> None:
    """What is not named stays as it is. Raises BadInput."""
    problems = [InputProblem(name, "field.unknown", f"no field '{name}'") for name in wanted if name not in MAILED]
    problems += [
        InputProblem(name, "value.type", f"'{name}' is true or false")
        for name, value in wanted.items() if name in MAILED and not isinstance(value, bool)
    ]  # fmt: skip
    if problems:
        raise BadInput(problems[0].message, code=problems[0].code, problems=problems)
    value = orjson.dumps({**mail_wanted(connection, user), **wanted}).decode()
    insert = (sqlite if connection.dialect == "sqlite" else postgresql).insert(preference)
    row = insert.values(user=user, name=MAIL, value=value)
    connection.sa.execute(row.on_conflict_do_update(index_elements=["user", "name"], set_={"value": value}))


def _mail(connection: Connection, users: Sequence[str]) -> dict[str, dict[str, bool]]:
    found = {user: dict(MAILED) for user in users}
    for start in range(0, len(users), 500):
        part = users[start : start + 500]
        query = sa.select(preference.c.user, preference.c.value).where(
            preference.c.name == MAIL, preference.c.user.in_(part)
        )
        for user, value in connection.sa.execute(query):
            found[str(user)].update(orjson.loads(value))
    return found

"""What was published: when, by whom, and what it changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from engine.publish.steps import Step
from engine.store import system
from engine.tenants import Tenant

__all__ = ["Published", "history"]


@dataclass(frozen=True, slots=True)
class Published:
    version: int
    at: datetime
    by: str | None  # a user's id; None: the command line
    by_name: str  # the user's name for signing in; "" for the command line
    packages: Mapping[str, str]  # name -> version
    steps: tuple[Step, ...]
    hash: str


def history(tenant: Tenant) -> list[Published]:
    """The latest first; [] where nothing was published."""
    snapshot = tenant.snapshot()
    if snapshot.version == 0:
        return []
    v, p = system.version.c, system.package.c
    user = snapshot.physical.table("user") if "user" in snapshot.definitions.objects else None
    with tenant.database.read() as connection:
        versions = connection.sa.execute(
            sa.select(v.number, v.at, v.by, v.plan, v.hash).order_by(v.number.desc())
        ).all()
        packages: dict[int, dict[str, str]] = {}
        wanted = sa.select(p.version, p.package, p.package_version).order_by(p.version, p.package)
        for number, name, package_version in connection.sa.execute(wanted):
            packages.setdefault(number, {})[name] = package_version
        ids = {by for _, _, by, _, _ in versions if by}
        names: dict[str, str] = {}
        if user is not None and ids:
            found = connection.sa.execute(sa.select(user.c.id, user.c.username).where(user.c.id.in_(ids)))
            names = dict(found.all())
    return [
        Published(
            number, at, by, names.get(by or "", ""), packages.get(number, {}),
            tuple(Step(**step) for step in orjson.loads(plan)), digest,
        )
        for number, at, by, plan, digest in versions
    ]  # fmt: skip

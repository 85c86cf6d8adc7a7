"""Who asks, when, and on which version of the definitions. Passed to everything that reads or writes records."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from engine.access.scope import Scope, full_scope, scope_of
from engine.snapshot import Snapshot
from engine.tenants import Tenant

__all__ = ["SYSTEM", "Actor", "Context", "context_of"]

ZONE_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Actor:
    """The person acting. The system itself (commands, sample data) is `SYSTEM`: no user, and it may do everything."""

    id: str
    username: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    language: str = "en"
    time_zone: ZoneInfo = ZONE_UTC
    is_system: bool = False


SYSTEM = Actor(id="", username="", name="Fieldstone", is_system=True)


@dataclass(frozen=True, slots=True)
class Context:
    """One request: it runs wholly on one snapshot and has one time."""

    tenant: Tenant
    snapshot: Snapshot
    actor: Actor
    scope: Scope
    now: datetime
    language: str = "en"
    time_zone: ZoneInfo = field(default=ZONE_UTC)

    @property
    def today(self) -> date:
        """The date now, in the person's zone."""
        return self.now.astimezone(self.time_zone).date()


def context_of(
    tenant: Tenant, actor: Actor = SYSTEM, now: datetime | None = None, snapshot: Snapshot | None = None
) -> Context:
    """A Context on `snapshot` (the tenant's current one unless given), with time cut to milliseconds as stored."""
    snapshot = snapshot or tenant.snapshot()
    now = now or datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    scope = full_scope(snapshot) if actor.is_system else scope_of(snapshot, actor.roles)
    return Context(tenant, snapshot, actor, scope, now, actor.language, actor.time_zone)

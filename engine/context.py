"""Who asks, when, and on which version of the definitions. Passed to everything that reads or writes records."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine.access.circle import NOBODY, circle_of
from engine.access.narrow import EVERYTHING, NarrowScope, TokenScope
from engine.access.scope import Scope, full_scope, scope_of
from engine.contracts.function import Here
from engine.errors import InputWarning, NeedsConfirmation
from engine.snapshot import Snapshot
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["SYSTEM", "Actor", "Context", "Origin", "context_of"]

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
    departments: Sequence[str] = ()  # ids of the person's department and of all above it; read when looked at
    permission_sets: frozenset[str] = frozenset()  # given to the person, a department or a team, not through a role
    teams: Sequence[str] = ()  # ids of the teams that the person is in
    on_behalf_of: str = ""  # the id of another user, in whose place the person acts
    token_scope: TokenScope = EVERYTHING  # what the token that was shown leaves of it all


SYSTEM = Actor(id="", username="", name="Fieldstone", is_system=True)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from; all "" for the engine's own work."""

    channel: str = ""  # "api", "screen" or "command"
    address: str = ""
    request: str = ""  # its id


NOWHERE = Origin()


@dataclass(frozen=True, slots=True)
class Context:
    """One request: it runs wholly on one snapshot and has one time.

    `warnings` gathers what speaks against what was written. Where `stops_at_warnings`, nothing is written then: screens
    ask first, and write without it once the person has confirmed.
    """

    tenant: Tenant
    snapshot: Snapshot
    actor: Actor
    scope: Scope
    now: datetime
    language: str = "en"
    time_zone: ZoneInfo = field(default=ZONE_UTC)
    warnings: list[InputWarning] = field(default_factory=list, compare=False)
    stops_at_warnings: bool = False
    origin: Origin = NOWHERE
    circle: Mapping[str, Sequence[str]] = field(default_factory=lambda: NOBODY, compare=False)
    """Whose records are the person's, too, and what records are shared with: as bound in statements; see circle.py."""
    override: str = ""  # why an administrator of processes writes what is locked; "" is that nobody does
    requests: list[Any] = field(default_factory=list, compare=False)
    """Changes that this request did not make: they wait for an approval; see engine/process/requests.py."""
    guesses: dict[Any, str] = field(default_factory=dict, compare=False)  # by unknown names: see rules/values.py
    reader: "Context | None" = field(default=None, compare=False)
    """Who reads what is refused and warned of, where that is somebody else than who acts: a service identity acts for
    them, or the system does."""

    is_tried: bool = False  # nothing of it stays: what would be sent is told, to who reads

    @property
    def told(self) -> "Context":
        """By whose rights refusals and warnings say what they say."""
        return self.reader or self

    @property
    def today(self) -> date:
        """The date now, in the person's zone."""
        return self.now.astimezone(self.time_zone).date()

    @property
    def here(self) -> Here:
        """What formulas may know besides a record."""
        actor = self.actor
        return Here(
            self.now, self.time_zone, actor.id, actor.username, actor.roles, actor.departments,
            self.snapshot.definitions.fiscal_year_start,
        )  # fmt: skip

    def warn(self, warning: InputWarning) -> None:
        """Once: a write that is tried again finds the same."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The transaction of a write to records. Raises NeedsConfirmation at its end, and writes nothing, where there
        are warnings and `stops_at_warnings`."""
        with self.tenant.database.write() as connection:
            yield connection
            if self.stops_at_warnings and self.warnings:
                raise NeedsConfirmation(self.warnings)


def context_of(
    tenant: Tenant, actor: Actor = SYSTEM, now: datetime | None = None, snapshot: Snapshot | None = None,
    origin: Origin | None = None,
) -> Context:  # fmt: skip
    """A Context on `snapshot` (the tenant's current one unless given), with time cut to milliseconds as stored."""
    snapshot = snapshot or tenant.snapshot()
    now = now or datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    scope = full_scope(snapshot) if actor.is_system else scope_of(snapshot, actor.roles, actor.permission_sets)
    if actor.token_scope.told:
        scope = narrowed(snapshot, scope, actor.token_scope)
    origin = origin or Origin(tenant.channel)
    circle = circle_of(tenant, snapshot, actor) if actor.id else NOBODY
    language, zone = actor.language, actor.time_zone
    return Context(tenant, snapshot, actor, scope, now, language, zone, origin=origin, circle=circle)


def narrowed(snapshot: Snapshot, scope: Scope, token: TokenScope) -> Scope:
    key = ("narrow scope", scope.key, token)
    found: Scope | None = snapshot.cache.get(key)
    if found is None:
        found = snapshot.cache[key] = NarrowScope(scope, token)
    return found

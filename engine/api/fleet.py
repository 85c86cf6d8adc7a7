"""The tenants that a process has open: each when it is first asked for, the least recently used closed again."""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from starlette.applications import Starlette

from engine.api.lane import Lane
from engine.api.metrics import Metrics
from engine.api.site import lanes_for
from engine.config import Config
from engine.publish import ensure
from engine.store.budget import Budget
from engine.tenancy.catalogue import Catalogue, Entry
from engine.tenants import Tenant, load_plugins, open_tenant

__all__ = ["Fleet", "Open"]

log = logging.getLogger("fieldstone.tenants")

KNOWN_S = 5.0  # how long what the catalogue says is believed
ASKED_AGAIN_S = 0.5  # and before a name that is in it nowhere is looked for anew


class Maker(Protocol):
    def __call__(
        self, config: Config, tenant: Tenant | None, *, lanes: tuple[Lane, Lane], metrics: Metrics
    ) -> Starlette: ...


@dataclass(slots=True, eq=False)
class Open:
    """One tenant, open. It is closed only when nothing uses it."""

    name: str
    entry: Entry | None  # as the catalogue said when it was opened; None for one that is not in it
    tenant: Tenant
    app: Starlette
    life: AbstractAsyncContextManager[object]  # what the application does from its beginning to its end
    uses: int = 0
    is_retired: bool = False


class Fleet:
    """Belongs to one event loop: only `make` and what reads the catalogue run in threads."""

    def __init__(self, config: Config, create: Maker) -> None:
        self.config, self.create = config, create
        self.plugins, self.metrics = load_plugins(config.plugins), Metrics()
        self.catalogue = Catalogue(config.database_url, config.data)
        self.budget = Budget(config.connections)
        self.catalogue.database.budget = self.budget
        self.lanes = lanes_for(config, self.catalogue.database.dialect)
        self.clock: Callable[[], float] = time.monotonic
        self.wake: Callable[[], None] = lambda: None  # called when any of the tenants has left a job
        self.open: OrderedDict[str, Open] = OrderedDict()
        self.by_name: dict[str, Entry] = {}
        self.by_host: dict[str, str] = {}
        self._making: dict[str, asyncio.Task[Open | None]] = {}
        self._awaited: Counter[str] = Counter()  # by those who use it next: it is not closed before they do
        self._reading: asyncio.Task[None] | None = None
        self._read_at, self._has_read = float("-inf"), False

    @property
    def default(self) -> str:
        """The tenant of host names that belong to none."""
        return self.config.tenant

    async def look(self, *, again: bool = False) -> None:
        """Know the catalogue, at most a few seconds old; with `again`, half a second."""
        if self._reading is not None:
            if again or not self._has_read:
                await asyncio.shield(self._reading)
            return  # the others go on with what is known
        if self.clock() - self._read_at < (ASKED_AGAIN_S if again else KNOWN_S):
            return
        self._read_at = self.clock()
        self._reading = asyncio.create_task(self.read())
        await asyncio.shield(self._reading)

    async def read(self) -> None:
        try:
            entries = await self.lanes[1].run(self.catalogue.entries)
            self.by_name = {entry.name: entry for entry in entries}
            self.by_host = {host: entry.name for entry in entries for host in entry.hosts}
            self._has_read = True
        except Exception as error:
            log.error("the catalogue of tenants cannot be read: %s", error)
        finally:
            self._reading = None
        for name, found in list(self.open.items()):  # what was deleted, too: its file is kept open no longer
            if name != self.default and found.entry != self.by_name.get(name):
                await self.retire(name)

    def serves(self, name: str) -> bool:
        """As far as is known."""
        entry = self.by_name.get(name)
        return entry is not None and entry.state == "active"

    async def take(self, name: str) -> Open | None:
        """The tenant, open and in use until `give_back`; None for one that is not served: unknown, or not active."""
        entry = self.by_name.get(name)
        if entry is None and name != self.default:
            return None
        if entry is not None and entry.state != "active":
            if name != self.default:  # that one also refuses what is for nobody
                await self.retire(name)
            return None
        found = self.open.get(name)
        if found is not None and found.entry != entry:
            await self.retire(name)
            found = None
        while found is None or found.is_retired:  # by others, who made room while this waited
            found = await self.made(name, entry)
            if found is None:
                return None
        await self.use(found)
        return found

    async def take_default(self) -> Open:
        """The default tenant, whatever its state: to say that a host name is not served."""
        found = self.open.get(self.default)
        while found is None or found.is_retired:
            found = await self.made(self.default, self.by_name.get(self.default))
            assert found is not None
        await self.use(found)
        return found

    async def use(self, found: Open) -> None:
        found.uses += 1
        self.open.move_to_end(found.name)
        if len(self.open) > self.config.open_tenants:
            await self.make_room()

    async def give_back(self, used: Open) -> None:
        used.uses -= 1
        if used.uses:
            return
        if used.is_retired:
            await self.end(used)
        elif len(self.open) > self.config.open_tenants:  # all were in use when room was to be made
            await self.make_room()

    async def end(self, found: Open) -> None:
        await found.life.__aexit__(None, None, None)
        await self.lanes[1].run(found.tenant.close)

    async def made(self, name: str, entry: Entry | None) -> Open | None:
        """Opened once, however many ask for it at the same time."""
        task = self._making.get(name)
        if task is None:
            task = self._making[name] = asyncio.create_task(self.opened(name, entry))
            task.add_done_callback(lambda _: self._making.pop(name, None))
        self._awaited[name] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._awaited[name] -= 1

    async def opened(self, name: str, entry: Entry | None) -> Open | None:
        found = await self.lanes[0].run(lambda: self.make(name, entry))
        if found is not None:
            await found.life.__aenter__()
            self.open[name] = found
        return found

    def make(self, name: str, entry: Entry | None) -> Open | None:
        config = self.config_of(name, entry)
        tenant = open_tenant(config.database_url, config.data, name, self.plugins, config.files)
        tenant.database.budget = self.budget
        tenant.database.wake = lambda: self.wake()
        with ExitStack() as unless_made:
            unless_made.callback(tenant.close)
            if name != self.default:  # `fieldstone serve` has prepared that one
                if tenant.version() == 0:  # it was deleted just now: nobody makes it anew by asking for it
                    return None
                ensure(tenant, datetime.now(UTC))
            app = self.create(config, tenant, lanes=self.lanes, metrics=self.metrics)
            unless_made.pop_all()
        return Open(name, entry, tenant, app, app.router.lifespan_context(app))

    def config_of(self, name: str, entry: Entry | None) -> Config:
        """The settings with the tenant's own address, for links."""
        config, hosts = self.config, entry.hosts if entry else ()
        host = hosts[0] if hosts else f"{name}.{config.base_domain}" if config.base_domain and entry else ""
        if host and config.base_url and name != self.default:
            parts = urlsplit(config.base_url)
            return replace(
                config, tenant=name, base_url=f"{parts.scheme}://{host}{f':{parts.port}' * bool(parts.port)}"
            )
        return replace(config, tenant=name)

    async def retire(self, name: str) -> None:
        found = self.open.pop(name, None)
        if found is not None:
            found.is_retired = True
            if found.uses == 0:
                await self.end(found)

    async def make_room(self) -> None:
        """Close the least recently used that nothing uses. Where all are in use, there are more for a while."""
        kept = {self.default, *(name for name, count in self._awaited.items() if count)}
        idle = [name for name, found in self.open.items() if found.uses == 0 and name not in kept]
        for name in idle[: max(0, len(self.open) - self.config.open_tenants)]:
            await self.retire(name)

    async def close(self) -> None:
        for name in list(self.open):
            found = self.open.pop(name)
            await found.life.__aexit__(None, None, None)
            found.tenant.close()
        for lane in self.lanes:
            lane.close()
        self.catalogue.close()

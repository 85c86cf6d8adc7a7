"""Before all else: which tenant a request is for, by its host name or its token."""

from starlette.types import Receive, Scope, Send

from engine.api.fleet import Fleet
from engine.api.guard import HOST_IS_KNOWN
from engine.config import bare_host
from engine.jobs.crew import Crew
from engine.people.tokens import tenant_of

__all__ = ["Fleet", "Front"]

BEARER = b"bearer "


class Front:
    """ASGI application of a whole process. A host name that is a tenant's wins over what a token says: the token is
    then asked for in that tenant, and is unknown there. One answer for a host that is unknown and for a tenant that is
    not served: it tells nobody which tenants there are."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.hosts = fleet.config.allowed_hosts
        self.any_host = "*" in self.hosts
        self.end = f".{fleet.config.base_domain}" if fleet.config.base_domain else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        fleet = self.fleet
        await fleet.look()
        name, otherwise = self.tenant_for(scope)
        if name != fleet.default and not fleet.serves(name):
            await fleet.look(again=True)  # it may be new, or served again
            name, otherwise = self.tenant_for(scope)
        used = await fleet.take(name)
        if used is None and otherwise:
            used = await fleet.take(otherwise)
        is_known = used is not None
        if used is None:
            used = await fleet.take_default()
        try:
            await used.app({**scope, HOST_IS_KNOWN: is_known}, receive, send)
        finally:
            await fleet.give_back(used)

    def tenant_for(self, scope: Scope) -> tuple[str, str]:
        """The tenant, and which one it is if that is not served; "" for none."""
        fleet, host, token = self.fleet, "", ""
        for name, value in scope["headers"]:
            if name == b"host":
                host = bare_host(value.decode("latin-1"))
            elif name == b"authorization" and value[: len(BEARER)].lower() == BEARER:
                token = value[len(BEARER) :].strip().decode("latin-1")
        if found := fleet.by_host.get(host):
            return found, ""
        if host not in self.hosts:
            if self.end and host.endswith(self.end):
                found = host.removesuffix(self.end)
                return (found if found in fleet.by_name else ""), ""
            if not self.any_host:
                return "", ""
        return (token and tenant_of(token)) or fleet.default, fleet.default

    async def live(self, receive: Receive, send: Send) -> None:
        crew: Crew | None = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                if self.fleet.config.worker:
                    crew = Crew(self.fleet, threads=self.fleet.config.job_threads)
                    crew.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if crew is not None:
                    await crew.close()
                await self.fleet.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

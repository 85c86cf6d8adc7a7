"""The ASGI application: the API, health, and the screens that are mounted beside them."""

import asyncio
import importlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from engine.api.access import OPERATIONS as ACCESS
from engine.api.account import OPERATIONS as ACCOUNT
from engine.api.agents import OPERATIONS as AGENTS
from engine.api.aggregate import OPERATIONS as AGGREGATES
from engine.api.approval_moves import OPERATIONS as APPROVAL_MOVES
from engine.api.approval_tools import OPERATIONS as APPROVAL_TOOLS
from engine.api.approvals import OPERATIONS as APPROVALS
from engine.api.audit import OPERATIONS as AUDIT
from engine.api.automations import OPERATIONS as AUTOMATIONS
from engine.api.errors import HttpRefusal, answer_to, status_of
from engine.api.files import OPERATIONS as FILES
from engine.api.front import Fleet, Front
from engine.api.guard import Guard
from engine.api.health import health_routes
from engine.api.importing import OPERATIONS as IMPORTING
from engine.api.jobs import OPERATIONS as JOB_OPERATIONS
from engine.api.lane import Lane
from engine.api.merging import OPERATIONS as MERGING
from engine.api.metrics import Metrics
from engine.api.notifications import OPERATIONS as NOTIFICATIONS
from engine.api.objects import OPERATIONS as OBJECTS
from engine.api.operations import ROOT, Api
from engine.api.people import OPERATIONS as PEOPLE
from engine.api.privacy import OPERATIONS as PRIVACY
from engine.api.records import OPERATIONS as RECORDS
from engine.api.sharing import OPERATIONS as SHARING
from engine.api.site import Site
from engine.api.templates import OPERATIONS as TEMPLATES
from engine.api.webhooks import OPERATIONS as WEBHOOKS
from engine.audit.upkeep import prune
from engine.config import Config, from_environment
from engine.errors import EngineError
from engine.jobs import kinds
from engine.tenants import Tenant, load_plugins, open_tenant

__all__ = ["create_app", "create_fleet", "from_settings"]

DAY_S = 24 * 3600
JOB_KINDS = kinds.MODULES  # are known to the workers of this process
log = logging.getLogger("fieldstone.audit")

Mounted = Callable[[Site], Sequence[BaseRoute]]


def create_app(
    config: Config, tenant: Tenant | None = None, *, lanes: tuple[Lane, Lane] | None = None,
    metrics: Metrics | None = None,
) -> Starlette:  # fmt: skip
    """All that is served of one tenant, which is opened from the settings unless it is given.

    `app.state.site` is the Site. Several in one process share `lanes` and `metrics`.
    """
    owned = tenant is None
    if tenant is None:
        plugins = load_plugins(config.plugins)
        tenant = open_tenant(config.database_url, config.data, config.tenant, plugins, config.files, channel="")
    site, metrics = Site(config, tenant, lanes), metrics or Metrics()
    operations = (*RECORDS, *IMPORTING, *MERGING, *SHARING, *AGGREGATES, *FILES, *OBJECTS)
    people = (*ACCOUNT, *PEOPLE, *ACCESS, *AUDIT, *PRIVACY)
    approving = (*APPROVAL_TOOLS, *APPROVAL_MOVES, *APPROVALS, *AGENTS)
    processes = (*approving, *AUTOMATIONS, *NOTIFICATIONS, *JOB_OPERATIONS, *TEMPLATES)
    api = Api(site, (*operations, *people, *processes, *WEBHOOKS))
    routes: list[BaseRoute] = [Mount(ROOT, app=api), *health_routes(site, metrics)]
    if config.ui:
        routes += named(config.ui)(site)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        upkeep = asyncio.create_task(keep_audit_short(site))
        yield
        upkeep.cancel()
        site.close()
        if owned:
            site.tenant.close()

    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, site=site, metrics=metrics)],
        exception_handlers={HTTPException: answer_http, EngineError: answer_problem},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.site = site
    return app


async def keep_audit_short(site: Site) -> None:
    """Once a day while the process runs; it is done at its start, too. Several processes do no harm to each other."""
    while True:
        await asyncio.sleep(DAY_S)
        try:
            await site.run_aside(lambda: prune(site.tenant, site.clock(), site.config.audit_days))
        except Exception:  # a busy database, for instance: the next day is soon enough
            log.exception("old entries of the audit log could not be removed")


def create_fleet(config: Config) -> Front:
    """All that one process serves: every tenant, each by an application of its own."""
    return Front(Fleet(config, create_app))


def from_settings() -> Front:
    """For `uvicorn --factory engine.app:from_settings`: all settings from the environment."""
    config = from_environment()
    if config.access_log:
        logging.getLogger("fieldstone.access").setLevel(logging.INFO)
    return create_fleet(config)


def named(place: str) -> Mounted:
    """What `package.module:function` names. The layers above are found by name: the engine imports none of them."""
    module, _, function = place.partition(":")
    found: Mounted = getattr(importlib.import_module(module), function)
    return found


def answer_http(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: an unknown path, a wrong method, a body too large."""
    assert isinstance(error, HTTPException)
    allow = (error.headers or {}).get("Allow", "")
    code = {404: "path.unknown", 405: "method", 413: "body.large"}.get(error.status_code, "http")
    return answer_problem(request, HttpRefusal(error.status_code, code, error.detail, allow=allow))


def answer_problem(request: Request, error: Exception) -> Response:
    """A page where the screens have one for it, else problem+json."""
    assert isinstance(error, EngineError)
    site: Site = request.app.state.site
    if site.error_page is not None and not request.url.path.startswith(ROOT):
        return site.error_page(request, status_of(error, request.method), error)
    answer = answer_to(error, request.method, request.scope.get("fieldstone.request_id", ""))
    headers: Any = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers, answer.content_type.decode())

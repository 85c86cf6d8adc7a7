"""The ASGI application: the API, health, and the screens that are mounted beside them."""

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

from engine.api.aggregate import OPERATIONS as AGGREGATES
from engine.api.errors import HttpRefusal, answer_to, status_of
from engine.api.files import OPERATIONS as FILES
from engine.api.guard import Guard
from engine.api.health import health_routes
from engine.api.merging import OPERATIONS as MERGING
from engine.api.metrics import Metrics
from engine.api.objects import OPERATIONS as OBJECTS
from engine.api.operations import ROOT, Api
from engine.api.records import OPERATIONS as RECORDS
from engine.api.sharing import OPERATIONS as SHARING
from engine.api.site import Site
from engine.config import Config, from_environment
from engine.errors import EngineError
from engine.tenants import Tenant, load_plugins, open_tenant

__all__ = ["create_app", "from_settings"]

Mounted = Callable[[Site], Sequence[BaseRoute]]


def create_app(config: Config, tenant: Tenant | None = None) -> Starlette:
    """All that one process serves. `tenant` is opened from the settings unless it is given.

    `app.state.site` is the Site.
    """
    owned = tenant is None
    if tenant is None:
        plugins = load_plugins(config.plugins)
        tenant = open_tenant(config.database_url, config.data, config.tenant, plugins, config.files)
    site, metrics = Site(config, tenant), Metrics()
    api = Api(site, (*RECORDS, *MERGING, *SHARING, *AGGREGATES, *FILES, *OBJECTS))
    routes: list[BaseRoute] = [Mount(ROOT, app=api), *health_routes(site, metrics)]
    if config.ui:
        routes += named(config.ui)(site)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
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


def from_settings() -> Starlette:
    """For `uvicorn --factory engine.app:from_settings`: all settings from the environment."""
    config = from_environment()
    if config.access_log:
        logging.getLogger("fieldstone.access").setLevel(logging.INFO)
    return create_app(config)


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

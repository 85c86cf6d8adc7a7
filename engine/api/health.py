"""For those who watch: alive, ready, and how it goes."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from engine.api.metrics import Metrics
from engine.api.permission import asks
from engine.api.site import Site
from engine.jobs.admin import counts

__all__ = ["health_routes"]


def health_routes(site: Site, metrics: Metrics) -> list[Route]:
    @asks("anyone", "says only that the process runs")
    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asks("anyone", "says only whether the database answers and something is published")
    async def readyz(request: Request) -> Response:
        try:
            version = await site.run(site.tenant.version)
        except Exception:
            return JSONResponse({"status": "database unavailable"}, 503)
        return JSONResponse({"status": "ok"}) if version else JSONResponse({"status": "nothing published"}, 503)

    def jobs() -> dict[str, int] | None:
        try:
            with site.tenant.database.read() as connection:
                return counts(connection)
        except Exception:  # the numbers of this process are told all the same
            return None

    @asks("anyone", "counts by route, nothing of anyone's data; FIELDSTONE_METRICS_TOKEN closes it")
    async def numbers(request: Request) -> Response:
        token = site.config.metrics_token
        sent = request.headers.get("authorization", "").encode("latin-1")
        if token and not hmac.compare_digest(sent, b"Bearer " + token.encode()):
            return PlainTextResponse("unauthorized", 401, {"www-authenticate": "Bearer"})
        return PlainTextResponse(metrics.text(await site.run(jobs)), media_type="text/plain; version=0.0.4")

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", numbers)]

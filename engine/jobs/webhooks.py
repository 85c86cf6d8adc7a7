"""Calls to other systems: signed as standardwebhooks.com says, and tried again until they answer."""

import base64
import hmac
from collections.abc import Callable
from urllib.parse import urlsplit

import orjson

from engine.context import Context
from engine.errors import bad_at
from engine.jobs.admin import check
from engine.jobs.handlers import GivenUp, Job, outside
from engine.jobs.store import forgotten
from engine.outbound import OutboundFailed, OutboundRefused
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["secret_of", "signature"]

GONE = 410  # RFC 9110, 15.5.11: nobody wants it any more
SHOWN = 300  # characters of an answer that are kept where it is an error


@outside("webhook")
def call(job: Job) -> Callable[[Connection], None]:
    """The payload: `url`, `event` and `body`, and the `object` and `record` that it is about. The body was made by who
    left the job, of what they may see."""
    said = job.payload
    url = str(said["url"])
    about = {name: said[name] for name in ("object", "record") if said.get(name)}
    body = orjson.dumps({"type": said.get("event") or "automation", **about, "data": said.get("body")})
    stamp = str(int(job.now.timestamp()))
    headers = {
        "content-type": "application/json", "webhook-id": job.id, "webhook-timestamp": stamp,
        "webhook-signature": signature(job.site.tenant, url, job.id, stamp, body),
    }  # fmt: skip
    try:
        reply = job.site.outbound.post(url, body, headers, enough=SHOWN * 4)
    except OutboundRefused as error:
        raise GivenUp(str(error), code=error.code, fix=error.fix) from error
    if 200 <= reply.status < 300:
        return forgotten(job.id)
    answer = f"{host_of(url)} answered {reply.status}: {reply.body.decode('utf-8', 'replace')[:SHOWN]}"
    if reply.status == GONE:
        raise GivenUp(answer, code="webhook.gone")
    raise OutboundFailed(answer)


def signature(tenant: Tenant, url: str, job_id: str, stamp: str, body: bytes) -> str:
    """One for each key there is, so that receivers may go over to a new one in their time."""
    signed = f"{job_id}.{stamp}.".encode() + body
    made = (hmac.digest(secret, signed, "sha256") for secret in secrets_of(tenant, url))
    return " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made)


def secret_of(ctx: Context, url: str) -> str:
    """What the receiver at a web address is to know: `whsec_…`. Raises Forbidden, BadInput."""
    check(ctx)
    if not is_address(url):
        raise bad_at("url", "webhook.url", "this is not an address of the web", "write https://…")
    return "whsec_" + base64.b64encode(secrets_of(ctx.tenant, url)[0]).decode()


def is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # "http://[": a bracket that is not closed
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def secrets_of(tenant: Tenant, url: str) -> list[bytes]:
    """Of an endpoint: a web address without what stands behind "?"."""
    parts = urlsplit(url)
    place = parts.path or "/"  # RFC 9110, 4.2.3: they are one
    return tenant.secrets.webhook_secrets(f"{tenant.name} {parts.scheme}://{parts.netloc.lower()}{place}")


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""

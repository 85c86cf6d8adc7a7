"""`fieldstone serve`: web processes."""

import argparse
import errno
import ipaddress
import logging
import os
import socket
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn

from engine.audit.upkeep import prune
from engine.cli import DONE, add_common_options
from engine.config import Config, from_environment, to_environment
from engine.errors import BadInput
from engine.people import passwords, users
from engine.people.sessions import credential
from engine.publish import ensure
from engine.store import system
from engine.tenants import Tenant, open_tenant

__all__ = [
    "DEMO_MARK",
    "DEMO_PASSWORD",
    "add",
    "address",
    "is_loopback",
    "must_be_free",
    "prepare",
    "run",
    "serve",
    "settings",
]

DEMO_PASSWORD = "fieldstone-demo"  # noqa: S105 - known to all, therefore only on loopback
DEMO_MARK = "demo"  # note of the version that `fieldstone demo` published first
RELOADED = ("engine", "metadata", "plugins", "ui")


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("serve", help="serve the screens and the API")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on; 127.0.0.1")
    command.add_argument("--port", type=int, default=8000, help="port to listen on; 8000")
    command.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes; 1. SQLite gains nothing by more"
    )
    command.add_argument("--reload", action="store_true", help="start again when code changes; for development")
    command.add_argument("--no-worker", action="store_true", help="leave jobs to `fieldstone worker`")
    add_common_options(command)


def run(args: argparse.Namespace) -> int:
    config = settings(args)
    must_be_free(args.host, args.port)
    with closing(open_tenant(config.database_url, config.data, config.tenant)) as tenant:
        now = datetime.now(UTC)
        prepare(tenant, now)
        prune(tenant, now, config.audit_days)
        if not is_loopback(args.host):
            warn_of_demo(tenant)
    print(f"serving on {address(args.host, args.port)}", flush=True)
    serve(replace(config, worker=not args.no_worker), args.host, args.port, workers=args.workers, reload=args.reload)
    return DONE


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def must_be_free(host: str, port: int) -> None:
    """Raises BadInput for an address that cannot be listened on: before anything is prepared, not after."""
    if not 0 < port < 65536:
        raise BadInput(
            f"'{port}' is no port: they go from 1 to 65535", code="serve.port", fix="name another: --port 8001"
        )
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"port {port} is in use by another program", code="serve.port", fix=f"name another: --port {port + 1}"
            ) from error
        why = error.strerror or str(error)
        raise BadInput(f"{host}:{port} cannot be listened on: {why}", code="serve.port") from error


def warn_of_demo(tenant: Tenant) -> None:
    """Others can reach the server: say so where people of a demo still have the password that all know."""
    with tenant.database.read() as connection:
        notes = connection.sa.execute(sa.select(system.version.c.note)).scalars().all()
    if DEMO_MARK not in notes:
        return
    names = [user.username for user in users.list_users(tenant)]
    known = [name for name in names if passwords.verify(credential(tenant, name)[1], DEMO_PASSWORD)]
    if known:
        print(f"WARNING: {', '.join(known)} of the demo can be signed in by anyone: the password is known.\n"
              "    fix: fieldstone user password NAME --make", file=sys.stderr, flush=True)  # fmt: skip


def settings(args: argparse.Namespace) -> Config:
    """Of the environment and the common options."""
    try:
        return from_environment(database_url=args.database or None, data=args.data, tenant=args.tenant)
    except ValueError as error:
        raise BadInput(str(error), code="setting") from error


def prepare(tenant: Tenant, now: datetime) -> None:
    """Make what an empty database needs; a password that is made for `admin` is printed this once."""
    given = os.environ.get("FIELDSTONE_ADMIN_PASSWORD", "")
    users.check_first_password(tenant, given)
    ensure(tenant, now)
    made = users.ensure_admin(tenant, given or None, now)
    if made:
        print(f"The first user is admin, with the password {made}\nIt is not shown again.", file=sys.stderr, flush=True)


def serve(config: Config, host: str, port: int, *, workers: int = 1, reload: bool = False) -> None:
    """Until it is interrupted. The processes get their settings through the environment."""
    os.environ.update(to_environment(config))
    folders = [str(Path(__file__).parents[2] / name) for name in RELOADED] if reload else None
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    uvicorn.run(
        "engine.app:from_settings",
        factory=True,
        host=host,
        port=port,
        workers=workers if workers > 1 and not reload else None,
        reload=reload,
        reload_dirs=folders,
        access_log=False,  # engine.api.guard writes one that tells no queries
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # engine.api.proxies believes those that FIELDSTONE_TRUSTED_PROXIES names
        date_header=True,
        timeout_graceful_shutdown=10,
    )


def address(host: str, port: int) -> str:
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::") else host  # noqa: S104 - shown, not listened on
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"

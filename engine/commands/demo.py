"""`fieldstone demo`: an example package with sample data and people, in one command."""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import engine
from engine import sampledata, scenario
from engine.api.site import Site
from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.serve import DEMO_MARK, DEMO_PASSWORD, address, is_loopback, must_be_free, serve, settings
from engine.config import Config
from engine.context import SYSTEM, context_of
from engine.errors import BadInput, Conflict
from engine.people import passwords, users
from engine.people.sessions import credential
from engine.publish import Plan, apply, plan
from engine.service import Records
from engine.store import system
from engine.tenants import Tenant, open_tenant, storage_of
from metadata.model import Definitions, DemoUser
from metadata.problem import render

__all__ = ["add", "run"]

EXAMPLE = Path("examples/crm")
FOLDER = Path(".fieldstone/demo")
ADMIN = DemoUser(users.ADMIN, "Administrator", (users.ADMIN,))


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("demo", help="serve the CRM example with sample data and people")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on; 127.0.0.1")
    command.add_argument("--port", type=int, default=8000, help="port to listen on; 8000")
    command.add_argument("--no-serve", action="store_true", help="prepare it and stop")
    command.add_argument("--reset", action="store_true", help="begin anew: the demo's data are deleted")
    command.add_argument(
        "--package", action="append", type=Path, metavar="PATH", help=f"another package; {EXAMPLE} unless said"
    )
    add_common_options(command)
    command.set_defaults(data=Path(os.environ.get("FIELDSTONE_DATA") or FOLDER))


def run(args: argparse.Namespace) -> int:
    packages = args.package or [example()]
    if not args.no_serve:
        must_be_free(args.host, args.port)
    if args.reset:
        reset(args)
    config = settings(args)
    with closing(open_tenant(config.database_url, config.data, config.tenant)) as tenant:
        is_applied = fill(config, tenant, packages, args, datetime.now(UTC))
    if is_applied is None:
        return REFUSED
    if args.no_serve:
        return DONE
    if is_applied:
        print(f"Change a file in {packages[0]}, then: {called()} apply {shown(packages)}{options(args)}")
    print(f"\nserving on {address(args.host, args.port)}", flush=True)
    serve(replace(config, worker=True, hosts=hosts_for(args.host, config.hosts)), args.host, args.port)
    return DONE


def fill(
    config: Config, tenant: Tenant, packages: Sequence[Path], args: argparse.Namespace, now: datetime
) -> bool | None:  # fmt: skip
    """Bring the tenant to what the packages say, and tell who can sign in.

    True: the packages' definitions run; False: the former ones do; None: they have errors, which are printed.
    """
    is_new = is_empty(tenant)
    with progress("definitions"):
        drawn = plan(tenant, packages)
    if drawn.has_errors:
        print(render(drawn.problems), file=sys.stderr)
        return None
    is_applied = publish(tenant, drawn, is_new, now, f"{called()} plan {shown(packages)}{options(args)}")
    if is_new:
        with tenant.database.together() as connection:
            with progress("people and sample data"):
                make_people(tenant, drawn.definitions, now)
                sampledata.load(tenant, drawn.definitions.data, now)
                place_people(tenant, drawn.definitions, now)
            with progress("what they did"), closing(Site(config, tenant)) as site:
                scenario.play(site, drawn.definitions.scenarios, now)
            connection.sa.execute(sa.update(system.version).values(note=DEMO_MARK))
    print(sign_ins(tenant, [*demo_users(drawn.definitions), ADMIN], is_loopback(args.host), now))
    return is_applied


def example() -> Path:
    """The CRM: of the working directory, of the source tree, or the one that the wheel carries."""
    home = Path(engine.__file__).parent
    for folder in (EXAMPLE, home.parent / EXAMPLE, home / EXAMPLE):
        if (folder / "package.yaml").is_file():
            return folder
    raise BadInput(f"there is no {EXAMPLE} here", code="demo.package", fix="name a package with --package PATH")


def reset(args: argparse.Namespace) -> None:
    """Delete the embedded database. Never anybody's server."""
    if args.database:
        raise BadInput(
            "--reset deletes the embedded database only, and --database or FIELDSTONE_DATABASE_URL names another",
            code="demo.reset",
            fix="drop that schema or file yourself",
        )
    storage_of("", args.data, args.tenant)  # raises for a name that could lead out of the folder
    for suffix in ("", "-wal", "-shm"):
        (args.data / f"{args.tenant}.db{suffix}").unlink(missing_ok=True)


def is_empty(tenant: Tenant) -> bool:
    """Whether the demo may fill this tenant. Raises Conflict for one with people that it did not make."""
    version = tenant.version()
    if not version or not users.list_users(tenant):
        return True
    with tenant.database.read() as connection:
        notes = connection.sa.execute(sa.select(system.version.c.note)).scalars().all()
    if DEMO_MARK not in notes:
        raise Conflict(
            f"tenant '{tenant.name}' of this database was not made by `fieldstone demo`",
            code="demo.tenant",
            fix="name another with --tenant demo, or another database",
        )
    return False


def publish(tenant: Tenant, drawn: Plan, is_new: bool, now: datetime, look: str) -> bool:
    """Whether the definitions run as they are in the files. What would lose values is left to `apply`."""
    if not is_new and (drawn.loses or drawn.stops):
        print("The changed definitions would lose values or are stopped by rows, so the former ones run. See:")
        print(f"    {look}")
        return False
    if not drawn.is_empty:
        with progress(f"tables: {len(drawn.steps)} changes"):
            apply(tenant, drawn, None, now)
    return True


def make_people(tenant: Tenant, definitions: Definitions, now: datetime) -> None:
    people = {person.username: person for person in (ADMIN, *demo_users(definitions))}
    known = passwords.hash_password(DEMO_PASSWORD)  # once: it takes long, and all of them have this password
    for person in people.values():
        given = os.environ.get("FIELDSTONE_ADMIN_PASSWORD") if person is ADMIN else None
        more = {"email": person.email} if person.email else {}
        users.create_user(
            tenant,
            person.username,
            now=now,
            name=person.name,
            roles=person.roles,
            password=given,
            hashed=known,
            is_demo=True,
            language=person.language,
            time_zone=person.time_zone,
            **more,
        )


def place_people(tenant: Tenant, definitions: Definitions, now: datetime) -> None:
    """Where they work and below whom: the departments and positions are sample data."""
    known = {user.username: user.id for user in users.list_users(tenant)}
    records = Records(context_of(tenant, SYSTEM, now))
    for person in demo_users(definitions):
        wanted = {
            "department": sampledata.id_of("department", person.department) if person.department else "",
            "position": sampledata.id_of("position", person.position) if person.position else "",
            "manager": known.get(person.manager, ""),
        }
        if values := {name: value for name, value in wanted.items() if value}:
            records.update("user", known[person.username], values)


def demo_users(definitions: Definitions) -> list[DemoUser]:
    return [person for package in definitions.packages.values() for person in package.demo_users]


def sign_ins(tenant: Tenant, people: Sequence[DemoUser], is_private: bool, now: datetime) -> str:
    """Who can sign in, and how. Where others can reach the demo, the known password is replaced by secret ones."""
    if not is_private:
        print("WARNING: others can reach this address. The demo's people get passwords of their own.", file=sys.stderr)
    wide = max([14, *(len(", ".join(person.roles)) for person in people)]) + 2
    lines = [f"{'user':<12}{'password':<22}{'roles':<{wide}}name"]
    is_known = cache(lambda hashed: passwords.verify(hashed, DEMO_PASSWORD))
    for person in people:
        _, hashed, is_active = credential(tenant, person.username)
        if not (hashed and is_active):
            continue
        shown = "(as you set it)"
        if is_known(hashed):
            shown = DEMO_PASSWORD if is_private else passwords.made_password()
            if not is_private:
                users.set_password(tenant, person.username, shown, now)
        lines.append(f"{person.username:<12}{shown:<22}{', '.join(person.roles):<{wide}}{person.name}")
    return "\nSign in as:\n  " + "\n  ".join(lines) + "\n"


def hosts_for(host: str, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """The address that was named is one under which it answers; for all addresses (0.0.0.0), any name is."""
    if is_loopback(host):
        return hosts
    return (*hosts, "*" if host in ("0.0.0.0", "::") else host)  # noqa: S104 - the person's own choice


def shown(packages: Sequence[Path]) -> str:
    return " ".join(map(str, packages))


def called() -> str:
    """The command as it can be typed again: `.venv/bin/fieldstone` where no path leads to it."""
    typed = Path(sys.argv[0])
    return "fieldstone" if shutil.which("fieldstone") or typed.name != "fieldstone" else str(typed)


def options(args: argparse.Namespace) -> str:
    """What another command needs to work on the same tenant."""
    data = "" if os.environ.get("FIELDSTONE_DATA") or args.database else f" --data {args.data}"
    return data + ("" if args.tenant == "main" else f" --tenant {args.tenant}")


@contextmanager
def progress(what: str) -> Iterator[None]:
    """`definitions … 0.4 s`"""
    print(f"{what} … ", end="", flush=True)
    began = time.perf_counter()
    yield
    print(f"{time.perf_counter() - began:.1f} s", flush=True)

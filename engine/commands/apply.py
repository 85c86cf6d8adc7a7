"""`fieldstone apply`: publish packages."""

import argparse
import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.plan import show
from engine.errors import Conflict
from engine.people.users import check_first_password, ensure_admin
from engine.publish import Plan, apply, plan
from engine.tenants import Tenant, open_tenant

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("apply", help="publish packages: all that their plan says, or nothing")
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="folder or zip file of a package")
    command.add_argument("--plan", metavar="HASH", default="", help="publish only if the plan is still this one")
    command.add_argument("--yes", action="store_true", help="publish even if values are lost")
    add_common_options(command)


def run(args: argparse.Namespace) -> int:
    with closing(open_tenant(args.database, args.data, args.tenant)) as tenant:
        drawn = plan(tenant, args.paths)
        show(drawn)
        if drawn.has_errors:
            return REFUSED
        agree(drawn, args.plan, args.yes)
        check_first_password(tenant, given_password())  # before anything is published
        now = datetime.now(UTC)
        if not drawn.is_empty:
            print(f"version {apply(tenant, drawn, None, now)} runs")
        greet(tenant, now)
    return DONE


def agree(drawn: Plan, wanted: str, says_yes: bool) -> None:
    """Raises Conflict for another plan than the wanted one, and for a loss that nobody agreed to."""
    if wanted and wanted != drawn.hash:
        raise Conflict(f"the plan is not {wanted} any more", code="publish.changed", fix="look at the plan above")
    if drawn.loses and not (wanted or says_yes):
        raise Conflict(
            f"{drawn.loses} values or rows would be lost" if drawn.loses > 1 else "1 value or row would be lost",
            code="publish.loses",
            fix=f"add --plan {drawn.hash}, or --yes, if that is meant",
        )


def given_password() -> str:
    """Of the first user; "" where one is to be made."""
    return os.environ.get("FIELDSTONE_ADMIN_PASSWORD", "")


def greet(tenant: Tenant, now: datetime) -> None:
    """Make the first user where there is none; a password that was made is shown this once."""
    password = ensure_admin(tenant, given_password() or None, now)
    if password:
        print(f"user admin, password {password}", file=sys.stderr)

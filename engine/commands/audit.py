"""`fieldstone audit`: is the audit log as it was written, and how long is it kept?"""

import argparse
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson

from engine.audit.upkeep import checkpoint, prune
from engine.audit.verify import Anchor, verify
from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.opening import opened
from engine.commands.serve import settings
from engine.errors import BadInput
from engine.tenants import Tenant

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("audit", help="verify the audit log, remove its old entries")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)

    text = "find entries that were altered, removed, added or reordered; exit code 1 if there are any"
    check = actions.add_parser("verify", help=text, description=text)
    check.add_argument("--anchor", default="", metavar="TEXT", help="what an earlier `audit verify` printed")
    check.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(check)

    text = "remove entries that are older than FIELDSTONE_AUDIT_DAYS days; 180"
    old = actions.add_parser("prune", help=text, description=text)
    old.add_argument("--days", type=int, default=None, metavar="N", help="another age")
    old.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(old)


def run(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with opened(args) as tenant:
        return check_all(tenant, args, now) if args.action == "verify" else remove_old(tenant, args, now)


def check_all(tenant: Tenant, args: argparse.Namespace, now: datetime) -> int:
    report = verify(tenant, anchor_of(args.anchor) if args.anchor else None)
    anchor = "" if report.findings else checkpoint(tenant, now).text
    if args.json:
        body = {
            "entries": report.entries, "chains": report.chains, "history": report.lines, "anchor": anchor or None,
            "findings": [asdict(one) for one in report.findings],
        }  # fmt: skip
        print(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
    elif report.findings:
        for one in report.findings:
            print(f"{one.what}: {one.message}", file=sys.stderr)
    else:
        print(
            f"{report.entries:,} entries in {report.chains:,} chains, and the {report.lines:,} lines of the history "
            f"that they tell of, are as they were written\nanchor: {anchor}"
        )
    return REFUSED if report.findings else DONE


def anchor_of(text: str) -> Anchor:
    parts = text.strip().split(".")
    if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        raise BadInput(f"'{text}' is not an anchor", code="audit.anchor", fix="write it as `audit verify` printed it")
    return Anchor(int(parts[0]), int(parts[1]), parts[2])


def remove_old(tenant: Tenant, args: argparse.Namespace, now: datetime) -> int:
    days = settings(args).audit_days if args.days is None else args.days
    if days < 1:
        raise BadInput(f"{days} days are too few", code="audit.days", fix="keep entries for 1 day at least")
    removed = prune(tenant, now, days)
    body = {"removed": removed, "days": days}
    print(orjson.dumps(body).decode() if args.json else f"{removed:,} entries older than {days} days were removed")
    return DONE

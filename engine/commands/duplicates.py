"""`fieldstone duplicates`: make the keys of duplicate rules anew, or tell where stored ones are wrong."""

import argparse
from typing import Any

import orjson

from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.opening import opened
from engine.publish.duplicates import rebuild, verify
from engine.tenants import Tenant

__all__ = ["add", "run"]

MOST_SHOWN = 100


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("duplicates", help="verify or rebuild the keys by which duplicates are found")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    for name, text in (
        ("verify", "tell of which records the keys are not what they should be; changes nothing"),
        ("rebuild", "make the keys of all records anew"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--json", action="store_true", help="print JSON")
        add_common_options(action)


def run(args: argparse.Namespace) -> int:
    with opened(args) as tenant:
        return tell_wrong(tenant, args.json) if args.action == "verify" else mend(tenant, args.json)


def tell_wrong(tenant: Tenant, as_json: bool) -> int:
    snapshot = tenant.snapshot()
    found: list[tuple[str, str]] = []
    if snapshot.version:
        with tenant.database.read() as connection:
            found = list(verify(connection, snapshot))
    if as_json:
        print(orjson.dumps({"wrong": [{"object": name, "id": record} for name, record in found]}).decode())
    else:
        for name, record in found[:MOST_SHOWN]:
            print(f"{name}: {record}")
        print(f"the keys of {len(found)} records are wrong" if found else "all keys are right")
    return REFUSED if found else DONE


def mend(tenant: Tenant, as_json: bool) -> int:
    snapshot = tenant.snapshot()
    count = 0
    if snapshot.version:
        with tenant.database.write() as connection:
            count = rebuild(connection, snapshot)
    print(orjson.dumps({"keys": count}).decode() if as_json else f"{count} keys were made")
    return DONE

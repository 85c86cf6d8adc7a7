"""`fieldstone rollups`: work roll-ups out anew, or tell where a stored one is not what it should be."""

import argparse
from typing import Any

import orjson

from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.opening import opened
from engine.rules.rollups import rebuild, verify
from engine.tenants import Tenant

__all__ = ["add", "run"]

MOST_SHOWN = 100


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("rollups", help="verify or rebuild the roll-ups of all records")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    for name, text in (
        ("verify", "tell where a stored roll-up is not what it should be; changes nothing"),
        ("rebuild", "work out all roll-ups anew"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("--json", action="store_true", help="print JSON")
        add_common_options(action)


def run(args: argparse.Namespace) -> int:
    with opened(args) as tenant:
        return tell_wrong(tenant, args.json) if args.action == "verify" else mend(tenant, args.json)


def tell_wrong(tenant: Tenant, as_json: bool) -> int:
    snapshot = tenant.snapshot()
    if snapshot.version == 0:
        found = []
    else:
        with tenant.database.read() as connection:
            found = list(verify(connection, snapshot))
    if as_json:
        print(
            orjson.dumps({"wrong": [dict(zip(("object", "field", "id"), one, strict=True)) for one in found]}).decode()
        )
    else:
        for object_name, field, record in found[:MOST_SHOWN]:
            print(f"{object_name}.{field}: {record}")
        print(f"{told(len(found), 'roll-up is', 'roll-ups are')} wrong" if found else "all roll-ups are right")
    return REFUSED if found else DONE


def mend(tenant: Tenant, as_json: bool) -> int:
    snapshot = tenant.snapshot()
    if snapshot.version == 0:
        count = 0
    else:
        with tenant.database.write() as connection:
            count = rebuild(connection, snapshot)
    print(
        orjson.dumps({"changed": count}).decode() if as_json else f"{told(count, 'record', 'records')} had to be mended"
    )
    return DONE


def told(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"

"""`fieldstone secrets`: encrypt stored secrets anew with the first key."""

import argparse
from contextlib import closing
from typing import Any

import orjson

from engine.cli import DONE, add_common_options
from engine.secrets import rotate
from engine.tenants import open_tenant

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("secrets", help="encrypt stored secrets anew with the first key")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    text = "encrypt all secrets with the first key of FIELDSTONE_SECRET_KEY; then the others can go"
    action = actions.add_parser("rotate", help=text, description=text)
    action.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(action)


def run(args: argparse.Namespace) -> int:
    with closing(open_tenant(args.database, args.data, args.tenant)) as tenant:
        count = rotate(tenant)
    told = f"{count:,} secret{'' if count == 1 else 's'} encrypted anew" if count else "all secrets have the first key"
    print(orjson.dumps({"changed": count}).decode() if args.json else told)
    return DONE

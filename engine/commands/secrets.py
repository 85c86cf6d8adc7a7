"""`fieldstone secrets`: encrypt stored secrets anew with the first key."""

import argparse
from typing import Any

import orjson

from engine.cli import DONE, add_common_options
from engine.commands.opening import opened
from engine.secrets import rotate

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("secrets", help="encrypt stored secrets anew with the first key")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    text = "encrypt all secrets with the first key of FIELDSTONE_SECRET_KEY; then only the audit log needs the others"
    action = actions.add_parser("rotate", help=text, description=text)
    action.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(action)


def run(args: argparse.Namespace) -> int:
    with opened(args) as tenant:
        count = rotate(tenant)
    told = f"{count:,} secret{'' if count == 1 else 's'} encrypted anew" if count else "all secrets have the first key"
    print(orjson.dumps({"changed": count}).decode() if args.json else told)
    return DONE

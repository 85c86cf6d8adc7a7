"""`fieldstone files`: remove files that nothing holds, and see whether the others are whole."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.opening import opened
from engine.files.upkeep import collect, verify
from engine.tenants import Tenant

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("files", help="look after uploaded files")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    for name, text in (
        ("collect", "remove what was uploaded more than a day ago and no record holds"),
        ("verify", "read every file, and tell which are missing or changed"),
    ):
        add_common_options(actions.add_parser(name, help=text, description=text))


def run(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with opened(args) as tenant:
        return ACTIONS[args.action](tenant, now)


def collect_files(tenant: Tenant, now: datetime) -> int:
    found = collect(tenant, now)
    print(f"removed {found.files} files that no record held, and {found.contents} contents")
    return DONE


def verify_files(tenant: Tenant, now: datetime) -> int:
    count = 0
    for one in verify(tenant):
        print(f"{one.kind}: '{one.name}' ({one.id}), SHA-256 {one.hash}")
        count += 1
    print("every file is whole" if not count else f"{count} files are not whole")
    return REFUSED if count else DONE


ACTIONS: Mapping[str, Callable[[Tenant, datetime], int]] = {"collect": collect_files, "verify": verify_files}

"""`fieldstone jobs`: which there are, do one again, give one up."""

import argparse
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson

from engine.cli import DONE, add_common_options
from engine.commands.opening import opened
from engine.context import SYSTEM, context_of
from engine.jobs import admin

__all__ = ["add", "run"]

MOST = 10_000  # that are listed


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("jobs", help="list jobs, do one again, give one up")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)

    text = "jobs, newest first; those that failed for good unless told otherwise"
    listed = actions.add_parser("list", help=text, description=text)
    listed.add_argument("--state", default="parked", choices=(*admin.STATES, "all"), help="parked")
    listed.add_argument("--kind", default="", metavar="KIND")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="50")
    listed.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(listed)

    for name, text in (("replay", "do jobs again, with as many tries as new ones"), ("discard", "give jobs up")):
        action = actions.add_parser(name, help=text, description=text)
        action.add_argument("job", nargs="+", metavar="ID")
        add_common_options(action)


def run(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with opened(args) as tenant:
        ctx = context_of(tenant, SYSTEM, now)
        if args.action == "list":
            state = "" if args.state == "all" else args.state
            found, _ = admin.list_jobs(ctx, state=state, kind=args.kind, limit=min(max(1, args.limit), MOST))
            print_jobs(found, is_json=args.json)
            return DONE
        act = admin.replay if args.action == "replay" else admin.discard
        with tenant.database.together():
            for one in args.job:
                act(ctx, one)
    done = "will be done again" if args.action == "replay" else "given up"
    print(f"{len(args.job)} {done}")
    return DONE


def print_jobs(found: list[admin.JobSeen], *, is_json: bool) -> None:
    if is_json:
        print(orjson.dumps([asdict(one) for one in found], option=orjson.OPT_INDENT_2).decode())
        return
    for one in found:
        print(
            f"{one.id}  {one.state:<9} {one.kind:<20} tries {one.tries}  due {one.due_at:%Y-%m-%d %H:%M}  {one.error}"
        )
    if not found:
        print("none")

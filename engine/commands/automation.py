"""`fieldstone automation`: rehearse an automation on a record, see what has run, set the secret of a signed webhook."""

import argparse
import getpass
import sys
from typing import Any

import orjson

from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.opening import opened
from engine.context import SYSTEM, Context, context_of
from engine.errors import BadInput, EngineError
from engine.process.automation import desk
from engine.process.automation.hooks import set_secret
from engine.process.automation.rehearsal import Rehearsed, rehearse

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("automation", help="rehearse automations, see what has run, set secrets")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    text = "carry an automation out on a record, tell what it would do, and take all of it back"
    rehearsal = actions.add_parser("rehearse", help=text, description=text)
    rehearsal.add_argument("name", metavar="NAME")
    rehearsal.add_argument("object", metavar="OBJECT", nargs="?", default="")
    rehearsal.add_argument("record", metavar="ID", nargs="?", default="")
    text = "list the runs of automations, the newest first"
    listing = actions.add_parser("runs", help=text, description=text)
    listing.add_argument("--automation", default="", metavar="NAME")
    listing.add_argument("--state", default="", choices=("", "waiting", "running", "done", "failed"))
    text = "set the secret of a signed webhook: asked for, or the first line of the standard input"
    setting = actions.add_parser("secret", help=text, description=text)
    setting.add_argument("name", metavar="NAME")
    setting.add_argument("--make", action="store_true", help="make one and print it; it is not shown again")
    text = "the one before may be used for so long; 0, at most 168"
    setting.add_argument("--former-hours", type=int, default=0, metavar="N", help=text)
    for action in (rehearsal, listing, setting):
        action.add_argument("--json", action="store_true", help="print JSON")
        add_common_options(action)


def run(args: argparse.Namespace) -> int:
    with opened(args) as tenant:
        ctx = context_of(tenant, SYSTEM)
        return {"rehearse": tell, "runs": listed, "secret": keep_secret}[args.action](ctx, args)


def tell(ctx: Context, args: argparse.Namespace) -> int:
    rule = ctx.snapshot.definitions.processes.automations.get(args.name)
    if rule is not None and args.object and rule.object != args.object:
        raise EngineError(f"'{args.name}' is about '{rule.object}', not '{args.object}'", code="automation.object")
    found = rehearse(ctx, args.name, args.record)
    if args.json:
        print(orjson.dumps(found.told, default=str).decode())
    else:
        print("\n".join(lines_of(found)))
    return REFUSED if found.refused else DONE


def lines_of(found: Rehearsed) -> list[str]:
    lines = [] if found.holds else ["its condition does not hold for this record; it is carried out all the same"]
    for one in found.changes:
        fields = ", ".join(f"{name}: {old} -> {new}" for name, (old, new) in one["fields"].items())
        lines.append(f"{one['action']} {one['object']} {one['record']}{': ' if fields else ''}{fields}")
    lines += [f"tell {one['user']}: {one['subject'] or one['template']}" for one in found.people]
    lines += [f"{one['kind']}: {one.get('to') or one.get('url') or ''}".rstrip(": ") for one in found.calls]
    lines += [f"waits until {found.waits_until}"] if found.waits_until else []
    lines += [f"refused: {found.refused['message']}"] if found.refused else []
    return [*lines, "nothing was changed, and nothing was sent"]


def listed(ctx: Context, args: argparse.Namespace) -> int:
    for one in desk.list_runs(ctx, automation=args.automation, state=args.state, limit=desk.MOST).runs:
        if args.json:
            told = {"id": one.id, "automation": one.automation, "state": one.state, "record": one.record or None,
                    "error": one.error or None, "at": one.created_at}  # fmt: skip
            print(orjson.dumps(told).decode())
        else:
            print(f"{one.created_at:%Y-%m-%d %H:%M} {one.state:8} {one.automation} {one.record} {one.error}".rstrip())
    return DONE


def keep_secret(ctx: Context, args: argparse.Namespace) -> int:
    secret = "" if args.make else asked_for(args.name)
    if not (secret or args.make):
        raise BadInput("no secret was given", code="automation.secret", fix="or say --make")
    made = set_secret(ctx, args.name, secret, args.former_hours)
    if args.json:
        print(orjson.dumps({"automation": args.name, **({"secret": made} if made else {})}).decode())
    else:
        print(f"the secret of '{args.name}' is {made}: not shown again" if made else f"'{args.name}' has its secret")
    return DONE


def asked_for(name: str) -> str:
    return getpass.getpass(f"Secret of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")

"""`fieldstone access`: why somebody may do something, and what other definitions would do to people."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from engine.access.explain import Explanation
from engine.access.inquiry import ask, ask_field
from engine.access.preview_told import preview_body
from engine.access.reasons import Reason
from engine.api.access import field_body, record_body
from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.opening import opened
from engine.commands.plan import preview_lines
from engine.context import SYSTEM, context_of
from engine.people import users
from engine.publish import plan
from engine.tenants import Tenant
from metadata.problem import render

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("access", help="say why somebody may do something, and what a change would do")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="what", required=True)

    text = "say why a user may do something, or what is missing; exit code 1 if they may not"
    why = actions.add_parser("explain", help=text, description=text)
    why.add_argument("user", metavar="USER", help="user name")
    why.add_argument("object", metavar="OBJECT")
    why.add_argument("id", nargs="?", default="", metavar="ID", help="of a record; without it, of the object alone")
    why.add_argument("--action", default="", metavar="A", help="read; of a field: see, edit or unmask")
    why.add_argument("--field", default="", metavar="F", help="ask about this field")
    why.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(why)

    text = "say how many records people would gain or lose by these definitions"
    preview = actions.add_parser("preview", help=text, description=text)
    preview.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="folder or zip file of a package")
    preview.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(preview)


def run(args: argparse.Namespace) -> int:
    with opened(args) as tenant:
        return explain(tenant, args) if args.what == "explain" else preview(tenant, args)


def explain(tenant: Tenant, args: argparse.Namespace) -> int:
    ctx, user = context_of(tenant, SYSTEM), users.find_user(tenant, args.user).id
    if args.field:
        field = ask_field(ctx, user, args.object, args.id, args.action or "see", args.field)
        is_allowed, body, lines = field.is_allowed, field_body(field), [one.text for one in field.reasons]
        lines += told(field.record) if not field.record.is_allowed else []
    else:
        found = ask(ctx, user, args.object, args.id, args.action or "read")
        is_allowed, body, lines = found.is_allowed, record_body(found), told(found)
    if args.json:
        print(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())
    else:
        print("allowed" if is_allowed else "not allowed")
        print("\n".join(lines))
    return DONE if is_allowed else REFUSED


def told(found: Explanation) -> list[str]:
    lines = said(found.missing, "  - ")
    for number, way in enumerate(found.ways):
        lines += ["  or:"] if number else []
        lines += said(way.steps, "  + ")
    for one in found.needs:
        if not one.is_allowed:
            lines += [f"  {one.action} is needed, too:", *told(one)]
    return lines


def said(reasons: Iterable[Reason], mark: str) -> list[str]:
    return [mark + one.text for one in reasons]


def preview(tenant: Tenant, args: argparse.Namespace) -> int:
    drawn = plan(tenant, args.paths)
    if drawn.has_errors:
        print(render(drawn.problems), file=sys.stderr)
        return REFUSED
    if args.json:
        print(orjson.dumps(preview_body(drawn.preview), option=orjson.OPT_INDENT_2).decode())
        return DONE
    lines = list(preview_lines(drawn.preview))
    print("\n".join(lines) if lines else "nobody gains or loses a record")
    return DONE

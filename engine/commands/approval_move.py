"""`fieldstone approval move`: what becomes of approvals that run on versions of before."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

from engine.api.approval_moves import moved_body
from engine.api.approval_tools import dumped
from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.opening import opened
from engine.context import SYSTEM, context_of
from engine.errors import BadInput
from engine.process.approval.moving import How, Moved
from engine.process.approval.service import Approvals

__all__ = ["add_move", "run_move"]


def add_move(actions: Any) -> None:
    text = (
        "move running approvals of versions before onto the version that runs; only says what would be, without --yes"
    )
    one = actions.add_parser("move", help=text, description=text)
    one.add_argument("name", metavar="NAME", help="of the approval")
    one.add_argument("--how", choices=get_args(How), required=True, help="resubmit: cancelled, and submitted anew")
    one.add_argument("--map", action="append", default=[], metavar="OLD=NEW", help="which node takes the place of one")
    one.add_argument("--reason", default="", help="for the history; needed with --yes")
    one.add_argument("--yes", action="store_true", help="do it")
    one.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(one)


def run_move(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    mapping = dict(pair(text) for text in args.map)
    if args.yes and not args.reason.strip():
        raise BadInput("a reason is needed", code="approval.comment_required", fix="write --reason TEXT")
    with opened(args) as tenant:
        approvals = Approvals(context_of(tenant, SYSTEM, now))
        found = approvals.move(
            approvals.running_before(args.name), args.how, mapping, reason=args.reason or "rehearsal",
            rehearse=not args.yes,
        )  # fmt: skip
    if args.json:
        print(dumped({"rehearsed": not args.yes, "instances": [moved_body(one) for one in found]}).decode())
    else:
        print("\n".join(lines(found, args.yes)))
    return REFUSED if any(one.code for one in found) else DONE


def lines(found: Any, is_done: bool) -> Iterator[str]:
    if not found:
        yield "none runs on a version before this one"
    for one in found:
        yield f"{one.instance} of record {one.record}, version {one.version}: {outcome(one, is_done)}"


def outcome(one: Moved, is_done: bool) -> str:
    if one.code:
        return f"stays as it is: {one.reason} [{one.code}]"
    if one.submitted:
        return f"submitted anew as {one.submitted}"
    return {"finish": "finishes on its version"}.get(one.how, f"{one.how} {'done' if is_done else 'is possible'}")


def pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not sign or not old.strip() or not new.strip():
        raise BadInput(f"'{text}' maps nothing", code="value.unknown", fix="write --map manager=head")
    return old.strip(), new.strip()

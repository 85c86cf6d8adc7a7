"""`fieldstone approval`: try an approval on a real record, without any effect; move those that run."""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from engine.api.approval_tools import dumped, rehearsal_body
from engine.cli import DONE, REFUSED, add_common_options
from engine.commands.approval_move import add_move, run_move
from engine.commands.opening import opened
from engine.context import SYSTEM, context_of
from engine.errors import BadInput
from engine.people import users
from engine.process.approval.rehearsal import DECISIONS, Rehearsal, Visit, rehearse

__all__ = ["add", "run"]

SKIPPED = {
    "self": "skipped: it is who submitted it", "duplicate": "skipped: approved before",
    "nobody": "skipped: nobody stands above",
}  # fmt: skip


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("approval", help="try an approval on a record; move those that run")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)

    text = "say who would be asked, what would change and what would be sent; nothing is kept, and nobody is told"
    one = actions.add_parser("rehearse", help=text, description=text)
    one.add_argument("name", metavar="NAME", help="of the approval; '-' is the first that fits the record")
    one.add_argument("object", metavar="OBJECT")
    one.add_argument("id", metavar="ID", help="of the record")
    one.add_argument(
        "--decide", action="append", default=[], metavar="NODE=HOW", help=f"{', '.join(DECISIONS)}; else approve"
    )
    one.add_argument("--as", default="", dest="submitter", metavar="USER", help="who submits it; else its owner")
    one.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(one)
    add_move(actions)


def run(args: argparse.Namespace) -> int:
    if args.action == "move":
        return run_move(args)
    now = datetime.now(UTC)
    with opened(args) as tenant:
        submitter = users.find_user(tenant, args.submitter).id if args.submitter else ""
        name = "" if args.name == "-" else args.name
        found = rehearse(
            context_of(tenant, SYSTEM, now), args.object, args.id, name, submitter=submitter,
            decide=dict(decision(text) for text in args.decide),
        )  # fmt: skip
    if args.json:
        print(dumped(rehearsal_body(found)).decode())
    else:
        print("\n".join(lines(found)))
        if found.reason:
            print(found.reason, file=sys.stderr)
    return REFUSED if found.outcome == "suspended" else DONE


def decision(text: str) -> tuple[str, str]:
    node, sign, how = text.partition("=")
    if not sign or not node:
        raise BadInput(f"'{text}' is no decision", code="value.unknown", fix="write --decide manager=reject")
    return node.strip(), how.strip()


def lines(found: Rehearsal) -> Iterator[str]:
    """As a person reads them, nodes in the order in which they were entered."""
    yield f"{found.approval}: {found.outcome}"
    for visit in found.visits:
        yield from of_visit(visit)
    yield "would change:" if found.changes else "would change nothing"
    for change in found.changes:
        yield f"  {change.object} {change.record}: {change.action}"
        for name, (before, after) in change.fields.items():
            yield f"    {name}: {shown(before)} -> {shown(after)}"
    for notice in found.notices:
        yield f"would tell {notice.name or notice.user}: {notice.kind}"
    for sent in found.sent:
        where = sent.payload.get("to") or sent.payload.get("url") or ""
        yield f"would send: {sent.kind} {where}".rstrip()


def of_visit(visit: Visit) -> Iterator[str]:
    yield f"  {visit.type} {visit.node}: {visit.state.lower()}"
    for who in visit.asked:
        name = who.name or f"one of {', '.join(who.queue)}"
        instead = f", in the place of {who.instead_of}" if who.instead_of else ""
        why = f" ({SKIPPED.get(who.skipped, who.skipped)})" if who.skipped else f" ({who.source})" if who.source else ""
        yield f"    {name}{instead}{why}"
    for path, value in visit.read.items():
        yield f"    {path} is {shown(value)}"
    if visit.branches:
        yield f"    takes {', '.join(visit.branches)}"
    if visit.due is not None:
        yield f"    due {visit.due.isoformat(timespec='minutes')}"
    if visit.until:
        yield f"    would wait until {visit.until}"
    if visit.problem:
        yield f"    would be refused: {visit.problem}"


def shown(value: Any) -> str:
    return "nothing" if value is None else str(value)

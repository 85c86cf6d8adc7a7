"""`fieldstone privacy`: what is held of a person, taken out or erased."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from engine.cli import DONE, add_common_options
from engine.commands.opening import opened
from engine.context import Context, context_of
from engine.errors import BadInput
from engine.privacy.erase import erase, expire
from engine.privacy.export import export, report

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("privacy", help="export and erase the data of one person; what is kept, how long")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    out = action(actions, "export", "write all that is kept of one person to a zip file", of_person=True)
    out.add_argument("--file", "--out", dest="file", type=Path, required=True, metavar="FILE", help="the zip file")
    gone = action(actions, "erase", "erase the personal data of one person for good", of_person=True)
    gone.add_argument("--yes", action="store_true", help="do it: there is no way back")
    action(actions, "report", "list the fields that hold personal data")
    old = action(actions, "expire", "erase fields whose retention is over")
    old.add_argument("--dry-run", action="store_true", help="only say how many")


def action(actions: Any, name: str, text: str, *, of_person: bool = False) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    if of_person:
        made.add_argument("object", metavar="OBJECT", help="whose records are about persons: contact")
        made.add_argument("id", metavar="ID", help="the person's record")
    made.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(made)
    return made


def run(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with opened(args) as tenant:
        body, text = {"export": take_out, "erase": wipe_out, "report": tell, "expire": let_go}[args.action](
            context_of(tenant, now=now), args
        )
    print(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode() if args.json else text)
    return DONE


def take_out(ctx: Context, args: argparse.Namespace) -> tuple[Any, str]:
    counts = export(ctx, args.object, args.id, args.file)
    return counts, f"{counts['records']:,} records and {counts['files']:,} files were written to {args.file}"


def wipe_out(ctx: Context, args: argparse.Namespace) -> tuple[Any, str]:
    if not args.yes:
        raise BadInput("an erasure cannot be taken back", code="privacy.confirm", fix="say --yes, after an export")
    done = erase(ctx, args.object, args.id)
    body = {"records": done.records, "fields": dict(done.fields), "kept": list(done.kept), "comments": done.comments}
    names = [f"{name}.{field}" for name, fields in done.fields.items() for field in fields]
    text = f"erased in {done.records:,} records: {', '.join(names) or 'nothing'}"
    text += f"\nkept, as they must have a value: {', '.join(done.kept)}" if done.kept else ""
    text += f"\nkept, as records of the business: {done.comments:,} comments in approvals" if done.comments else ""
    return body, text


def tell(ctx: Context, args: argparse.Namespace) -> tuple[Any, str]:
    rows = report(ctx)
    lines = [
        f"{row['object']}.{row['field']:<24} {row['category']:<12} "
        + (f"{row['retention_days']} days  " if row["retention_days"] else "")
        + row["purpose"]
        for row in rows
    ]
    return rows, "\n".join(line.rstrip() for line in lines) or "no field holds personal data"


def let_go(ctx: Context, args: argparse.Namespace) -> tuple[Any, str]:
    found = expire(ctx, is_dry=args.dry_run)
    word = "would be erased" if args.dry_run else "were erased"
    lines = [f"{count:,} values of {place} {word}" for place, count in found.items()]
    return found, "\n".join(lines) or "nothing is over its time"

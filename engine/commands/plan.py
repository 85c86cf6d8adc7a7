"""`fieldstone plan`: what a publish would change."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from engine.access.preview import Preview
from engine.access.preview_told import preview_body
from engine.cli import DONE, REFUSED, add_common_options
from engine.publish import Plan, plan
from engine.tenants import open_tenant
from metadata.problem import render

__all__ = ["add", "as_json", "preview_lines", "run", "show"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("plan", help="show what a publish would change, lose or be stopped by")
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="folder or zip file of a package")
    command.add_argument("--json", action="store_true", help="print the plan as JSON")
    add_common_options(command)


def run(args: argparse.Namespace) -> int:
    """Exit code 1: the definitions have errors, or rows stop the publish."""
    with closing(open_tenant(args.database, args.data, args.tenant)) as tenant:
        drawn = plan(tenant, args.paths)
    if args.json:
        sys.stdout.write(orjson.dumps(as_json(drawn), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        show(drawn)
    return REFUSED if drawn.has_errors or drawn.stops else DONE


def show(plan: Plan) -> None:
    if plan.problems:
        print(render(plan.problems), file=sys.stderr)
    if plan.has_errors:
        return
    for step in plan.steps:
        print(step)
    for line in preview_lines(plan.preview):
        print(line)
    for approval, count in plan.running:
        print(f"~ approval {approval}: {count} running {'instance stays' if count == 1 else 'instances stay'} as begun")
    if plan.is_empty:
        print("nothing to change")
    else:
        print(f"plan {plan.hash} on version {plan.base_version}")


def preview_lines(preview: Preview) -> Iterator[str]:
    """Who would gain or lose records, the largest effects first."""
    for one in preview.effects:
        named = ", ".join(name or user for user, name in one.people)
        more = f" and {one.count - len(one.people)} more" if one.count > len(one.people) else ""
        verb = "see" if one.action == "read" else "change"
        parts = [f"{sign}{count:,}" for sign, count in (("+", one.gained), ("-", one.lost)) if count]
        each = " each" if one.count > 1 else ""
        yield f"~ people {named}{more}: {verb} {one.object} {' '.join(parts)}{each}"
        for word, examples in (("gain", one.gains), ("lose", one.losses)):
            if examples:
                yield f"    {word}: {', '.join(title or record for record, title in examples)}"
    if preview.more:
        yield f"    and {preview.more} smaller effects"
    for left in preview.uncounted:
        if left.why == "fields":
            yield f"~ people: of {left.object} it is not known before the publish, a rule reads what is new"
        elif left.why == "older":
            yield "~ people: who gains or loses records is counted from the next publish on"
        else:
            yield f"~ people: not counted for {left.people} of them, as whose a record is decides"


def as_json(plan: Plan) -> dict[str, Any]:
    return {
        "hash": plan.hash,
        "base_version": plan.base_version,
        "loses": plan.loses,
        "stops": plan.stops,
        "steps": [asdict(step) for step in plan.steps],
        "people": preview_body(plan.preview),
        "running": [{"approval": approval, "instances": count} for approval, count in plan.running],
        "problems": [
            {"file": p.place.file, "line": p.place.line, "column": p.place.column, "path": p.place.path,
             "code": p.code, "message": p.message, "fix": p.fix, "level": p.level}
            for p in plan.problems
        ],
    }  # fmt: skip

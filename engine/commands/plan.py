"""`fieldstone plan`: what a publish would change."""

import argparse
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from engine.cli import DONE, REFUSED, add_common_options
from engine.publish import Plan, plan
from engine.tenants import open_tenant
from metadata.problem import render

__all__ = ["add", "as_json", "run", "show"]


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
    if plan.is_empty:
        print("nothing to change")
    else:
        print(f"plan {plan.hash} on version {plan.base_version}")


def as_json(plan: Plan) -> dict[str, Any]:
    return {
        "hash": plan.hash,
        "base_version": plan.base_version,
        "loses": plan.loses,
        "stops": plan.stops,
        "steps": [asdict(step) for step in plan.steps],
        "problems": [
            {"file": p.place.file, "line": p.place.line, "column": p.place.column, "path": p.place.path,
             "code": p.code, "message": p.message, "fix": p.fix, "level": p.level}
            for p in plan.problems
        ],
    }  # fmt: skip

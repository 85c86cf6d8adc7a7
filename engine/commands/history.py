"""`fieldstone history`: what was published."""

import argparse
import sys
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from typing import Any

import orjson

from engine.cli import DONE, add_common_options
from engine.publish import Published, history
from engine.tenants import open_tenant

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("history", help="list what was published, the latest first")
    command.add_argument("--json", action="store_true", help="print it as JSON, with all steps")
    add_common_options(command)


def run(args: argparse.Namespace) -> int:
    with closing(open_tenant(args.database, args.data, args.tenant)) as tenant:
        found = history(tenant)
    if args.json:
        text = orjson.dumps([as_json(one) for one in found], option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode()
        sys.stdout.write(text + "\n")
    elif not found:
        print("nothing was published")
    else:
        for one in found:
            print(line(one))
    return DONE


def line(one: Published) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(one.packages.items()))
    signs = Counter(step.sign for step in one.steps)
    counts = " ".join(f"{sign}{signs[sign]}" for sign in ("+", "~", "-") if signs[sign])
    return f"{one.version:>4}  {one.at:%Y-%m-%d %H:%M:%S}Z  {one.by_name or 'command line'}  {counts}  {packages}"


def as_json(one: Published) -> dict[str, Any]:
    steps = [{"sign": s.sign, "what": s.what, "detail": s.detail, "loses": s.loses} for s in one.steps]
    return {**asdict(one), "steps": steps}

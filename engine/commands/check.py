"""`fieldstone check`: all problems of packages, without a database."""

import argparse
from pathlib import Path
from typing import Any

import orjson

from engine.cli import DONE, REFUSED, USED_WRONGLY
from engine.registry import Plugins
from metadata.package import load
from metadata.problem import Problem, render
from metadata.schema import published

__all__ = ["add", "run"]

PLUGINS = "plugins.base"


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("check", help="print all problems of packages; exit 1 if one is an error")
    command.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="folder or zip file of a package")
    command.add_argument("--strict", action="store_true", help="exit 1 if there is a warning, too")
    command.add_argument("--json", action="store_true", help="print {problems: [...], errors: N, warnings: N}")
    command.add_argument("--schema", type=Path, metavar="DIR", help="write JSON Schemas for editors into this folder")


def run(args: argparse.Namespace) -> int:
    if not args.paths and not args.schema:
        print("fieldstone check: name the folder of a package, or --schema DIR")
        return USED_WRONGLY
    plugins = Plugins()
    plugins.scan(PLUGINS)
    if args.schema:
        write_schemas(args.schema, plugins)
    if not args.paths:
        return DONE
    loaded = load(args.paths, plugins.kinds(), plugins.functions, plugins.parts(), has_lint=True)
    print(as_json(loaded.problems) if args.json else as_text(loaded.problems))
    is_refused = loaded.has_errors or (args.strict and loaded.problems)
    return REFUSED if is_refused else DONE


def as_text(problems: tuple[Problem, ...]) -> str:
    errors, warnings = counted(problems)
    if not problems:
        return "no problems"
    return f"{render(problems)}\n{amount(errors, 'error')}, {amount(warnings, 'warning')}"


def as_json(problems: tuple[Problem, ...]) -> str:
    errors, warnings = counted(problems)
    listed = [
        {
            "file": p.place.file, "line": p.place.line, "column": p.place.column, "path": p.place.path, "code": p.code,
            "level": p.level, "message": p.message, "fix": p.fix,
        }
        for p in problems
    ]  # fmt: skip
    whole = {"problems": listed, "errors": errors, "warnings": warnings}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()


def counted(problems: tuple[Problem, ...]) -> tuple[int, int]:
    errors = sum(problem.level == "error" for problem in problems)
    return errors, len(problems) - errors


def amount(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def write_schemas(folder: Path, plugins: Plugins) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in published(plugins.kinds(), plugins.parts()).items():
        (folder / name).write_bytes(orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n")
        print(f"wrote {folder / name}")

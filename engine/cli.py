"""The command line: finds the commands in engine/commands, runs one, and tells how it went by the exit code."""

import argparse
import importlib
import io
import os
import pkgutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engine import commands
from engine.errors import EngineError

__all__ = ["DONE", "REFUSED", "USED_WRONGLY", "add_common_options", "main", "parser"]

DONE, REFUSED, USED_WRONGLY = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """0: done; 1: refused, the reasons are printed; 2: used wrongly."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no reason to break off
            stream.reconfigure(errors="backslashreplace")
    try:
        args = parser().parse_args(arguments)
        if not hasattr(args, "run"):
            parser().print_help()
            return USED_WRONGLY
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except EngineError as refusal:
        print(say(refusal), file=sys.stderr)
        return REFUSED
    except SystemExit as end:  # argparse: --help, or used wrongly
        return end.code if isinstance(end.code, int) else USED_WRONGLY
    except BrokenPipeError:
        # Whoever reads has enough; without this, Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except UnicodeEncodeError as error:
        if "surrogates" not in error.reason:  # as which Python reads bytes of an argument that are no UTF-8
            raise
        print("fieldstone: an argument is not text in UTF-8", file=sys.stderr)
        return USED_WRONGLY
    except OSError as error:
        place = f"'{error.filename}': " if error.filename else ""
        print(f"fieldstone: {place}{error.strerror or error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130


def say(refusal: EngineError) -> str:
    why = f": {str(refusal.__cause__).strip()}" if refusal.code == "database.unreachable" else ""
    lines = [f"fieldstone: {refusal}{why}"]
    if refusal.fix:
        lines.append(f"    fix: {refusal.fix}")
    for problem in refusal.problems:
        where = f"{problem.path}: " if problem.path else ""
        lines.append(f"  {where}{problem.message}" + (f"\n    fix: {problem.fix}" if problem.fix else ""))
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="fieldstone", description="Turn folders of definitions into a running business application."
    )
    root.add_argument("--version", action="version", version=f"fieldstone {own_version()}")
    subparsers = root.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for found in sorted(pkgutil.iter_modules(commands.__path__), key=lambda module: module.name):
        module = importlib.import_module(f"{commands.__name__}.{found.name}")
        if hasattr(module, "add"):
            known = set(subparsers.choices)
            module.add(subparsers)
            for name in set(subparsers.choices) - known:
                subparsers.choices[name].set_defaults(run=module.run)
    return root


def add_common_options(command: argparse.ArgumentParser) -> None:
    """--database, --data and --tenant: which storage a command works on."""
    command.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get("FIELDSTONE_DATABASE_URL", ""),
        help="sqlite:///FILE or postgresql://…; FIELDSTONE_DATABASE_URL; an SQLite file in the data folder",
    )
    command.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=Path(os.environ.get("FIELDSTONE_DATA") or ".fieldstone"),
        help="folder for data; FIELDSTONE_DATA; .fieldstone",
    )
    command.add_argument(
        "--tenant", metavar="NAME", default=os.environ.get("FIELDSTONE_TENANT") or "main", help="which tenant; main"
    )


def own_version() -> str:
    try:
        return version("fieldstone")
    except PackageNotFoundError:
        return "(not installed)"

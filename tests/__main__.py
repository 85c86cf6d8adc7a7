"""Run all tests: `python -m tests [PYTEST OPTION...]`. Unit tests go in parallel, browser tests after them.

Playwright keeps an event loop in its thread, which upsets other tests there: hence two runs, and one sum at the end.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from tests.folders import quick_folder

NOTHING_COLLECTED = 5
WORKERS = min(os.cpu_count() or 1, 8)
# What a file publishes, or serves to browsers, is made once by a worker, not by each of them.
BY_FILE = ("--dist", "loadfile")
RUNS = {
    "unit": ["-m", "not browser", "-n", str(WORKERS), *BY_FILE, "--no-loadscope-reorder", "-p", "no:playwright"],
    "browser": ["-m", "browser", "-n", str(min(WORKERS, 4)), *BY_FILE],
}


def main(options: list[str]) -> int:
    counts: Counter[str] = Counter()
    worst = 0
    with tempfile.TemporaryDirectory(dir=quick_folder()) as folder:
        environment = {**os.environ, "TMPDIR": folder}
        for name, selection in RUNS.items():
            print(f"--- {name} tests", flush=True)
            report = Path(folder, f"{name}.xml")
            command = [sys.executable, "-m", "pytest", "-q", *selection, f"--junitxml={report}", *options]
            code = subprocess.run(command, env=environment).returncode
            if code != NOTHING_COLLECTED:
                worst = max(worst, code)
                counts += count(report)
    if not counts["passed"]:
        worst = worst or NOTHING_COLLECTED
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return worst


def count(report: Path) -> Counter[str]:
    """How many cases passed, failed and were skipped; nothing if pytest did not come to write its report."""
    if not report.exists():
        return Counter(failed=1)
    cases = ElementTree.parse(report).getroot().iter("testcase")
    return Counter(outcome(case) for case in cases)


def outcome(case: ElementTree.Element) -> str:
    parts = {part.tag for part in case}
    if parts & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in parts else "passed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Counts and durations of requests, as Prometheus reads them. Of this process; kept in memory."""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping

__all__ = ["Metrics"]

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SPECIAL = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Metrics:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self._jobs: dict[tuple[str, str], int] = defaultdict(int)  # kind, how it went
        self._seconds: dict[str, list[float]] = {}  # route -> count per bound, count beyond, sum

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in METHODS else "other"
        with self._lock:
            self._requests[method, route, status] += 1
            found = self._seconds.get(route)
            if found is None:
                found = self._seconds[route] = [0.0] * (len(BOUNDS_S) + 2)
            found[bisect_left(BOUNDS_S, seconds)] += 1
            found[-1] += seconds

    def count_job(self, kind: str, outcome: str) -> None:
        """`outcome`: "done", "failed" (to be tried again) or "parked"."""
        with self._lock:
            self._jobs[kind, outcome] += 1

    def text(self, jobs: Mapping[str, int] | None = None) -> str:
        """In Prometheus' text format, version 0.0.4. `jobs`: how many of the tenant there are, by state."""
        with self._lock:
            tried = sorted(self._jobs.items())
            requests = sorted(self._requests.items())
            seconds = sorted((route, list(counts)) for route, counts in self._seconds.items())
        lines = ["# HELP fieldstone_requests_total Requests answered.", "# TYPE fieldstone_requests_total counter"]
        for (method, route, status), count in requests:
            labels = f'method="{method}",route="{route.translate(SPECIAL)}",status="{status}"'
            lines.append(f"fieldstone_requests_total{{{labels}}} {count}")
        name = "fieldstone_request_seconds"
        lines += [f"# HELP {name} Time to answer.", f"# TYPE {name} histogram"]
        for route, counts in seconds:
            label, total = f'route="{route.translate(SPECIAL)}"', 0
            for le, in_bucket in zip((*map(str, BOUNDS_S), "+Inf"), counts[:-1], strict=True):
                total += int(in_bucket)
                lines.append(f'{name}_bucket{{{label},le="{le}"}} {total}')
            lines += [f"{name}_sum{{{label}}} {counts[-1]:.6f}", f"{name}_count{{{label}}} {total}"]
        if tried:
            lines += ["# HELP fieldstone_jobs_total Jobs tried.", "# TYPE fieldstone_jobs_total counter"]
        for (kind, outcome), count in tried:
            lines.append(f'fieldstone_jobs_total{{kind="{kind.translate(SPECIAL)}",outcome="{outcome}"}} {count}')
        if jobs is not None:
            lines += ["# HELP fieldstone_jobs Jobs of this tenant that are not over.", "# TYPE fieldstone_jobs gauge"]
            lines += [f'fieldstone_jobs{{state="{state}"}} {count}' for state, count in sorted(jobs.items())]
        return "\n".join(lines) + "\n"

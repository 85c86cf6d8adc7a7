"""Ask one server the same kind of question over a few connections and count. One process, plain sockets."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Call", "Sample", "cpu_s", "rss_mb", "run"]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, whole. `expect` is the status that counts as done."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    expect: int = 200

    def encode(self, host: str) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines += ["content-type: application/json", f"content-length: {len(self.body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


@dataclass(frozen=True, slots=True)
class Sample:
    """One round against one server."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    cpu_us: float  # of the server process, per request

    @property
    def per_s(self) -> float:
        return self.requests / self.seconds


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100  # clock ticks: 100 a second on Linux


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def run(port: int, pid: int, make: Callable[[int], Call], *, seconds: float, connections: int = 8) -> Sample:
    """Repeat `make(n)` over keep-alive connections for `seconds`. Raises on any answer that was not expected."""
    before = cpu_s(pid)
    started = time.perf_counter()
    took_s = asyncio.run(_all(port, make, seconds, connections))
    elapsed = time.perf_counter() - started
    used = cpu_s(pid) - before
    took_s.sort()
    count = len(took_s)
    return Sample(count, elapsed, took_s[count // 2] * 1000, took_s[int(count * 0.95)] * 1000, used / count * 1_000_000)


async def _all(port: int, make: Callable[[int], Call], seconds: float, connections: int) -> list[float]:
    until = time.perf_counter() + seconds
    numbers = iter(range(1_000_000_000))
    done = await asyncio.gather(*(_one(port, make, numbers, until) for _ in range(connections)))
    return [took for each in done for took in each]


async def _one(port: int, make: Callable[[int], Call], numbers: "object", until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took: list[float] = []
    host = f"127.0.0.1:{port}"
    try:
        while (start := time.perf_counter()) < until:
            call = make(next(numbers))  # type: ignore[call-overload]
            writer.write(call.encode(host))
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            length = 0
            for line in head.split(b"\r\n"):
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            body = await reader.readexactly(length) if length else b""
            if status != call.expect:
                raise RuntimeError(f"{call.method} {call.path}: {status} {body[:400]!r}")
            took.append(time.perf_counter() - start)
    finally:
        writer.close()
    return took

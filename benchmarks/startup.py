"""How one process carries 500 objects of 30 fields: publishing, start, memory, adding a field."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.load import rss_mb
from benchmarks.servers import FIELDSTONE, serving
from engine.context import context_of
from engine.publish import apply, plan
from engine.service import Records
from engine.tenants import Tenant, open_tenant

__all__ = ["measure", "write_package"]

KINDS = ("text", "integer", "date", "boolean", "choice", "currency")


def write_package(folder: Path, objects: int = 500, fields: int = 30) -> Path:
    """A package of `objects` with `fields` each; every tenth field is a reference to the object before."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.yaml").write_text("package: many\nversion: 1.0.0\nlabel: Many\nlanguages: [en]\n")
    for n in range(objects):
        lines = [f"object: thing_{n}", f"label: Thing {n}", f"plural: Things {n}", "title: name", "fields:"]
        lines.append("  name: {type: text, label: Name, required: true}")
        for f in range(1, fields):
            kind = KINDS[f % len(KINDS)]
            more = ", choices: {one: One, two: Two}" if kind == "choice" else ""
            if f % 10 == 0:
                kind, more = "reference", f", to: thing_{max(n - 1, 0)}"
            lines.append(f"  field_{f}: {{type: {kind}, label: Field {f}{more}}}")
        (folder / f"thing_{n}.yaml").write_text("\n".join(lines) + "\n")
    return folder


def measure(kind: str, url: str, folder: Path) -> None:
    """Print start and memory of a serving process, and the time from the call to the first write with a new field."""
    small = write_package(folder / "small", objects=15, fields=15)
    tenant = published(url, folder, "small", small)
    print_field("15 objects x 15 fields", tenant, small, "; never above 250, aim 100")
    tenant.close()

    package = write_package(folder / "many")
    started = time.perf_counter()
    tenant = published(url, folder, "many", package)
    print(f"500 objects x 30 fields: first publish {time.perf_counter() - started:.1f} s")
    print_field("500 objects x 30 fields", tenant, package)
    tenant.close()
    command = [FIELDSTONE, "serve", "--port", "{port}", "--data", str(folder), "--tenant", "many"]
    with serving(command, {**os.environ, "FIELDSTONE_DATABASE_URL": url}) as server:
        time.sleep(1)
        print(
            f"500 objects x 30 fields: start {server.start_s:.2f} s (never above 2, aim 1.5), "
            f"idle memory {rss_mb(server.pid):.0f} MB (never above 130, aim 110)"
        )


def published(url: str, folder: Path, name: str, package: Path) -> Tenant:
    tenant = open_tenant(url, folder, name)
    apply(tenant, plan(tenant, [package]), by=None, now=datetime.now(UTC))
    return tenant


def print_field(what: str, tenant: Tenant, package: Path, targets: str = "") -> None:
    """Read the package, plan, apply, write: five times, each time with one more field."""
    definition = package / "thing_7.yaml"
    took_ms = []
    for n in range(5):
        definition.write_text(definition.read_text() + f"  extra_{n}: {{type: text, label: Extra {n}}}\n")
        started = time.perf_counter()
        apply(tenant, plan(tenant, [package]), by=None, now=datetime.now(UTC))
        Records(context_of(tenant)).create("thing_7", {"name": "First", f"extra_{n}": "written"})
        took_ms.append((time.perf_counter() - started) * 1000)
    took_ms.sort()
    spread = f"{took_ms[0]:.0f}-{took_ms[-1]:.0f}"
    print(f"{what}: add a field, to the first write with it, {took_ms[2]:.0f} ms ({spread}){targets}")

"""A workshop whose records hold files, on each database in turn."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + b"\x01" * 20
WORKSHOP = """
package: workshop
version: 1.0.0
label: Workshop
---
object: machine
label: Machine
fields:
  name: {type: text, label: Name}
  manual: {type: file, label: Manual, max_bytes: 1000, accept: [.pdf, .txt]}
  papers: {type: file, label: Papers, multiple: true, max_files: 3}
  photo: {type: image, label: Photo}
---
object: note
label: Note
fields:
  name: {type: text, label: Name}
  code: {type: text, label: Code}
---
role: fitter
label: Fitter
objects:
  machine: {can: [create, read, update, delete], rows: "owner == user.id"}
  note: [create, read, update]
---
role: chief
label: Chief
objects: {machine: [read, update]}
---
role: guest
label: Guest
objects: {note: [create, read]}
"""


@pytest.fixture
def workshop(database_url: str) -> Iterator[Running]:
    with running(database_url, [WORKSHOP], now=NOW, fill=people) as site:
        yield site


@pytest.fixture
def small_workshop(sqlite_url: str) -> Iterator[Running]:
    """On SQLite only, for what does not depend on the database."""
    with running(sqlite_url, [WORKSHOP], now=NOW, fill=people) as site:
        yield site


def people(site: Running) -> None:
    site.user("ann", "fitter")
    site.user("bob", "fitter")
    site.user("cid", "chief")
    site.user("gus", "guest")
    site.user("boss", "admin")

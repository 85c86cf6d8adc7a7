"""A site on both databases, whose jobs note what they did in a table of the package."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.jobs.handlers import INSIDE, OUTSIDE
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
NOTES = """
package: notes
version: 1.0.0
label: Notes
---
object: note
label: Note
fields:
  name: {type: text, label: Name, required: true}
---
role: reader
label: Reader
objects: {note: {can: [read]}}
"""


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    """The time is 2026-11-22 02:15 UTC."""
    with running(database_url, [NOTES], now=NOW) as found:
        yield found


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """What a test registers is gone after it."""
    inside, outside = dict(INSIDE), dict(OUTSIDE)
    yield
    for kept, now in ((inside, INSIDE), (outside, OUTSIDE)):
        now.clear()
        now.update(kept)  # type: ignore[arg-type]

"""What one save has set off by now: which rules ran for which records, and through which they came about.

It lasts from the outermost save to the end of all that follows from it, and lives on the connection.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.errors import Conflict
from engine.store.database import Connection

__all__ = ["DEEPEST", "Saving", "deeper", "saving_of", "too_deep"]

DEEPEST = 8  # saves that follow from each other


@dataclass(slots=True)
class Saving:
    ran: dict[tuple[str, str], object] = field(default_factory=dict)
    """(automation, record) -> what was sent with the save in which it ran."""
    moved: dict[str, str] = field(default_factory=dict)  # record -> the transition of its workflow that it took
    chain: list[str] = field(default_factory=list)  # runs that this came from, each begun by the one before
    path: list[str] = field(default_factory=list)  # automations that are being carried out, each from the one before

    def may_run(self, name: str, record: str, sent: object = None) -> bool:
        """At most once for a record. A save that is tried again because somebody was faster is the same save."""
        key = (name, record)
        if key in self.ran and (sent is None or self.ran[key] is not sent):
            return False
        self.ran[key] = sent
        return True

    def mark(self) -> tuple[int, dict[str, str]]:
        """What `go_back` takes to forget what ran since."""
        return len(self.ran), dict(self.moved)

    def go_back(self, mark: tuple[int, dict[str, str]]) -> None:
        count, self.moved = mark
        while len(self.ran) > count:
            self.ran.popitem()


def saving_of(connection: Connection) -> Saving:
    if not isinstance(connection.saving, Saving):
        connection.saving = Saving()
    return connection.saving


def too_deep(path: Sequence[str]) -> Conflict:
    message = f"automations set each other off more than {DEEPEST} times: {' -> '.join(path)}"
    return Conflict(message, code="automation.depth", fix="ask an administrator to mend one of them")


@contextmanager
def deeper(connection: Connection, name: str) -> Iterator[Saving]:
    """What is written inside follows from the automation. Raises Conflict where that goes on without end."""
    saving = saving_of(connection)
    if len(saving.path) >= DEEPEST:
        raise too_deep([*saving.path, name])
    saving.path.append(name)
    try:
        yield saving
    finally:
        saving.path.pop()

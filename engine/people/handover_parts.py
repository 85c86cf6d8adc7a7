"""What handovers are made of: what moved, what stayed and why, and one on its way."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.context import Context
from engine.errors import Conflict
from engine.store.database import Connection

__all__ = ["EXAMPLES", "MOST", "PIECE", "Handover", "Kind", "Left", "Moved", "Report"]

MOST = 200_000  # references that one handover moves
PIECE = 1000
EXAMPLES = 5

Example = tuple[str, str]  # (id, title)


@dataclass(frozen=True, slots=True)
class Moved:
    """Records in which the one person took the place of the other."""

    kind: str
    object: str
    field: str
    count: int
    examples: Sequence[Example]


@dataclass(frozen=True, slots=True)
class Left:
    """Records that stay as they were, and why."""

    kind: str
    object: str
    field: str
    count: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    moved: Sequence[Moved]
    left: Sequence[Left]

    @property
    def count(self) -> int:
        return sum(one.count for one in self.moved)


@dataclass(slots=True)
class Handover:
    """One handover on its way. A dry run only counts."""

    ctx: Context
    connection: Connection
    giver: str
    taker: str
    is_dry_run: bool
    objects: frozenset[str] | None = None  # only records of these; None: of all
    room: int = field(default=MOST)

    def concerns(self, object_name: str) -> bool:
        """Whether records of the object are to be moved, and may be known of."""
        wanted = self.objects is None or object_name in self.objects
        return wanted and object_name in self.ctx.snapshot.definitions.objects and self.ctx.scope.can(
            "read", object_name
        )  # fmt: skip

    def may_move(self, object_name: str) -> bool:
        """Only who may change all records of an object moves those of another person."""
        return self.ctx.scope.can("update", object_name) and not self.ctx.scope.rows("update", object_name)

    def take(self, count: int) -> None:
        self.room -= count
        if self.room < 0:
            message = f"one handover moves at most {MOST:,} records"
            raise Conflict(message, code="handover.limit", fix="hand over the objects one after the other")


Kind = Callable[[Handover], Iterator[Moved | Left]]

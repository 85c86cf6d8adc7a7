"""How many connections the databases of one process have, all together."""

import threading
from collections import OrderedDict
from typing import Any, Protocol

__all__ = ["Budget"]


class Keeper(Protocol):
    """A database, which keeps idle connections."""

    def forget(self, connection: Any) -> bool:
        """Close it, unless it is in use again."""


class Budget:
    """The least recently used idle connection goes where there would be more than `most`.

    Connections in use are never closed: their number is that of the threads that work.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._in_use = 0
        self._idle: OrderedDict[int, tuple[Keeper, Any]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """Of all connections, idle or in use."""
        return self._in_use + len(self._idle)

    def begun(self) -> None:
        """A connection is about to be opened, and used."""
        with self._lock:
            self._in_use += 1
        self.make_room()

    def ended(self) -> None:
        """A connection in use was closed."""
        with self._lock:
            self._in_use -= 1

    def kept(self, keeper: Keeper, connection: Any) -> None:
        """A connection in use is idle now."""
        with self._lock:
            self._in_use -= 1
            self._idle[id(connection)] = (keeper, connection)
        self.make_room()

    def taken(self, connection: Any) -> None:
        """An idle connection is in use again."""
        with self._lock:
            self._in_use += 1
            self._idle.pop(id(connection), None)

    def gone(self, connection: Any) -> None:
        """An idle connection was closed."""
        with self._lock:
            self._idle.pop(id(connection), None)

    def make_room(self) -> None:
        """Close idle connections, the longest idle first, until there are no more than there may be."""
        while True:
            with self._lock:
                if self.count <= self.most or not self._idle:
                    return
                _, (keeper, connection) = self._idle.popitem(last=False)
            keeper.forget(connection)

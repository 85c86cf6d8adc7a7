"""A cache with a limit, for compiled statements whose number outsiders could drive up."""

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["Kept"]

T = TypeVar("T")


class Kept(Generic[T]):
    """The last `size` things put in, more or less: when it is full, the older half goes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: dict[Hashable, T] = {}
        self._lock = Lock()

    def get(self, key: Hashable) -> T | None:
        return self._items.get(key)

    def put(self, key: Hashable, item: T) -> T:
        with self._lock:
            if len(self._items) >= self._size:
                self._items = dict(list(self._items.items())[self._size // 2 :])
            self._items[key] = item
        return item

    def __len__(self) -> int:
        return len(self._items)

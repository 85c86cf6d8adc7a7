"""Ids that are read from the database when the first of them is looked at."""

from collections.abc import Callable, Iterator, Sequence
from typing import overload

__all__ = ["Lazily"]


class Lazily(Sequence[str]):
    """What `find` gives, asked for once."""

    __slots__ = ("_find", "_found")

    def __init__(self, find: Callable[[], Sequence[str]]) -> None:
        self._find = find
        self._found: tuple[str, ...] | None = None

    def _ids(self) -> tuple[str, ...]:
        if self._found is None:
            self._found = tuple(self._find())
        return self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids())

    def __len__(self) -> int:
        return len(self._ids())

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._ids()[index]

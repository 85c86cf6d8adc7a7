"""Ids that are read from the database when the first of them is looked at."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import overload

from engine.tenants import Tenant

__all__ = ["Lazily"]


class Lazily(Sequence[str]):
    """Ids that follow from `own`, the id of one record."""

    __slots__ = ("_found", "_own", "_tenant")

    def __init__(self, tenant: Tenant, own: str) -> None:
        self._tenant, self._own = tenant, own
        self._found: tuple[str, ...] | None = None

    @abstractmethod
    def _find(self) -> tuple[str, ...]:
        """One statement."""

    def _ids(self) -> tuple[str, ...]:
        if self._found is None:
            self._found = self._find()
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

"""Which plugins there are, by kind and name. Belongs to an App; two owners of one name are an error that names both."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any, Generic, TypeVar

from engine.contracts.action import Action
from engine.contracts.approver import Approver
from engine.contracts.field import FieldType
from engine.contracts.function import Function
from metadata.model import FieldKind
from metadata.problem import nearest
from metadata.processes import Parts

__all__ = ["Plugins", "Registry"]

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """Instances of one contract by name. `add` refuses a second owner of a name."""

    def __init__(self, what: str, contract: type[T]) -> None:
        self.what, self.contract = what, contract
        self._items: dict[str, T] = {}
        self._owners: dict[str, str] = {}

    def add(self, item: T, owner: str) -> None:
        name: str = item.name  # type: ignore[attr-defined]
        if name in self._items:
            raise ValueError(f"two {self.what}s are called '{name}': one in {self._owners[name]}, one in {owner}")
        self._items[name], self._owners[name] = item, owner

    def __getitem__(self, name: str) -> T:
        try:
            return self._items[name]
        except KeyError:
            guess = nearest(name, self._items)
            raise KeyError(f"no {self.what} '{name}'" + (f"; '{guess}'?" if guess else "")) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


CONTRACTS = (FieldType, Function, Approver, Action)


@cache
def instances(root: ModuleType) -> tuple[tuple[Any, str], ...]:
    """The instances of contracts in the modules of a package, each with the name of its module."""
    names = [found.name for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    # Copies: a package gets a name with each module of it that another thread imports meanwhile.
    return tuple(
        (value, name)
        for name in names for value in vars(importlib.import_module(name)).copy().values()
        if isinstance(value, CONTRACTS)
    )  # fmt: skip


class Plugins:
    """All registries of one App."""

    def __init__(self) -> None:
        self.fields: Registry[FieldType] = Registry("field type", FieldType)
        self.functions: Registry[Function] = Registry("function", Function)
        self.approvers: Registry[Approver] = Registry("approver source", Approver)
        self.actions: Registry[Action] = Registry("action", Action)

    def scan(self, package: str) -> None:
        """Import every module below `package` and add each module-level instance of a contract that it defines."""
        for item, module in instances(importlib.import_module(package)):
            next(one for one in self._registries() if isinstance(item, one.contract)).add(item, module)

    def kinds(self) -> dict[str, FieldKind]:
        """What the loader of definitions needs to know of the field types."""
        return {name: field_type.kind() for name, field_type in self.fields.items()}

    def parts(self) -> Parts:
        """The same of the approver sources and the actions."""
        return Parts(
            {name: one.kind() for name, one in self.approvers.items()},
            {name: one.kind() for name, one in self.actions.items()},
        )

    def _registries(self) -> tuple[Registry[Any], ...]:
        return (self.fields, self.functions, self.approvers, self.actions)

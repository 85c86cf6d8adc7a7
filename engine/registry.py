"""Which plugins there are, by kind and name. Belongs to an App; two owners of one name are an error that names both."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from engine.contracts.field import FieldType
from engine.contracts.function import Function
from metadata.model import FieldKind
from metadata.problem import nearest

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


class Plugins:
    """All registries of one App."""

    def __init__(self) -> None:
        self.fields: Registry[FieldType] = Registry("field type", FieldType)
        self.functions: Registry[Function] = Registry("function", Function)

    def scan(self, package: str) -> None:
        """Import every module below `package` and add each module-level instance of a contract that it defines."""
        root = importlib.import_module(package)
        for found in pkgutil.walk_packages(root.__path__, package + "."):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                for registry in self._registries():
                    if isinstance(value, registry.contract):
                        registry.add(value, found.name)

    def kinds(self) -> dict[str, FieldKind]:
        """What the loader of definitions needs to know of the field types."""
        return {name: field_type.kind() for name, field_type in self.fields.items()}

    def _registries(self) -> tuple[Registry[Any], ...]:
        return (self.fields, self.functions)

"""What was read, as plain data that remembers where every key and value stands."""

from dataclasses import dataclass, field
from typing import Any

from metadata.problem import Place, Problem

__all__ = ["Document", "Map", "Seq", "Source", "show", "written_path"]


class Map(dict[str, Any]):
    """A mapping with its own place, and of each key: (line, column) of the key and of the value, from 1."""

    __slots__ = ("column", "line", "marks")

    def __init__(self, line: int = 1, column: int = 1) -> None:
        self.line, self.column = line, column
        self.marks: dict[str, tuple[int, int, int, int]] = {}

    def drop(self, key: str) -> None:
        self.pop(key, None)
        self.marks.pop(key, None)


class Seq(list[Any]):
    """A list with its own place and the (line, column) of each item, from 1."""

    __slots__ = ("column", "line", "marks")

    def __init__(self, line: int = 1, column: int = 1) -> None:
        self.line, self.column = line, column
        self.marks: list[tuple[int, int]] = []

    def drop(self, index: int) -> None:
        if index < len(self):
            del self[index]
            del self.marks[index]


@dataclass(frozen=True, slots=True)
class Document:
    """One definition as read: `kind` is its first key, `name` that key's value."""

    file: str
    data: Map

    @property
    def kind(self) -> str:
        return next(iter(self.data), "")

    @property
    def name(self) -> str:
        value = self.data.get(self.kind)
        return value if isinstance(value, str) else ""

    def at(self, *steps: str | int) -> Place:
        """The place of the value that `steps` lead to, or of the nearest thing on the way that is there."""
        return self._place(steps, 2)

    def key(self, *steps: str | int) -> Place:
        """The place of the key that `steps` lead to; of the item where the last step is an index."""
        return self._place(steps, 0)

    def _place(self, steps: tuple[str | int, ...], offset: int) -> Place:
        node: Any = self.data
        line, column = self.data.line, self.data.column
        for number, step in enumerate(steps, start=1):
            if isinstance(node, Map) and step in node.marks:
                mark = node.marks[step]
                first = offset if number == len(steps) else 2
                line, column = mark[first : first + 2]
                node = node[step]
            elif isinstance(node, Seq) and isinstance(step, int) and step < len(node):
                line, column = node.marks[step]
                node = node[step]
            else:
                break
        return Place(self.file, line, column, written_path(steps))


@dataclass(slots=True)
class Source:
    """What one text held."""

    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def written_path(steps: tuple[str | int, ...]) -> str:
    """("tabs", 0, "label") -> "tabs[0].label"."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def show(value: object, most: int = 60) -> str:
    """A value as a message quotes it: text in quotes, YAML's words for the rest, long ones cut."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a map"
        case list() | tuple():
            return "a list"
        case str():
            flat = " ".join(value.split())
            return f"'{flat[: most - 1]}…'" if len(flat) > most else f"'{flat}'"
    return str(value)[:most]

"""Put texts together from what stands beside them and from translations that lie over them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from metadata.document import Document
from metadata.model import Text

__all__ = ["Translations", "Wording"]


@dataclass(slots=True)
class Translations:
    """All `translation:` documents: of objects by language, and of other texts by package and language."""

    objects: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    texts: dict[str, list[tuple[str, Mapping[str, str]]]] = field(default_factory=dict)

    def add(self, package: str, document: Document) -> None:
        data = document.data
        if "objects" in data:
            self.objects.append((document.name, data["objects"]))
        if "texts" in data:
            self.texts.setdefault(package, []).append((document.name, data["texts"]))

    def of(self, *steps: str) -> Iterator[tuple[str, Any]]:
        """(language, text) at `steps` below `objects`: "lead", "fields", "status", "label"."""
        for language, node in self.objects:
            found: Any = node
            for step in steps:
                found = found.get(step) if isinstance(found, dict) else None
            if found:
                yield language, found

    def label_of(self, *steps: str) -> Iterator[tuple[str, Any]]:
        """The same for a label that may stand alone: `status: 状态` is `status: {label: 状态}`."""
        for language, found in self.of(*steps):
            text = found.get("label") if isinstance(found, dict) else found
            if isinstance(text, str):
                yield language, text


@dataclass(frozen=True, slots=True)
class Wording:
    """Makes the texts of one package; `language` is its first."""

    language: str
    texts: tuple[tuple[str, Mapping[str, str]], ...] = ()
    said: set[str] = field(default_factory=set)  # every text that was made, in the first language

    def text(self, value: Any, over: Iterable[tuple[str, str]] = (), otherwise: str = "") -> Text:
        text: dict[str, str] = {}
        if isinstance(value, str) and value:
            text[self.language] = value
        elif isinstance(value, dict):
            text.update(value)
        elif otherwise:
            text[self.language] = otherwise
        first = text.get(self.language, "")
        self.said.add(first)
        for language, translated in self.texts:
            words = translated.get(first)
            if words:
                text[language] = words
        text.update({language: words for language, words in over if words})
        return text

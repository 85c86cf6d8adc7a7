"""Do translations speak of things that exist, in languages that the package has?"""

from collections.abc import Iterator
from typing import Any

from metadata.assemble import Item
from metadata.build.objects import is_choice
from metadata.check.facts import Facts
from metadata.check.packages import is_language
from metadata.document import Document
from metadata.problem import Problem

__all__ = ["check"]

Steps = tuple[str | int, ...]
TEXT_KEYS = frozenset({"label", "plural", "description", "help", "message"})


def check(facts: Facts) -> Iterator[Problem]:
    languages = {item.package: item.built.languages for item in facts.assembly.packages}
    for item in facts.assembly.translations:
        yield from translation(facts, item, languages[item.package])
    for document, package in facts.assembly.documents():
        if document.kind not in ("translation", "data"):
            yield from known_languages(document, languages[package])


def translation(facts: Facts, item: Item[None], languages: tuple[str, ...]) -> Iterator[Problem]:
    document = item.document
    if document.name not in languages:
        yield unknown_language(document, ("translation",), document.name, languages)
    for name, said in (document.data.get("objects") or {}).items():
        here = ("objects", name)
        yield from facts.object_exists(name, item.package, document.key(*here))
        if name in facts.objects:
            for field, inner in (said.get("fields") or {}).items():
                yield from field_translation(facts, document, name, field, inner)
    for text in document.data.get("texts") or ():
        if text not in facts.assembly.said.get(item.package, ()):
            message = f"the package says '{text[:60]}' nowhere"
            yield Problem(document.key("texts", text), "translation.unused", message, "delete the line", "warning")


def field_translation(facts: Facts, document: Document, object_: str, name: str, said: Any) -> Iterator[Problem]:
    here = ("objects", object_, "fields", name)
    fields = facts.objects[object_].fields
    if name not in fields:
        yield facts.no_such("field", name, fields, at=document.key(*here), code="field.unknown", within=object_)
    elif isinstance(said, dict):
        known = [choice.value for choice in fields[name].choices]
        for value in said.get("choices") or ():
            if value not in known:
                at = document.key(*here, "choices", value)
                yield facts.no_such("choice", value, known, at=at, code="choice.unknown", within=f"{object_}.{name}")


def known_languages(document: Document, languages: tuple[str, ...]) -> Iterator[Problem]:
    """That inline texts are in languages that the manifest lists. Texts by language stand below their keys only."""
    waiting: list[tuple[Steps, Any]] = [((), document.data)]
    while waiting:
        steps, node = waiting.pop()
        entries = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in entries:
            if not isinstance(value, (dict, list)):
                continue
            is_text = key in TEXT_KEYS and "type" not in value
            is_label = steps[-1:] == ("choices",) and isinstance(value, dict) and not is_choice(value)
            if isinstance(value, dict) and (is_text or is_label):
                for language in value:
                    if language not in languages:
                        yield unknown_language(document, (*steps, key, language), language, languages)
            else:
                waiting.append(((*steps, key), value))


def unknown_language(document: Document, steps: Steps, language: str, languages: tuple[str, ...]) -> Problem:
    message = f"'{language}' is not among the package's languages: {', '.join(languages)}"
    fix = f"add {language} to 'languages' in package.yaml" if is_language(language) else ""
    return Problem(document.key(*steps), "language.unknown", message, fix)

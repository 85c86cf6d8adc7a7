"""Is every text there in each language of its package? One warning for each document and language.

Of a language in which nothing is said yet there is one for the whole package.
"""

from collections.abc import Iterator

from metadata.check.facts import Facts
from metadata.check.packages import is_language
from metadata.check.translations import TEXT_KEYS
from metadata.document import Document
from metadata.model import Field, Layout, Menu, Object, Text
from metadata.problem import Problem
from metadata.processes import Approval, nodes_in

__all__ = ["check"]

SHOWN = 3
SEEN = ("approve", "handle", "cc", "subprocess")  # nodes


def check(facts: Facts) -> Iterator[Problem]:
    languages = {
        item.package: item.built.languages
        for item in facts.assembly.packages
        if item.package in facts.given and len(item.built.languages) > 1
    }
    if not languages:
        return
    by_document: dict[int, tuple[Document, str, list[Text]]] = {}
    spoken: set[tuple[str, str]] = set()
    for document, package, texts in of_documents(facts):
        if package in languages:
            by_document.setdefault(id(document), (document, package, []))[2].extend(texts)
            spoken.update((package, base_of(language)) for text in texts for language in text)
    for document, package, texts in by_document.values():
        for language in languages[package]:
            missing = [text for text in texts if not is_said(text, language)]
            if missing and (package, base_of(language)) in spoken:
                yield told(document, language, missing)
            elif missing and document.kind == "package" and is_language(language) and says_something(facts, package):
                message = f"the package says nothing in {language}"
                fix = f"add 'translation: {language}', or leave {language} out"
                yield Problem(document.at("languages"), "translation.missing", message, fix, "warning")


def is_said(text: Text, language: str) -> bool:
    """A text in a sister language is one: zh-CN for zh. What has no small letters is the same in all: SKU, A4, %."""
    if not text or any(base_of(other) == base_of(language) for other in text):
        return True
    first = next(iter(text.values()))
    return first.isascii() and first.upper() == first


def base_of(language: str) -> str:
    return language.split("-")[0]


def says_something(facts: Facts, package: str) -> bool:
    """Whether anything in the package has a text of its own; else names stand for labels in all languages alike."""
    waiting: list[object] = [document.data for document, owner in facts.assembly.documents() if owner == package]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if not TEXT_KEYS.isdisjoint(node):
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def told(document: Document, language: str, missing: list[Text]) -> Problem:
    names = list(dict.fromkeys(next(iter(text.values())) for text in missing))
    shown = ", ".join(f"'{name[:40]}'" for name in names[:SHOWN])
    more = ", …" if len(names) > SHOWN else ""
    amount = f"{len(missing)} texts are" if len(missing) > 1 else "a text is"
    message = f"{amount} not there in {language}: {shown}{more}"
    fix = f"add what is missing here, or to 'translation: {language}'"
    return Problem(document.at(document.kind), "translation.missing", message, fix, "warning")


def of_documents(facts: Facts) -> Iterator[tuple[Document, str, list[Text]]]:
    assembly = facts.assembly
    for package in assembly.packages:
        yield package.document, package.package, [package.built.label, package.built.description]
    for object_ in assembly.objects:
        yield object_.document, object_.package, list(of_object(object_.built))
    for field in assembly.fields:
        if field.steps != ("title",):  # the engine's own words, as those of other system fields
            yield field.document, field.package, list(of_field(field.built))
    for layout in assembly.layouts:
        yield layout.document, layout.package, list(of_layout(layout.built))
    for view in assembly.views:
        yield view.document, view.package, [view.built.label]
    for menu in assembly.menus:
        yield menu.document, menu.package, list(of_menu(menu.built))
    for role in (*assembly.roles, *assembly.permission_sets):
        yield role.document, role.package, [role.built.label]
    for shared in assembly.sharing_rules:
        yield shared.document, shared.package, [shared.built.label]
    for limit in assembly.restriction_rules:
        yield limit.document, limit.package, [limit.built.label]
    for approval in assembly.processes["approval"]:
        yield approval.document, approval.package, list(of_approval(approval.built))


def of_object(object_: Object) -> Iterator[Text]:
    """Without its fields, which other packages may add. A plural that is the label is no text of its own."""
    yield from (object_.label, object_.description)
    if object_.plural != object_.label:
        yield object_.plural
    for type_ in object_.record_types:
        yield from (type_.label, type_.description)
    for rule in object_.validations:
        yield rule.message


def of_field(field: Field) -> Iterator[Text]:
    yield from (field.label, field.help)
    yield from (choice.label for choice in field.choices if not choice.is_retired)


def of_layout(layout: Layout) -> Iterator[Text]:
    for tab in layout.tabs:
        yield tab.label
        yield from (section.label for section in tab.sections)
        yield from (related.label for related in tab.related)


def of_approval(approval: Approval) -> Iterator[Text]:
    """With the nodes that people see: who is asked or told is shown where."""
    yield from (approval.label, approval.description)
    yield from (node.label for node in nodes_in(approval.flow) if node.type in SEEN)


def of_menu(menu: Menu) -> Iterator[Text]:
    yield menu.label
    yield from (item.label for item in menu.items)

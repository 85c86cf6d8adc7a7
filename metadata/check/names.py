"""Are names well formed, and free for packages to use?"""

import unicodedata
from collections.abc import Iterator

from metadata.check.facts import Facts
from metadata.names import MAX_NAME, RESERVED_FIELDS, is_name, suggested
from metadata.problem import Place, Problem

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    all_ = facts.assembly
    for document, _ in all_.documents():
        if document.kind != "field":
            yield from well_formed(document.kind, document.name, document.at(document.kind))
    for field in all_.fields:
        at = field.document.key(*field.steps) if field.steps else field.document.at("field")
        yield from well_formed("field", field.built.name, at)
        if field.built.name in RESERVED_FIELDS:
            message = f"every record has '{field.built.name}' already: the name is the engine's own"
            fix = f"write '{field.owner}_{field.built.name}'?"
            yield Problem(at, "name.reserved", message, fix)


def well_formed(what: str, name: str, at: Place) -> Iterator[Problem]:
    if is_name(name):
        return
    guess = suggested(name)
    yield Problem(at, "name.invalid", reason(what, name), f'write "{guess}"?' if guess else "")


def reason(what: str, name: str) -> str:
    """Which rule a name breaks."""
    if not name:
        return f"the name of a {what} cannot be blank"
    if len(name) > MAX_NAME:
        return f"the name '{name[:20]}…' has {len(name)} characters; at most {MAX_NAME} are allowed"
    if name[0] == "_":
        return f"the name '{name}' begins with '_', which the engine keeps for itself"
    wrong = next((sign for sign in name if not ("a" + sign).isidentifier()), "")
    if wrong:
        shown = "a space" if wrong == " " else f"'{wrong}'" if wrong.isprintable() else f"U+{ord(wrong):04X}"
        return f"the name '{name}' holds {shown}; letters, digits and '_' are allowed"
    if not name.isidentifier():
        return f"the name '{name}' does not begin with a letter"
    normal = unicodedata.normalize("NFKC", name)
    return f"the name '{name}' is written in signs that read as '{normal}'"

"""The ways in which a duplicate rule compares values, by name: each gives the forms that one value is known by."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.matching.company import company
from engine.matching.fuzzy import blocks
from engine.matching.person import person
from engine.matching.phone import phone
from engine.matching.text import folded
from metadata.model import FUZZY, Field

__all__ = ["Forms", "forms_for"]

Forms = Callable[[Any], tuple[frozenset[str], frozenset[str]]]
"""A stored value, not None -> (forms that it is kept under, forms that it is looked for under); none when blank."""

NOTHING: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())


def forms_for(field: Field, how: str) -> Forms:
    return WAYS[how](field)


def one(form: Callable[[Any], str]) -> Forms:
    """A value that has one form is kept and looked for under it."""

    def forms(value: Any) -> tuple[frozenset[str], frozenset[str]]:
        text = form(value)
        found = frozenset((text,)) if text else frozenset()
        return found, found

    return forms


def exact(field: Field) -> Forms:
    return one(folded if field.value == "text" else plain)


def plain(value: Any) -> str:
    """Numbers by their value, whatever zeros they end with."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def by_phone(field: Field) -> Forms:
    region = field.options.get("region")
    return one(lambda value: phone(value, region) if isinstance(region, str) else phone(value))


def by_blocks(field: Field) -> Forms:
    def forms(value: Any) -> tuple[frozenset[str], frozenset[str]]:
        found = blocks(value)
        return found, found

    return forms


WAYS: Mapping[str, Callable[[Field], Forms]] = {
    "exact": exact,
    "phone": by_phone,
    "email": lambda field: one(lambda value: folded(value).replace(" ", "")),
    "company": lambda field: one(company),
    "name": lambda field: person,
    FUZZY: by_blocks,
}

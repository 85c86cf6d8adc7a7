"""Do duplicate rules compare fields that can be compared in that way?"""

from collections.abc import Iterator

from metadata.assemble import Item
from metadata.check.facts import Facts
from metadata.check.names import well_formed
from metadata.model import FUZZY, MATCH_WAYS, DuplicateRule, Field, FieldKind, Object
from metadata.problem import Place, Problem, nearest

__all__ = ["check"]

OF_ANY_TYPE = "exact"  # the other ways compare texts

# What else people call our ways.
FOREIGN = {
    "equal": "exact", "equals": "exact", "same": "exact", "mobile": "phone", "tel": "phone", "telephone": "phone",
    "mail": "email", "e-mail": "email", "account": "company", "organization": "company", "person": "name",
    "first_name": "name", "similar": "fuzzy", "like": "fuzzy",
}  # fmt: skip


def check(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.objects:
        names: dict[str, int] = {}
        for index, rule in enumerate(item.built.duplicates):
            here = ("duplicates", index)
            yield from well_formed("rule", rule.name, item.document.at(*here, "rule"))
            if rule.name in names:
                first = item.document.at("duplicates", names[rule.name], "rule")
                message = f"the rule '{rule.name}' is defined here and in {first.file}:{first.line}"
                at = item.document.at(*here, "rule")
                yield Problem(at, "name.duplicate", message, "rename or delete one of the two")
            names.setdefault(rule.name, index)
            yield from matches_work(facts, item, index, rule)
            yield from facts.formula(rule.filter, item.built.name, item.document, *here, "filter")


def matches_work(facts: Facts, item: Item[Object], index: int, rule: DuplicateRule) -> Iterator[Problem]:
    for match in rule.matches:
        here = ("duplicates", index, "match", match.field)
        at, said = item.document.at(*here), item.document.data["duplicates"][index]["match"][match.field]
        field = item.built.fields.get(match.field)
        if field is None:
            key = item.document.key(*here)
            yield facts.no_such("field", match.field, item.built.fields, at=key, code="field.unknown",
                                within=item.built.name)  # fmt: skip
        if match.how not in MATCH_WAYS:
            if match.how:  # else it is missing, which was said
                yield no_such_way(match.how, at)
            continue
        if isinstance(said, dict) and "threshold" in said and match.how != FUZZY:
            message = f"a threshold belongs to '{FUZZY}': '{match.how}' compares whole values"
            place = item.document.at(*here, "threshold")
            yield Problem(place, "duplicate.threshold", message, "leave 'threshold' out")
        kind = facts.kind(field) if field is not None else None
        if field is not None and kind is not None:
            yield from comparable(field, kind, match.how, at)


def no_such_way(how: str, at: Place) -> Problem:
    guess = FOREIGN.get(how.lower()) or nearest(how, MATCH_WAYS)
    fix = f"write '{guess}'?" if guess else f"write one of {', '.join(MATCH_WAYS)}"
    return Problem(at, "duplicate.how", f"values cannot be compared by '{how}'", fix)


def comparable(field: Field, kind: FieldKind, how: str, at: Place) -> Iterator[Problem]:
    if kind.is_computed or not kind.may_be_unique or not field.is_written:
        message = f"'{field.name}' is a field of type '{kind.name}', whose values are not compared"
        yield Problem(at, "duplicate.type", message, "name a field of type text, phone or email")
    elif how != OF_ANY_TYPE and kind.value != "text":
        message = f"'{field.name}' is a field of type '{kind.name}', which '{how}' cannot compare"
        yield Problem(at, "duplicate.type", message, f"write '{OF_ANY_TYPE}'")

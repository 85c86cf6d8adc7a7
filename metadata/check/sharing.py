"""Do sharing and restriction rules say who has which records? Are masks and what formulas reveal sound?"""

from collections.abc import Iterator

from metadata.check.facts import Facts
from metadata.check.roles import roles_exist
from metadata.masks import is_mask
from metadata.problem import Problem

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    yield from rules_share(facts)
    yield from rules_restrict(facts)
    yield from objects_share(facts)
    yield from fields_hide(facts)


def rules_share(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.sharing_rules:
        rule, document = item.built, item.document
        yield from facts.object_exists(rule.object, item.package, document.at("object"))
        yield from facts.formula(rule.rows, rule.object, document, "rows")
        yield from roles_exist(facts, rule.roles, document, "with", "roles")
        if not (rule.roles or rule.departments or rule.teams):
            message = f"the sharing rule '{rule.name}' shares with nobody"
            yield Problem(document.at("with"), "sharing_rule.nobody", message, "write 'with: {roles: […]}'")
        found = facts.objects.get(rule.object)
        if found is not None and (found.sharing == "edit" or (found.sharing == "read" and rule.access == "read")):
            message = f"all records of '{rule.object}' are shared already, so this rule adds nothing"
            yield Problem(
                document.at("object"), "sharing_rule.idle", message, "write 'sharing: private' there", "warning"
            )


def rules_restrict(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.restriction_rules:
        rule, document = item.built, item.document
        yield from facts.object_exists(rule.object, item.package, document.at("object"))
        yield from facts.formula(rule.rows, rule.object, document, "rows")
        yield from roles_exist(facts, rule.roles, document, "for", "roles")
        yield from roles_exist(facts, rule.spares, document, "except", "roles")


def objects_share(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.objects:
        built = item.built
        if built.sharing != "edit" and (built.masters or built.kind):
            why = "follow the records that they belong to" if built.masters else "are settings or lines"
            message = f"records of '{built.name}' {why}, and are not shared by themselves"
            yield Problem(item.document.at("sharing"), "object.sharing", message, "leave out 'sharing'")


def fields_hide(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.fields:
        field = item.built
        at = item.document.at(*item.steps, "mask")
        if field.mask and not is_mask(field.mask):
            message = f"'{field.mask}' is no mask: it is phone, email, id_card, bank_card, name, or like {{2}}***{{2}}"
            yield Problem(at, "field.mask", message, "write '{2}***{2}'")
        elif field.mask and (field.value != "text" or field.source != "value"):
            message = f"'{field.name}' holds no text that could be masked"
            yield Problem(at, "field.mask", message, "leave out 'mask', and hide the field where it must not be seen")
        if field.reveals and item.package in facts.given:
            message = f"'{item.owner}.{field.name}' is shown to people who may not see all that it is worked out from"
            at = item.document.at(*item.steps, "reveals")
            yield Problem(at, "field.reveals", message, "leave out 'reveals' unless that is meant", "warning")

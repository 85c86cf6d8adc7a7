"""All checks of definitions: one module per kind. A check yields Problems and goes on."""

from collections.abc import Iterator

from metadata.check import (
    approvals,
    automations,
    calendars,
    choices,
    computed,
    conditions,
    data,
    duplicates,
    fields,
    layouts,
    menus,
    names,
    objects,
    packages,
    relations,
    roles,
    scenarios,
    sharing,
    templates,
    translations,
    views,
    workflows,
)
from metadata.check.facts import Facts
from metadata.problem import Problem

__all__ = ["Facts", "check"]

CHECKS = (
    packages.check, names.check, objects.check, fields.check, computed.check, conditions.check, choices.check,
    relations.check, duplicates.check, layouts.check, views.check, menus.check, roles.check, sharing.check,
    calendars.check, templates.check, workflows.check, automations.check, approvals.check, translations.check,
    data.check, scenarios.check,
)  # fmt: skip


def check(facts: Facts) -> Iterator[Problem]:
    for part in CHECKS:
        yield from part(facts)

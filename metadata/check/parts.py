"""Do lists of approver sources and of actions name plugins that there are, with options that fit?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from metadata.build.parts import PART_KEYS, parts_in
from metadata.build.wording import Wording
from metadata.check.actions import action_works, names_before, texts_in
from metadata.check.facts import Facts, steps_value
from metadata.document import Document, show
from metadata.formula import FormulaError, Names
from metadata.model import SYSTEM_FIELDS
from metadata.problem import Problem
from metadata.processes import Part, PartKind
from metadata.shape import misfits, part_misfits

__all__ = ["named", "parts_work", "template_fits"]

Steps = tuple[str | int, ...]
WORDS = {"approver": "approver source", "action": "action"}
ROOTS = frozenset(("body", "config", "parent", "record", "this", "user"))
"""What formulas know by these words comes before, or instead of, a record of a step."""
UNKNOWN = {
    "role": "role.unknown", "template": "template.unknown", "calendar": "calendar.unknown",
    "approval": "approval.unknown", "automation": "automation.unknown",
}  # fmt: skip


def parts_work(
    facts: Facts, parts: Sequence[Part], what: Literal["approver", "action"], object_: str, document: Document,
    *steps: str | int, has_prior: bool = True, names: Names | None = None, package: str = "", phase: str = "",
    has_body: bool = False,
) -> Iterator[Problem]:  # fmt: skip
    """All about parts that `metadata.build.parts.parts_in` made of what stands at `steps`: a list, or one.

    `object_`: over which their formulas and paths are; "" is none. `names` takes the place of that object's names in
    formulas, where more is known than its fields. `phase`: of the automation that they are steps of; without an
    `object_` it is about no record. `has_body`: there is what a webhook brought.
    """
    if not parts:
        return
    is_list = isinstance(steps_value(document, steps), list)
    names = names or facts.names(object_ if object_ or phase else "*")
    for index, one in enumerate(parts):
        here = (*steps, index) if is_list else steps
        known = names_before(facts, tuple(parts), index, names, has_body) if what == "action" else names
        yield from _part_works(facts, one, what, object_, document, here, has_prior, known, package, phase)
        if what == "action":
            yield from result_is_read(facts, one, parts[:index], object_, document, here)


def _part_works(
    facts: Facts, one: Part, what: Literal["approver", "action"], object_: str, document: Document, here: Steps,
    has_prior: bool, names: Names, package: str, phase: str,
) -> Iterator[Problem]:  # fmt: skip
    kinds: Mapping[str, PartKind] = facts.parts.approvers if what == "approver" else facts.parts.actions
    said = steps_value(document, here)
    written = [key for key in said if key not in PART_KEYS] if isinstance(said, dict) else [one.kind]
    if not written:
        known = ", ".join(sorted(kinds))
        message = f"this names no {WORDS[what]}"
        yield Problem(document.at(*here), "part.none", message, f"write one of {known}" if len(kinds) < 20 else "")
        return
    if len(written) > 1:
        message = f"'{written[0]}' and '{written[1]}' stand in one entry, and each entry is one {WORDS[what]}"
        yield Problem(document.key(*here, written[1]), "part.several", message, f"write '- {written[1]}: …' below")
    if one.when and reads(facts, object_, names):
        yield from _formula(facts, one.when, names, document, (*here, "when"), "boolean", has_prior)
    kind = kinds.get(one.kind)
    at = document.key(*here, one.kind) if isinstance(said, dict) else document.at(*here)
    if kind is None:
        code = "approver.unknown" if what == "approver" else "action.unknown"
        yield facts.no_such(WORDS[what], one.kind, kinds, at=at, code=code)
        return
    if phase and kind.phases and phase not in kind.phases:
        words = ", ".join(one.replace("_", " ") for one in kind.phases)
        message = f"'{kind.name}' cannot be done in the phase '{phase}'"
        yield Problem(at, "action.phase", message, f"it can in: {words}")
    if phase and not object_ and (kind.needs_record or kind.asks == "owner"):
        message = f"'{kind.name}' is about the record, and this automation is about none"
        other = "name the record: update: {object: …, filter: …}" if what == "action" else "name people: {role: …}"
        yield Problem(at, "action.record", message, f"say 'object', or {other}")
        return
    yield from _options_fit(facts, one, kind, object_, document, here, has_prior, names, package, phase)


def result_is_read(
    facts: Facts, one: Part, before: Sequence[Part], object_: str, document: Document, here: Steps
) -> Iterator[Problem]:  # fmt: skip
    """That the name of a record that a step makes or finds stands for nothing else."""
    if not one.name or not makes_record(facts, one):
        return
    at, fix = document.at(*here, "as"), f"write as: {one.name}_made"
    if one.name in ROOTS:
        message = f"'{one.name}' is a word of formulas, so no step can be called that"
        yield Problem(at, "action.name", message, fix)
    elif object_ in facts.objects and (one.name in facts.objects[object_].fields or one.name in SYSTEM_FIELDS):
        message = f"'{one.name}' is a field of '{object_}', which later steps cannot read: they read this step's record"
        yield Problem(at, "action.name", message, fix, "warning")
    elif any(earlier.name == one.name and makes_record(facts, earlier) for earlier in before):
        message = f"a step before is called '{one.name}', too, and later steps cannot read its record"
        yield Problem(at, "action.name", message, fix, "warning")


def makes_record(facts: Facts, one: Part) -> bool:
    """Or finds one."""
    kind = facts.parts.actions.get(one.kind)
    return kind is not None and bool(kind.about and kind.given(one.options).get(kind.about))


def _options_fit(
    facts: Facts, one: Part, kind: PartKind, object_: str, document: Document, here: Steps, has_prior: bool,
    names: Names, package: str, phase: str,
) -> Iterator[Problem]:  # fmt: skip
    options = kind.given(one.options)
    said = steps_value(document, here)
    inside = (*here, kind.name) if isinstance(said, dict) else here
    is_map = isinstance(said, dict) and isinstance(said.get(kind.name), dict)
    properties: Any = kind.schema.get("properties") or {}
    if not is_map and options.keys() == {"value"} and "value" not in properties:
        message = f"'{kind.name}' takes a map of options, not {show(options['value'])}"
        fix = f"write {{{kind.name}: {{{next(iter(properties))}: …}}}}" if properties else f"write '{kind.name}'"
        yield Problem(document.at(*inside), "value.type", message, fix)
        return
    wrong = list(misfits(options, kind.schema, document, inside))
    for option in () if wrong else [one for one in kind.people if one in options]:
        wrong += part_misfits(options[option], document, (*inside, option) if is_map else inside)
    yield from wrong
    if wrong:
        return
    for option in kind.formulas:
        for steps, text in texts_in(options.get(option), (*inside, option) if is_map else inside):
            if reads(facts, object_, names):
                yield from _formula(facts, text, names, document, steps, None, has_prior)
    for option in kind.paths:
        for steps, text in texts_in(options.get(option), (*inside, option) if is_map else inside):
            if object_ or not phase:
                yield from facts.path_exists(text, object_, document.at(*steps))
            elif names.resolve(tuple(text.split("."))) is None:
                message = f"'{text[:60]}' leads to a field of the record, and this automation is about none"
                yield Problem(document.at(*steps), "action.record", message, "say 'object', or leave it out")
    for option, of in kind.refers.items():
        for steps, text in texts_in(options.get(option), (*inside, option) if is_map else inside):
            yield from named(facts, of, text, document, steps, package)
            if of == "template":
                yield from template_fits(facts, text, object_, document, steps)
    for option in [one for one in kind.people if one in options]:
        where = (*inside, option) if is_map else inside
        people = parts_in(document, where, Wording("en"))
        yield from parts_work(facts, people, "approver", object_, document, *where, has_prior=has_prior, names=names,
                              package=package, phase=phase)  # fmt: skip
    if one.kind in facts.parts.actions and facts.parts.actions[one.kind] is kind:
        yield from action_works(facts, kind, options, object_, document, inside, is_map, has_prior, names)


def reads(facts: Facts, object_: str, names: Names) -> bool:
    """Whether it is known what formulas may name: not where the object is unknown, which was said."""
    return object_ in facts.objects or (not object_ and names is not facts.names("*"))


def _formula(
    facts: Facts, text: str, names: Names, document: Document, steps: Steps, wants: Any, has_prior: bool
) -> Iterator[Problem]:
    try:
        facts.read(text, names, wants=wants, has_prior=has_prior)
    except FormulaError as error:
        at = facts.within(document.at(*steps), text, error.column)
        yield Problem(at, error.code, error.message, error.fix)


def template_fits(facts: Facts, name: str, object_: str, document: Document, steps: Steps) -> Iterator[Problem]:
    """That a template that reads a record reads one of this object."""
    found = next((one.built for one in facts.assembly.processes["template"] if one.built.name == name), None)
    if found is None or found.object in ("", object_) or (object_ and object_ not in facts.objects):
        return
    message = f"the template '{name}' is about '{found.object}', and " + (f"this is about '{object_}'" if object_ else
              "this is about no record")  # fmt: skip
    yield Problem(document.at(*steps), "template.other", message, "name another template, or say it in 'subject'")


def named(facts: Facts, of: str, name: str, document: Document, steps: Steps, package: str = "") -> Iterator[Problem]:
    """That a name stands for something that is defined: an object, a role, a template, a calendar or an approval."""
    if of == "object":
        if package:
            yield from facts.object_exists(name, package, document.at(*steps))
        elif name not in facts.objects and ("object", name) not in facts.unread:
            yield facts.no_such("object", name, facts.objects, at=document.at(*steps), code="object.unknown")
        return
    known = {item.built.name for item in (facts.assembly.roles if of == "role" else facts.assembly.processes[of])}
    if name and name not in known and (of, name) not in facts.unread:
        yield facts.no_such(of, name, known, at=document.at(*steps), code=UNKNOWN[of])

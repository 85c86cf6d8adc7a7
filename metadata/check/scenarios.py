"""Can scenarios be played: does each step say one thing, at a time that fits, of people and records that there are?"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from metadata.assemble import Item
from metadata.build.scenarios import deeds_in
from metadata.check.data import SETTABLE, USER, keys_by_object
from metadata.check.facts import Facts
from metadata.check.parts import named
from metadata.document import Document
from metadata.problem import Problem
from metadata.processes import nodes_in
from metadata.scenarios import DEEDS, Scenario, moment_of

__all__ = ["check"]

Steps = tuple[str | int, ...]
Keys = Mapping[str, set[str]]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # any moment does: times are compared with each other
TIMES = "write now-2d, now-3h, or today-1T01:30Z"


def check(facts: Facts) -> Iterator[Problem]:
    if not facts.assembly.scenarios:
        return
    keys = keys_by_object(facts)
    for item in facts.assembly.scenarios:
        yield from steps_work(facts, item, {name: set(known) for name, known in keys.items()})


def steps_work(facts: Facts, item: Item[Scenario], keys: dict[str, set[str]]) -> Iterator[Problem]:
    """`keys` grows by what the steps create."""
    document, before, approval = item.document, dict[str, tuple[datetime, str]](), ""
    for index, said in enumerate(document.data.get("steps") or ()):
        yield from time_fits(document, index, said.get("at") or "", before)
        yield from people_exist(facts, document, ("steps", index, "as"), said.get("as"), keys)
        found = deeds_in(said)
        if len(found) != 1:
            yield says_one_thing(document, index, found)
            continue
        options = said[found[0]] if isinstance(said[found[0]], Mapping) else {}
        here: Steps = ("steps", index, found[0])
        if found[0] == "submit":
            approval = options.get("approval") or ""
            yield from named(facts, "approval", approval, document, (*here, "approval"))
        elif found[0] in ("create", "update", "delete") and begins(facts, found[0], options):
            approval = ""  # the steps below may be about another one, which is not known here
        yield from record_exists(facts, item, here, options, keys)
        if moment_of(options.get("until") or "now", NOON) is None:
            message = f"'{options['until'][:60]}' is no time of a scenario"
            yield Problem(document.at(*here, "until"), "scenario.time", message, "write now+3d, or today+5T01:30Z")
        for key in ("agent", "users"):
            yield from people_exist(facts, document, (*here, key), options.get(key), keys)
        for node, users in (options.get("chosen") or {}).items():
            yield from people_exist(facts, document, (*here, "chosen", node), users, keys)
        yield from nodes_exist(facts, document, here, options, approval)


def begins(facts: Facts, what: str, options: Mapping[str, Any]) -> bool:
    """Whether an approval may begin by this write."""
    name = options.get("object") or str(options.get("record") or "").partition(".")[0]
    return any(one.built.object == name and one.built.trigger == what for one in facts.assembly.processes["approval"])


def says_one_thing(document: Document, index: int, found: Sequence[str]) -> Problem:
    if not found:
        message = "this step does not say what is done"
        return Problem(document.at("steps", index), "scenario.step", message, f"add one of {', '.join(DEEDS)}")
    message = f"this step says both '{found[0]}' and '{found[1]}'"
    return Problem(document.key("steps", index, found[1]), "scenario.step", message, "make two steps of it")


def time_fits(document: Document, index: int, text: str, before: dict[str, tuple[datetime, str]]) -> Iterator[Problem]:
    """`before`: "now" or "today" -> the last time of this kind, and its text. Which of the two kinds is earlier depends
    on the time of day."""
    at, moment = document.at("steps", index, "at"), moment_of(text, NOON)
    if moment is None:
        yield Problem(at, "scenario.time", f"'{text[:60]}' is no time of a scenario", TIMES)
        return
    kind = "now" if text.startswith("now") else "today"
    if (kind == "now" and moment > NOON) or "+" in text:
        yield Problem(at, "scenario.time", f"'{text}' has not come yet: scenarios tell what was", TIMES)
        return
    last = before.get(kind)
    if last is not None and moment < last[0]:
        message = f"'{text}' is before '{last[1]}' of a step above"
        yield Problem(at, "scenario.time", message, "put the steps in the order of their times")
    before[kind] = (moment, text)


def people_exist(facts: Facts, document: Document, steps: Steps, said: Any, keys: Keys) -> Iterator[Problem]:
    for index, name in enumerate(said if isinstance(said, list) else [said]):
        if name and name not in keys[USER]:
            at = document.at(*steps, index) if isinstance(said, list) else document.at(*steps)
            yield facts.no_such("user", str(name), keys[USER], at=at, code="data.reference")


def record_exists(
    facts: Facts, item: Item[Scenario], here: Steps, options: Mapping[str, Any], keys: dict[str, set[str]]
) -> Iterator[Problem]:
    """What a step is about, with the fields that it writes. What it creates is known from then on."""
    document = item.document
    name, _, key = str(options.get("record") or "").partition(".")
    if not name and not (name := options.get("object") or ""):
        return
    at = document.at(*here, "record" if options.get("record") else "object")
    yield from facts.object_exists(name, item.package, at)
    if name not in facts.objects:
        return
    if options.get("record") and key not in keys.get(name, ()) and ("data", name) not in facts.unread:
        what = f"record of '{name}' with the key"
        yield facts.no_such(what, key, keys.get(name, ()), at=at, code="data.reference")
    if options.get("key"):
        keys.setdefault(name, set()).add(options["key"])
    yield from values_fit(facts, document, (*here, "values"), options.get("values") or {}, name, keys)


def values_fit(
    facts: Facts, document: Document, steps: Steps, written: Mapping[str, Any], name: str, keys: Keys
) -> Iterator[Problem]:
    fields = facts.objects[name].fields
    for field, value in written.items():
        if field not in fields and field not in SETTABLE:
            yield facts.no_such("field", field, fields, at=document.key(*steps, field), code="field.unknown",
                                within=name)  # fmt: skip
            continue
        found = fields.get(field) or SETTABLE[field]
        if found.source == "lines" and found.of in facts.objects:
            for index, line in enumerate(value if isinstance(value, list) else ()):
                if isinstance(line, dict):
                    yield from values_fit(facts, document, (*steps, field, index), line, found.of, keys)
            continue
        target = found.target or (found.targets[0] if found.refers_to_many else "")
        if not target or ("data", target) in facts.unread:
            continue
        for key in value if isinstance(value, list) else [value]:
            if isinstance(key, str) and key and key not in keys.get(target, ()):
                what = "user" if target == USER else f"record of '{target}' with the key"
                yield facts.no_such(what, key, keys.get(target, ()), at=document.at(*steps, field),
                                    code="data.reference")  # fmt: skip


def nodes_exist(
    facts: Facts, document: Document, here: Steps, options: Mapping[str, Any], approval: str
) -> Iterator[Problem]:
    """Where it is known which approval it is about."""
    found = next((one.built for one in facts.assembly.processes["approval"] if one.built.name == approval), None)
    if found is None:
        return
    known = {node.name for node in nodes_in(found.flow)}
    wanted = [(key, options[key]) for key in ("node", "to") if options.get(key)]
    wanted += [("chosen", node) for node in options.get("chosen") or ()]
    for key, node in wanted:
        if node not in known and not (key == "to" and node == "start"):
            yield facts.no_such("node", node, known, at=document.at(*here, key), code="scenario.node", within=approval)

"""Are automations sound: do they begin, can their conditions be read, do their steps fit, do they end?"""

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.assemble import Item
from metadata.build.automations import TRIGGERS, triggers_in
from metadata.build.parts import SPAN
from metadata.check.actions import names_before
from metadata.check.conditions import read
from metadata.check.endless import endless
from metadata.check.facts import Facts
from metadata.check.parts import named, parts_work
from metadata.check.roles import roles_exist
from metadata.cron import CronError, read_cron
from metadata.document import Document
from metadata.model import Field
from metadata.problem import Problem
from metadata.processes import EVENTS, EVENTS_OF_NO_RECORD, Automation
from metadata.zones import time_zones

__all__ = ["check"]

OF_SAVES = ("phase", "on", "becomes", "changed", "reentry")
WITHIN_SAVES = ("before_save", "after_save")
WITHOUT_RECORD = ("schedule", "webhook")
WITHOUT_USER = ("schedule", "date")


def check(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.processes["automation"]:
        yield from trigger_works(facts, item)
        yield from times_work(facts, item)
        yield from condition_works(facts, item)
        one = item.built
        yield from parts_work(
            facts, one.steps, "action", one.object, item.document, "do", package=item.package, phase=one.phase,
            has_body=one.has_body,
        )  # fmt: skip
        yield from deleted_rest(facts, item)
    yield from set_twice(facts)
    yield from endless(facts)


def trigger_works(facts: Facts, item: Item[Automation]) -> Iterator[Problem]:
    one, document = item.built, item.document
    data: Mapping[str, Any] = document.data
    triggers: list[str] = [*triggers_in(data)]
    for key in triggers[1:]:
        message = f"'{triggers[0]}' and '{key}' both say when, and an automation begins in one way"
        yield Problem(document.key(key), "automation.trigger", message, "make two automations")
    for key in OF_SAVES if triggers else ():
        if key in data:
            message = f"'{key}' is about saves, and this one begins by '{triggers[0]}'"
            yield Problem(document.key(key), "automation.trigger", message, f"leave out '{key}'")
    if "log" in data and one.phase not in WITHIN_SAVES:
        message = "'log' is about what runs within a save; of this one every run is kept"
        yield Problem(document.key("log"), "automation.trigger", message, "leave out 'log'")
    if one.becomes and not one.when:
        message = "'becomes' says that 'when' did not hold before, and there is no 'when'"
        yield Problem(document.key("becomes"), "automation.trigger", message, "add 'when'")
    yield from events_fit(item)
    if one.object and one.phase == "webhook":
        message = "a call is about no record, but 'object' says whose records it is about"
        fix = "leave out 'object'; name records by what came: update: {object: …, filter: number == record.body.number}"
        yield Problem(document.key("object"), "automation.trigger", message, fix)
    if one.object:
        yield from facts.object_exists(one.object, item.package, document.at("object"))
    elif one.phase not in WITHOUT_RECORD and not is_of_no_record(one):
        message = f"'{one.name}' does not say whose records it is about"
        yield Problem(document.at(), "automation.trigger", message, "add 'object'")
    if one.signature is not None and one.signature.id and not one.signature.timestamp:
        message = "'id' is signed together with 'timestamp', and there is no 'timestamp'"
        yield Problem(document.at("webhook", "signature", "id"), "automation.trigger", message, "say both, or none")
    is_nobodys = one.phase in WITHOUT_USER or "metadata.published" in one.on or one.signature is not None
    if one.run_as == "user" and is_nobodys:
        message = f"nobody sets '{one.name}' off, so it must say as whom it runs"
        yield Problem(document.at(), "automation.identity", message, "add 'run_as: ' and a user name")
    for index, name in enumerate(one.changed):
        yield from facts.path_exists(name, one.object, document.at("changed", index), most=1)
    if isinstance(data.get("button"), dict):
        yield from roles_exist(facts, one.roles, document, "button", "roles")


def events_fit(item: Item[Automation]) -> Iterator[Problem]:
    one, document = item.built, item.document
    if one.phase == "event" and not one.on:
        message = "'event' names nothing that happens, so this would never begin"
        yield Problem(document.at("event"), "automation.trigger", message, f"write one of {', '.join(EVENTS)}")
    for index, name in enumerate(one.on if one.phase == "event" else ()):
        if name not in EVENTS:
            at = document.at("event", index) if isinstance(document.data["event"], list) else document.at("event")
            message = f"nothing is announced as '{name[:60]}', so this would never begin"
            yield Problem(at, "automation.trigger", message, f"write one of {', '.join(EVENTS)}")
    if not is_of_no_record(one):
        return
    if not set(one.on) <= set(EVENTS_OF_NO_RECORD):
        message = "one of these events happens to a record, and another to none"
        yield Problem(document.at("event"), "automation.trigger", message, "make two automations")
    if one.object:
        message = f"'{one.on[0]}' is about no record, but 'object' says whose records it is about"
        fix = "leave out 'object', and ask for body.object in 'when'"
        yield Problem(document.key("object"), "automation.trigger", message, fix)


def is_of_no_record(one: Automation) -> bool:
    return one.phase == "event" and bool(set(one.on) & set(EVENTS_OF_NO_RECORD))


def times_work(facts: Facts, item: Item[Automation]) -> Iterator[Problem]:
    one, document = item.built, item.document
    if one.schedule:
        try:
            read_cron(one.schedule)
        except CronError as error:
            yield Problem(document.at("schedule"), "automation.time", str(error), "write 0 9 * * 1-5")
    if one.zone and one.zone not in time_zones():
        message = f"no time zone is called '{one.zone}'"
        yield Problem(document.at("zone"), "automation.time", message, "write it as Asia/Shanghai")
    if one.phase != "date":
        return
    offset = document.data["date"].get("offset")
    if offset is not None and not SPAN.fullmatch(offset):
        message = f"'{offset}' is no length of time"
        yield Problem(document.at("date", "offset"), "automation.time", message, "write -3 days")
    if one.calendar:
        yield from named(facts, "calendar", one.calendar, document, ("date", "calendar"))
    at = document.at("date", "field")
    yield from facts.path_exists(one.date, one.object, at)
    field = facts.field(one.date, one.object)
    if field is not None and not is_moment(field):
        message = f"'{one.date}' is a field of type '{field.type}'; a date or a moment that is stored is wanted"
        yield Problem(at, "automation.time", message)


def is_moment(field: Field) -> bool:
    return field.value in ("date", "datetime")


def condition_works(facts: Facts, item: Item[Automation]) -> Iterator[Problem]:
    one, document = item.built, item.document
    if one.when and (one.object in facts.objects or one.has_body):
        names = names_before(facts, one.steps, 0, facts.names(one.object or "*"), one.has_body)
        yield from read(facts, one.when, names, document.at("when"), has_prior=one.phase not in TRIGGERS)


def deleted_rest(facts: Facts, item: Item[Automation]) -> Iterator[Problem]:
    """That no step is about a record that is deleted: nothing that it sets would last."""
    one = item.built
    if one.phase == "event" or "delete" not in one.on:
        return
    for part in one.steps:
        kind = facts.parts.actions.get(part.kind)
        if kind is not None and kind.needs_record:
            message = f"'{kind.name}' is about the record, and of a deletion none is left"
            fix = "take 'delete' out of 'on', and make an automation of its own for deletions"
            yield Problem(part.place, "action.record", message, fix)


def set_twice(facts: Facts) -> Iterator[Problem]:
    """Of two rules before the save that set the same field at all times, the first is idle."""
    first: dict[tuple[str, str], str] = {}
    rules = [item for item in facts.assembly.processes["automation"] if item.built.phase == "before_save"]
    for item in sorted(rules, key=lambda item: (item.built.order, item.built.name)):
        for index, part in enumerate(item.built.steps):
            for name in part.options if part.kind == "set" and item.built.is_active else ():
                other = first.setdefault((item.built.object, name), item.built.name)
                if other != item.built.name:
                    at = place_of(item.document, index, name)
                    message = f"'{other}' sets '{name}' before the save, too; '{item.built.name}' wins where both do"
                    yield Problem(at, "automation.twice", message, "make one of the two", "warning")


def place_of(document: Document, index: int, name: str) -> Any:
    return document.key("do", index, "set", name)

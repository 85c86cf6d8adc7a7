"""Lookups: a reference to a record of one object, to several of them, to one of several objects."""

import re
from typing import TYPE_CHECKING, Any

from metadata.formula import Outer, definition_names, parse, walk
from metadata.model import Field, Object, say

if TYPE_CHECKING:
    from engine.snapshot import Snapshot
    from ui.visit import Visit

__all__ = ["any_reference", "lookup", "lowered", "references"]

SEPARATORS = re.compile(r"[;,\s]+")
EVERY = "*"
NOWHERE = "-"  # no object is called so
View = dict[str, Any]


def lookup(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    title = ""
    if view["value"]:
        known = view["titles"]
        found = visit.records.titles(field.target, [view["value"]]) if known is None else known
        title = found.get(view["value"], "")
        if not title and view["value"] == visit.ctx.actor.id:  # a role may read nobody; one knows oneself
            title = visit.ctx.actor.name or visit.ctx.actor.username
    target = visit.ctx.snapshot.definitions.objects[field.target]
    return {
        "title": title,
        "source": source(visit, target),
        "is_cut_off": bool(view["value"]) and not title,
        "placeholder": searching(visit, target),
        "new": "" if view["for_filter"] else new_record(visit, target),
        **filtering(visit, object_name, field, view),
    }


def references(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    """Records that this person may not see stay chosen, without a name."""
    target = visit.ctx.snapshot.definitions.objects[field.targets[0]]
    ids = [one for text in view["values"] for one in SEPARATORS.split(text) if one]
    titles = visit.records.titles(target.name, ids)
    unseen = visit.say("A record that you cannot see")
    return {
        "records": [{"id": one, "title": titles.get(one) or unseen} for one in dict.fromkeys(ids)],
        "source": source(visit, target),
        "placeholder": searching(visit, target),
        **filtering(visit, object_name, field, view),
    }


def any_reference(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    objects = visit.ctx.snapshot.definitions.objects
    names = list(objects) if EVERY in field.targets else [name for name in field.targets if name in objects]
    offered = [name for name in names if visit.ctx.scope.can("read", name) and objects[name].kind != "child"]
    held, _, record_id = view["value"].partition("/")
    title = visit.records.titles(held, [record_id]).get(record_id, "") if held in offered else ""
    first = held if held in offered else (offered or [""])[0]
    return {
        "title": title,
        "is_cut_off": bool(record_id) and not title,
        "source": f"/o/{first}/options",
        "objects": [
            {"name": name, "label": say(objects[name].label, visit.language), "is_chosen": name == first}
            for name in offered
        ],
    }


def source(visit: "Visit", target: Object) -> str:
    """Where what is offered comes from. Of an object that there is not for the person nothing does."""
    return f"/o/{target.name if visit.ctx.scope.can('read', target.name) else NOWHERE}/options"


def searching(visit: "Visit", target: Object) -> str:
    if not visit.ctx.scope.can("read", target.name):
        return visit.say("Search…")
    return visit.say("Search {objects}…", objects=lowered(say(target.plural, visit.language), visit.language))


def new_record(visit: "Visit", target: Object) -> str:
    """What a lookup says to make a record that is not there yet; "" for those who may not."""
    has_types = len([one for one in target.record_types if not one.is_retired]) > 1
    if not visit.ctx.scope.can("create", target.name) or target.kind or has_types:
        return ""
    return visit.say("New {object}", object=lowered(say(target.label, visit.language), visit.language))


def filtering(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    """Where a reference has a filter: which it is, and the fields of the form that the filter reads."""
    if not field.filter or view["for_filter"]:
        return {"of": "", "reads": ""}
    readable = visit.ctx.scope.readable(object_name)
    reads = [one for one in filter_reads(visit.ctx.snapshot, object_name, field) if one in readable]
    return {"of": f"{object_name}.{field.name}", "reads": " ".join(reads)}


def filter_reads(snapshot: "Snapshot", object_name: str, field: Field) -> tuple[str, ...]:
    key = ("ui.filter_reads", object_name, field.name)
    found: tuple[str, ...] | None = snapshot.cache.get(key)
    if found is None:
        objects = snapshot.definitions.objects
        here, there = (definition_names(objects, name) for name in (object_name, field.target or field.targets[0]))
        node = parse(field.filter, there, functions=snapshot.plugins.functions, outer=here)
        names = dict.fromkeys(part.path.steps[0] for part in walk(node) if isinstance(part, Outer))
        found = snapshot.cache[key] = tuple(names)
    return found


def lowered(text: str, language: str) -> str:
    """As it stands within an English sentence; "URL" and "WeChat group" stay."""
    return text[:1].lower() + text[1:] if language == "en" and text[1:2].islower() else text

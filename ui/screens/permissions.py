"""Roles, permission sets, sharing and rules as the definitions have them, and what one person may do. Shown only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from engine.access.explain import explain
from engine.access.inquiry import need_right, person_of
from engine.access.preview import Effect, Preview
from engine.access.preview_people import preview_person
from engine.errors import BadInput, Conflict, NotFound
from engine.people.users import list_users
from metadata.model import GRANTABLE, Action, Grant, Object, Role
from ui.access_words import action_text, field_access_text, source
from ui.screens.objects import head, object_of
from ui.screens.refusals import sentence as refusal_sentence
from ui.visit import Visit
from ui.widgets import widget_view

__all__ = ["permissions_page", "person_page", "preview_page", "role_page", "set_page"]

MOST_PEOPLE = 100
View = dict[str, Any]


def permissions_page(visit: Visit) -> Response:
    need_right(visit.ctx)
    definitions = visit.ctx.snapshot.definitions
    counts: dict[str, int] = {}
    for user in list_users(visit.ctx.tenant):
        for role in user.roles if user.is_active else ():
            counts[role] = counts.get(role, 0) + 1
    return visit.render(
        "permissions.html", title=visit.say("Permissions"), current="permissions",
        roles=[
            {**holder_head(visit, role, "role"), "people": visit.formats.number(counts.get(role.name, 0))}
            for role in definitions.roles.values()
        ],
        sets=[holder_head(visit, one, "set") for one in definitions.permission_sets.values()],
        objects=[
            sharing_view(visit, one) for one in definitions.objects.values()
            if not one.masters and visit.ctx.scope.can("read", one.name)
        ],
        shares=[
            {"label": visit.text(one.label), "object": object_label(visit, one.object), "rows": one.rows,
             "access": field_access_text(visit.say, one.access),
             "holders": [*labels(visit, one.roles), *one.departments, *one.teams]}
            for one in definitions.sharing_rules.values()
        ],
        restrictions=[
            {"label": visit.text(one.label), "object": object_label(visit, one.object), "rows": one.rows,
             "holders": labels(visit, one.roles), "spares": labels(visit, one.spares)}
            for one in definitions.restriction_rules.values()
        ],
    )  # fmt: skip


def holder_head(visit: Visit, one: Role, kind: str) -> View:
    return {
        "label": visit.text(one.label), "href": f"/setup/permissions/{kind}/{one.name}",
        "objects": "*" if any(grant.object == "*" for grant in one.grants) else str(len(one.grants)),
        "sets": [visit.text(known.label) for name in one.permission_sets
                 if (known := visit.ctx.snapshot.definitions.permission_sets.get(name))],
        "system": system_texts(visit, one.system),
    }  # fmt: skip


def labels(visit: Visit, roles: Iterable[str]) -> list[str]:
    known = visit.ctx.snapshot.definitions.roles
    return [visit.text(known[name].label) if name in known else name for name in roles]


def object_label(visit: Visit, name: str) -> str:
    known = visit.ctx.snapshot.definitions.objects.get(name)
    return visit.text(known.label) if known else name


def sharing_view(visit: Visit, one: Object) -> View:
    say = visit.say
    texts = {
        "private": say("Only the owner, and whom it is shared with"),
        "read": say("Everybody with the right sees all; others' records are not changed"),
        "edit": say("Everybody with the right sees and changes all"),
    }
    above = {"managers": say("managers"), "departments": say("heads of departments")}
    shown = "" if one.sharing == "edit" else say(", ").join(above[name] for name in one.hierarchy)
    return {**head(visit, one), "sharing": texts[one.sharing], "above": shown}


def system_texts(visit: Visit, names: Iterable[str]) -> list[str]:
    say = visit.say
    texts = {
        "*": say("All system permissions"), "manage_users": say("Manage people"),
        "manage_rights": say("Manage permissions"), "view_audit": say("See the audit log"),
        "manage_privacy": say("Manage personal data"),
        "publish": say("Publish definitions"), "unmask": say("Unmask values"),
        "act_for_others": say("Act for others"), "manage_settings": say("Manage settings"),
        "manage_processes": say("Manage approvals and automations"),
    }  # fmt: skip
    return [texts.get(name, name) for name in names]


def role_page(visit: Visit) -> Response:
    return holder_page(visit, "role")


def set_page(visit: Visit) -> Response:
    return holder_page(visit, "set")


def holder_page(visit: Visit, kind: str) -> Response:
    need_right(visit.ctx)
    definitions, name = visit.ctx.snapshot.definitions, visit.request.path_params["name"]
    one = (definitions.roles if kind == "role" else definitions.permission_sets).get(name)
    if one is None:
        raise NotFound(f"no {kind} '{name}'")
    rows = [grant_view(visit, grant) for grant in one.grants]
    people: Sequence[tuple[str, str]] = ()
    count = 0
    if kind == "role":
        holding = [user.id for user in list_users(visit.ctx.tenant) if user.is_active and name in user.roles]
        count = len(holding)
        people = sorted(visit.records.titles("user", holding[:MOST_PEOPLE]).items(), key=lambda pair: pair[1])
    return visit.render(
        "permission_holder.html", title=visit.text(one.label), current="permissions", is_role=kind == "role",
        columns=[action_text(visit.say, action) for action in GRANTABLE], rows=rows, people=people,
        count=visit.formats.number(count), more_people=max(0, count - MOST_PEOPLE), about=holder_head(visit, one, kind),
        used=[visit.text(role.label) for role in definitions.roles.values() if name in role.permission_sets]
        if kind == "set" else [],
    )  # fmt: skip


def grant_view(visit: Visit, grant: Grant) -> View:
    """A row of the matrix, with what limits it."""
    say, definition = visit.say, visit.ctx.snapshot.definitions.objects.get(grant.object)
    limits: list[tuple[str, str]] = []
    if grant.rows:
        limits.append((say("Only records that meet"), grant.rows))
    if grant.record_types and definition:
        known = {one.name: visit.text(one.label) for one in definition.record_types}
        limits.append((say("Record types"), say(", ").join(known.get(one, one) for one in grant.record_types)))
    if grant.reach:
        limits.append((say("Reach"), reach_text(visit, grant.reach)))
    fields: dict[str, list[str]] = {}
    for name, access in grant.fields.items():
        field = definition.fields.get(name) if definition else None
        label = say("all others") if name == "*" else visit.text(field.label) if field else name
        fields.setdefault(field_access_text(say, access), []).append(label)
    return {
        "object": say("All objects") if grant.object == "*" else object_label(visit, grant.object),
        "cells": [action in grant.actions for action in GRANTABLE],
        "words": say(", ").join(action_text(say, action) for action in GRANTABLE if action in grant.actions),
        "limits": limits, "fields": [(access, say(", ").join(names)) for access, names in fields.items()],
    }  # fmt: skip


def reach_text(visit: Visit, reach: str) -> str:
    say = visit.say
    texts = {
        "own": say("own records"), "department": say("the own department"),
        "department_and_below": say("the own department and those below"), "all": say("all records"),
    }  # fmt: skip
    return texts.get(reach, reach)


def person_page(visit: Visit) -> Response:
    return show_person(visit)


def preview_page(visit: Visit) -> Response:
    """What other roles would do. Nothing is changed."""
    roles = [one for one in visit.form.get("roles", ()) if one]
    user = visit.request.path_params["id"]
    held = places_of(visit, user)
    moved = {name: visit.sent(name) or None for name in held if name in visit.form}
    changes = {"roles": roles, **{name: to for name, to in moved.items() if to != held[name]}}
    try:
        found = preview_person(visit.ctx, user, changes)
    except (BadInput, Conflict) as refusal:
        return show_person(visit, roles, notice=refusal_sentence(visit, None, refusal), status=422)
    return show_person(visit, roles, found)


def places_of(visit: Visit, user: str) -> dict[str, str | None]:
    """The person's department and manager, of what the asker may see of these."""
    readable = visit.ctx.scope.readable("user")
    names = [
        name for name in ("department", "manager")
        if name in readable and not readable[name].is_masked and visit.ctx.scope.can("read", readable[name].target)
    ]  # fmt: skip
    row = visit.records.get_row("user", user, names) if names else {}
    return {name: row.get(name) for name in names}


def place_fields(visit: Visit, held: Mapping[str, str | None]) -> list[View]:
    fields = visit.ctx.snapshot.definitions.objects["user"].fields
    return [
        {**widget_view(visit, "user", replace(fields[name], help={}, is_read_only=False), value,
                       sent=[visit.sent(name)] if name in visit.form else None), "new": ""}
        for name, value in held.items()
    ]  # fmt: skip


def show_person(
    visit: Visit, chosen: Sequence[str] | None = None, found: Preview | None = None, notice: str = "", status: int = 200
) -> Response:
    user = visit.request.path_params["id"]
    standing = person_of(visit.ctx, user)
    definition, person = object_of(visit, "user"), standing.context
    held = person.actor.roles if chosen is None else chosen
    return visit.render(
        "person_access.html", status, title=visit.say("What may they do?"), object=head(visit, definition),
        name=visit.records.titles("user", [user])[user], address=f"/o/user/{user}", page=f"/setup/people/{user}/access",
        current=("user", "", "any"), is_active=standing.is_active, notice=notice,
        rows=[row for row in (object_view(visit, person, one) for one in
              visit.ctx.snapshot.definitions.objects.values()) if row],
        system=system_texts(visit, sorted(person.scope.system)),
        roles=[
            {"name": role.name, "label": visit.text(role.label), "is_held": role.name in held,
             "was": role.name in person.actor.roles}
            for role in visit.ctx.snapshot.definitions.roles.values()
        ],
        places=place_fields(visit, places_of(visit, user)),
        preview=preview_view(visit, found) if found is not None else None,
    )  # fmt: skip


def object_view(visit: Visit, person: Any, definition: Object) -> View | None:
    """What the person may do with an object, and from where each right comes; None for one that the asker, or the
    person, does not know."""
    scope = person.scope
    if not visit.ctx.scope.can("read", definition.name):
        return None
    actions: list[Action] = [
        one for one in GRANTABLE if one not in ("view_all", "modify_all") and scope.can(one, definition.name)
    ]
    if not actions:
        return None
    by: dict[tuple[Markup, ...], list[str]] = {}
    for action in actions:
        for way in explain(visit.ctx, person, definition.name, "", action).ways:
            by.setdefault(tuple(source(visit, step) for step in way.steps), []).append(action_text(visit.say, action))
    hidden = [
        visit.text(field.label) for name, field in definition.fields.items()
        if name in visit.ctx.scope.readable(definition.name) and name not in scope.readable(definition.name)
    ] if scope.can("read", definition.name) else []  # fmt: skip
    masked = [
        visit.text(field.label)
        for name, field in scope.readable(definition.name).items()
        if field.is_masked and name in visit.ctx.scope.readable(definition.name)
    ]
    return {
        **head(visit, definition),
        "actions": [action_text(visit.say, one) for one in actions],
        "sources": [{"actions": visit.say(", ").join(words), "from": lines[0], "limits": lines[1:]}
                    for lines, words in by.items()],
        "hidden": visit.say(", ").join(hidden), "masked": visit.say(", ").join(masked),
    }  # fmt: skip


def preview_view(visit: Visit, found: Preview) -> View:
    return {
        "rows": [effect_view(visit, one) for one in found.effects],
        "more": visit.formats.number(found.more) if found.more else "",
        "uncounted": bool(found.uncounted),
    }


def effect_view(visit: Visit, one: Effect) -> View:
    say, definition = visit.say, visit.ctx.snapshot.definitions.objects[one.object]
    names = visit.say(", ").join(name or say("A person that you cannot see") for _, name in one.people)
    if one.count > len(one.people):
        names = say("{names} and {count} more", names=names, count=one.count - len(one.people))
    values = {"objects": visit.text(definition.plural)}
    return {
        "people": names,
        "what": say("sees {objects}", **values) if one.action == "read" else say("changes {objects}", **values),
        "gained": visit.formats.number(one.gained) if one.gained else "",
        "lost": visit.formats.number(one.lost) if one.lost else "",
        "gains": examples(visit, one.gains), "losses": examples(visit, one.losses),
    }  # fmt: skip


def examples(visit: Visit, pairs: Sequence[tuple[str, str]]) -> str:
    return visit.say(", ").join(title or visit.say("Untitled") for _, title in pairs)

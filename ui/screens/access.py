"""Who can see a record, and why somebody may do something to it: for those who manage rights."""

from typing import Any

from starlette.responses import Response

from engine.access.explain import Explanation
from engine.access.explain_fields import FIELD_ACTIONS
from engine.access.inquiry import ACTIONS, Audience, ask, ask_field, may_ask, need_right, who_sees
from engine.errors import NotFound
from metadata.model import SYSTEM_FIELDS, Field, Object
from ui.access_words import action_text, sentences
from ui.screens.objects import head, object_of
from ui.visit import Visit, with_query
from ui.widgets import widget_view

__all__ = ["access_page", "offer_access"]

NOT_ASKED = ("create", "import")  # of a record that is there


def access_page(visit: Visit) -> Response:
    need_right(visit.ctx)
    params = visit.request.path_params
    definition, record_id = object_of(visit, params["object"]), params["id"]
    if not visit.records.titles(definition.name, [record_id]):
        raise NotFound(f"no record '{record_id}'")
    title = visit.records.titles(definition.name, [record_id])[record_id]
    sent = {name: visit.request.query_params.get(name, "")[:100] for name in ("person", "action", "field", "after")}
    actions = [one for one in ACTIONS if one not in NOT_ASKED]
    action = sent["action"] if sent["action"] in (*actions, "edit") else "read"
    person = Field("person", "reference", {"en": visit.say("Person")}, is_required=True, target="user")
    chosen = [sent["person"]] if sent["person"] else None
    address = f"/o/{definition.name}/{record_id}"
    return visit.render(
        "access.html", title=visit.say("Who can see this?"), object=head(visit, definition), record_title=title,
        address=address, current=(definition.name, "", "any"),
        w=widget_view(visit, "user", person, None, sent=chosen),
        actions=[(one, action_text(visit.say, one)) for one in actions], action=action,
        fields=fields_of(visit, definition), field=sent["field"],
        answer=answer_of(visit, definition.name, record_id, {**sent, "action": action}) if chosen else None,
        viewers=viewers_view(visit, address, who_sees(visit.ctx, definition.name, record_id, sent["after"])),
    )  # fmt: skip


def fields_of(visit: Visit, definition: Object) -> list[tuple[str, str]]:
    return [
        (name, visit.text(field.label)) for name, field in visit.ctx.scope.readable(definition.name).items()
        if name not in SYSTEM_FIELDS
    ]  # fmt: skip


def answer_of(visit: Visit, object_name: str, record_id: str, sent: dict[str, str]) -> dict[str, Any]:
    """What is shown of an explanation. Of a field the action is read as one of a field."""
    user = sent["person"]
    name = visit.records.titles("user", [user]).get(user, "")
    if sent["field"]:
        of_field = {"read": "see", "update": "edit"}.get(sent["action"], sent["action"])
        of_field = of_field if of_field in FIELD_ACTIONS else "see"
        field = ask_field(visit.ctx, user, object_name, record_id, of_field, sent["field"])
        view = explanation_view(visit, field.record) if not field.record.is_allowed else {"ways": [], "missing": []}
        view |= {"is_allowed": field.is_allowed, "field": sentences(visit, field.reasons)}
    else:
        view = explanation_view(visit, ask(visit.ctx, user, object_name, record_id, sent["action"]))
    return {**view, "person": name, "access": f"/setup/people/{user}/access"}


def explanation_view(visit: Visit, found: Explanation) -> dict[str, Any]:
    missing = sentences(visit, found.missing)
    for need in found.needs:
        if not need.is_allowed:
            missing += sentences(visit, need.missing)
    missing = list(dict.fromkeys(missing))
    ways = [sentences(visit, way.steps) for way in found.ways] if found.is_allowed else []
    return {"is_allowed": found.is_allowed, "ways": ways, "missing": missing, "field": []}


def viewers_view(visit: Visit, address: str, found: Audience) -> dict[str, Any]:
    rows = [
        {
            "id": one.user, "name": one.name, "reasons": sentences(visit, one.reasons), "may_update": one.may_update,
            "href": with_query(f"{address}/access", [("person", one.user)]),
        }
        for one in found.viewers
    ]  # fmt: skip
    more = with_query(f"{address}/access", [("after", found.after)]) if found.after else ""
    return {"rows": rows, "more": more}


def offer_access(visit: Visit, object_name: str, record_id: str) -> list[dict[str, str]]:
    """Links for the menu of a record."""
    if not may_ask(visit.ctx):
        return []
    links = [{"href": f"/o/{object_name}/{record_id}/access", "icon": "eye", "label": visit.say("Who can see this?")}]
    if object_name == "user":
        rights = {"href": f"/setup/people/{record_id}/access", "icon": "key", "label": visit.say("What may they do?")}
        links.append(rights)
    return links

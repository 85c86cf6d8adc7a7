"""The personal data of one person: taken out as a file, and erased after what that does was shown and confirmed."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from engine.api.files import FileResponse
from engine.api.privacy import archive_of
from engine.errors import Conflict, NotFound
from engine.privacy.erase import erase
from engine.privacy.foresight import Foreseen, foresee
from engine.privacy.subject import may_handle_privacy, need_privacy, subjects
from metadata.model import Object
from ui.columns import field_of
from ui.screens.objects import head, object_of
from ui.screens.refusals import sentence
from ui.visit import Visit

__all__ = ["erase_person", "export_person", "offer_privacy", "privacy_page"]


def offer_privacy(visit: Visit, object_name: str, record_id: str) -> str:
    """The way there from a record's page; "" for records about no person, and for who may not handle them."""
    is_offered = may_handle_privacy(visit.ctx) and object_name in subjects(visit.ctx.snapshot)
    return f"/o/{object_name}/{record_id}/privacy" if is_offered else ""


def privacy_page(visit: Visit) -> Response:
    return show(visit, *of_person(visit))


def export_person(visit: Visit) -> Response:
    definition, record_id, _ = of_person(visit)
    return FileResponse(archive_of(visit.ctx, definition.name, record_id))


def erase_person(visit: Visit) -> Response:
    definition, record_id, name = of_person(visit)
    if " ".join(visit.sent("confirm").split()) != name:
        return show(visit, definition, record_id, name, 422, visit.say("Type the name as it stands above."))
    try:
        done = erase(visit.ctx, definition.name, record_id)
    except Conflict as refusal:
        return show(visit, definition, record_id, name, 409, notice=sentence(visit, definition, refusal))
    toast = {"code": "person_erased", "count": visit.formats.number(done.records)}
    return visit.go(f"/o/{definition.name}/{record_id}", toast)


def of_person(visit: Visit) -> tuple[Object, str, str]:
    """The record, and the name that confirms. Raises NotFound for what this person does not read, and Forbidden."""
    definition, record_id = object_of(visit, visit.request.path_params["object"]), visit.request.path_params["id"]
    titles = visit.records.titles(definition.name, [record_id])
    if record_id not in titles:
        raise NotFound(f"no record '{record_id[:60]}'")
    need_privacy(visit.ctx)
    return definition, record_id, " ".join(titles[record_id].split()) or record_id


def show(
    visit: Visit, definition: Object, record_id: str, name: str, status: int = 200, error: str = "", notice: str = ""
) -> Response:  # fmt: skip
    told = foresee(visit.ctx, definition.name, record_id)
    return visit.render(
        "privacy.html", status, title=visit.say("Personal data"), object=head(visit, definition), name=name,
        address=f"/o/{definition.name}/{record_id}", current=(definition.name, "", "any"), error=error, notice=notice,
        typed=visit.sent("confirm"), is_active=told.is_active, is_user=definition.name == "user",
        erased=[row_view(visit, one, told.fields[one], told.records[one]) for one in told.fields],
        kept=kept_view(visit, told),
    )  # fmt: skip


def row_view(visit: Visit, object_name: str, names: Sequence[str], count: int) -> dict[str, Any]:
    definition = visit.ctx.snapshot.definitions.objects[object_name]
    return {
        "object": visit.text(definition.plural), "icon": definition.icon, "count": visit.formats.number(count),
        "fields": [visit.text(field.label) for one in names if (field := field_of(definition, one))],
    }  # fmt: skip


def kept_view(visit: Visit, told: Foreseen) -> list[dict[str, str]]:
    """What stays, and why."""
    say, number = visit.say, visit.formats.number
    objects: Mapping[str, Object] = visit.ctx.snapshot.definitions.objects
    found = [
        {
            "what": f"{visit.text(objects[name].label)} · {visit.text(objects[name].fields[field].label)}",
            "why": say("It must have a value, and no text can stand in its place."),
        }
        for name, fields in told.kept.items() for field in fields
    ]  # fmt: skip
    if told.comments:
        found.append({
            "what": say("{count} comments in approvals", count=number(told.comments)),
            "why": say("They explain decisions, which the law asks companies to keep. An export has them."),
        })  # fmt: skip
    for name, count in told.mentions.items():
        found.append({
            "what": f"{visit.text(objects[name].plural)} · {number(count)}",
            "why": say("They refer to this person, and are about others."),
        })  # fmt: skip
    found.append({
        "what": say("All other fields"),
        "why": say("They are not declared personal. Look whether somebody typed something personal into them."),
    })  # fmt: skip
    found.append({
        "what": say("The entry in the audit log"),
        "why": say("It says who erased what and when, and holds no value."),
    })  # fmt: skip
    found.append({"what": say("Backups"), "why": say("An erasure does not reach them.")})
    return found

"""A button that is pressed for several records picked in a list: what became of each."""

from collections.abc import Sequence

from starlette.responses import Response

from engine.errors import BadInput, EngineError, Forbidden, InputProblem, NotFound
from engine.process.automation import desk
from metadata.model import Object
from ui.screens.objects import head
from ui.screens.refusals import sentence
from ui.visit import Visit, asked_for

__all__ = ["press_several", "refused", "title_of"]


def press_several(visit: Visit, definition: Object, name: str, ids: Sequence[str], address: str) -> Response:
    """Each by itself. Where one is refused, a page says which were done, and why the others were not. `address`: of the
    list, to go back to."""
    if len(ids) > desk.MOST_PRESSED:
        picked, most = visit.formats.number(len(ids)), visit.formats.number(desk.MOST_PRESSED)
        message = visit.say("{count} are picked: at most {most} at once.", count=picked, most=most)
        raise BadInput(
            message,
            code="automation.records",
            problems=[InputProblem("", "automation.records", message, is_worded=True)],
        )
    found = desk.press_many(visit.ctx, definition.name, ids, name)
    forbidden = next((one.error for one in found if isinstance(one.error, Forbidden)), None)
    if forbidden is not None:  # the first stands for all of this request
        visit.site.refusals.note(visit.ctx, forbidden, asked_for(visit.request))
    title, failed = title_of(visit, name), [one for one in found if one.error is not None]
    count = visit.formats.number(len(found) - len(failed))
    if not failed:
        waits = any(one.run is not None and one.run.state == "waiting" for one in found)
        code = "button_many_waits" if waits else "button_many"
        return visit.go(address, {"code": code, "title": title, "count": count})
    titles = visit.records.titles(definition.name, [one.record for one in found])
    return visit.render(
        "pressed.html", title=title, object=head(visit, definition), current=(definition.name, "", "any"),
        done=count, failed=visit.formats.number(len(failed)), address=address,
        rows=[
            {
                "href": f"/o/{definition.name}/{one.record}" if one.record in titles else "",
                "title": titles.get(one.record) or visit.say("Untitled"),
                "why": refused(visit, definition, one.error) if one.error is not None else "",
            }
            for one in sorted(found, key=lambda one: one.error is None)  # what failed comes first
        ],
    )  # fmt: skip


def title_of(visit: Visit, name: str) -> str:
    rule = visit.ctx.snapshot.definitions.processes.automations[name]
    return visit.text(rule.button) or visit.text(rule.label)


def refused(visit: Visit, definition: Object, refusal: EngineError) -> str:
    if isinstance(refusal, NotFound):
        return visit.say("It may have been deleted, or you may not see it.")
    if isinstance(refusal, Forbidden):
        return visit.say("Your roles do not allow it. An administrator can change that.")
    if refusal.code == "automation.condition":
        return visit.say("This is not possible for the record as it is now.")
    return sentence(visit, definition, refusal)

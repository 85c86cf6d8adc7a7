"""Templates of mails and notifications: which there are, and how one reads for a record, as a person would get it."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from engine.errors import BadInput, EngineError, NotFound
from engine.process import templates
from engine.process.templates import Rendered
from engine.richtext import safe_html
from metadata.model import Field
from metadata.processes import Automation, Template
from ui.screens.setup import need_processes, setup_tabs
from ui.texts import LANGUAGES
from ui.visit import Visit
from ui.widgets import widget_view

__all__ = ["template_page", "templates_page"]

RECORD = "record"
View = dict[str, Any]


def templates_page(visit: Visit) -> Response:
    need_processes(visit)
    known = visit.ctx.snapshot.definitions.processes.templates.values()
    return visit.render(
        "templates.html", title=visit.say("Templates"), current="setup", tabs=setup_tabs(visit, "templates"),
        templates=[line_view(visit, one) for one in sorted(known, key=lambda one: visit.text(one.label))],
    )  # fmt: skip


def line_view(visit: Visit, one: Template) -> View:
    definition = visit.ctx.snapshot.definitions.objects.get(one.object)
    return {
        "name": one.name, "label": visit.text(one.label), "subject": visit.text(one.subject),
        "object": visit.text(definition.label) if definition is not None else "", "is_html": one.is_html,
        "href": f"/setup/templates/{one.name}",
        "languages": [LANGUAGES.get(name, name) for name in sorted({*one.subject, *one.body})],
    }  # fmt: skip


def template_page(visit: Visit) -> Response:
    """A record is chosen by the address: a preview changes nothing."""
    need_processes(visit)
    name = visit.request.path_params["name"]
    template = visit.ctx.snapshot.definitions.processes.templates.get(name)
    if template is None:
        raise NotFound(f"no template '{name}'")
    record = visit.request.query_params.get(RECORD, "")
    made, error = preview(visit, template, record)
    return visit.render(
        "template.html", 200 if not error else 422, title=visit.text(template.label), current="setup",
        one=line_view(visit, template), w=picker(visit, template, record, error), error=error,
        made=made_view(made) if made is not None else None,
        sources=[
            {"label": LANGUAGES.get(one, one), "subject": template.subject.get(one, ""), "body": body}
            for one, body in template.body.items()
        ],
        used=list(used_by(visit, template.name)),
    )  # fmt: skip


def preview(visit: Visit, template: Template, record: str) -> tuple[Rendered | None, str]:
    """As the person who asks would read it; what is wrong instead."""
    if template.object and not record:
        return None, ""
    ctx = visit.ctx
    try:
        if template.object:
            visit.records.get_row(template.object, record, ("id",))
        link = f"{visit.site.config.base_url}/o/{template.object}/{record}" if template.object else ""
        with ctx.tenant.database.read() as connection:
            made = templates.render(ctx, connection, template.name, template.object, record, ctx, {"link": link})
    except (NotFound, BadInput) as refusal:
        is_unseen = isinstance(refusal, NotFound)
        return None, visit.say("There is no such record, or you may not see it") if is_unseen else str(refusal)
    except EngineError as refusal:
        return None, str(refusal)
    return made, ""


def made_view(made: Rendered) -> View:
    # A page of ours shows of a mail what a rich text may hold.
    html = Markup(safe_html(made.html)) if made.html else ""  # noqa: S704 - safe_html() lets through what is harmless
    return {"subject": made.subject, "text": made.text, "html": html}


def picker(visit: Visit, template: Template, record: str, error: str) -> View | None:
    definition = visit.ctx.snapshot.definitions.objects.get(template.object)
    if definition is None or not visit.ctx.scope.can("read", template.object):
        return None
    field = Field(RECORD, "reference", definition.label, target=template.object)
    view = widget_view(visit, template.object, field, None, sent=[record] if record else None, error=error)
    return {**view, "label": visit.text(definition.label), "new": ""}


def used_by(visit: Visit, name: str) -> Iterator[View]:
    """Automations and approvals that write with it."""
    processes = visit.ctx.snapshot.definitions.processes
    for rule in processes.automations.values():
        if uses(visit, rule, name):
            yield {"label": visit.text(rule.label), "href": f"/setup/automations/{rule.name}", "icon": "bolt"}
    for one in processes.approvals.values():
        if name in one.notify.values():
            yield {"label": visit.text(one.label), "href": "/setup/approvals", "icon": "user-check"}


def uses(visit: Visit, rule: Automation, name: str) -> bool:
    actions = visit.ctx.snapshot.plugins.actions
    for part in rule.steps:
        action = actions.get(part.kind)
        refers: Mapping[str, str] = action.refers if action is not None else {}
        if any(what == "template" and part.options.get(option) == name for option, what in refers.items()):
            return True
    return False

"""Automations: what each does, when, and how its runs went."""

from typing import Any

from starlette.responses import Response

from engine.errors import NotFound
from engine.process.automation.overview import Lately, runs_lately
from metadata.processes import Automation
from ui.process_words import condition_facts, phase_icon, step_view, trigger_text
from ui.screens.setup import need_processes, setup_tabs
from ui.visit import Visit

__all__ = ["automation_of", "automations_page", "flow_view", "line_view", "object_view"]

TONES = {"before_save": "teal", "after_save": "indigo", "after_commit": "indigo", "schedule": "orange",
         "date": "orange", "webhook": "azure", "button": "purple", "event": "pink"}  # fmt: skip
View = dict[str, Any]


def automations_page(visit: Visit) -> Response:
    need_processes(visit)
    rules = visit.ctx.snapshot.definitions.processes.automations.values()
    lately = runs_lately(visit.ctx)
    groups: dict[str, list[View]] = {}
    for rule in sorted(rules, key=lambda one: (one.order, visit.text(one.label))):
        groups.setdefault(rule.object, []).append(line_view(visit, rule, lately.get(rule.name)))
    return visit.render(
        "automations.html", title=visit.say("Automations"), current="setup", tabs=setup_tabs(visit, "automations"),
        groups=sorted(
            ({**object_view(visit, name), "rules": views} for name, views in groups.items()),
            key=lambda group: (not group["name"], group["label"]),
        ),
        count=len(rules),
    )  # fmt: skip


def object_view(visit: Visit, name: str) -> View:
    definition = visit.ctx.snapshot.definitions.objects.get(name)
    if definition is None:
        return {"name": "", "label": visit.say("Of no object"), "icon": "bolt", "color": "gray"}
    return {"name": name, "label": visit.text(definition.plural), "icon": definition.icon, "color": definition.color}


def line_view(visit: Visit, rule: Automation, lately: Lately | None = None) -> View:
    return {
        "name": rule.name, "label": visit.text(rule.label), "href": f"/setup/automations/{rule.name}",
        "icon": phase_icon(rule), "tone": TONES.get(rule.phase, "gray"), "trigger": trigger_text(visit, rule),
        "facts": condition_facts(visit, rule), "is_active": rule.is_active,
        "failed": lately.failed if lately is not None else 0, "waiting": lately.waiting if lately is not None else 0,
        "last": visit.formats.ago(lately.last_at, visit.ctx.now) if lately is not None else "",
    }  # fmt: skip


def automation_of(visit: Visit) -> Automation:
    """Raises Forbidden, NotFound."""
    need_processes(visit)
    name = visit.request.path_params["name"]
    rule = visit.ctx.snapshot.definitions.processes.automations.get(name)
    if rule is None:
        raise NotFound(f"no automation '{name}'")
    return rule


def flow_view(visit: Visit, rule: Automation) -> list[View]:
    """Cards from top to bottom: what sets it off, the condition, each step."""
    start: View = {
        "icon": phase_icon(rule), "tone": "slate", "title": visit.say("Start"), "doc": trigger_text(visit, rule),
        "facts": [], "when": "",
    }  # fmt: skip
    cards = [start]
    if facts := condition_facts(visit, rule):
        cards.append({"icon": "filter", "tone": "teal", "title": visit.say("Only if"), "doc": "", "facts": facts,
                      "when": ""})  # fmt: skip
    return [*cards, *(step_view(visit, part, rule.object) for part in rule.steps)]

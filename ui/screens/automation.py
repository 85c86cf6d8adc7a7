"""One automation: its steps from top to bottom, and how its runs went."""

from typing import Any

from starlette.responses import Response

from engine.errors import BadInput
from engine.process.automation import desk, hooks
from engine.process.automation.overview import runs_lately
from metadata.processes import Automation
from ui.screens.automations import automation_of, flow_view, line_view, object_view
from ui.screens.runs import run_lines, state_text
from ui.visit import Visit, with_query

__all__ = ["automation_page", "set_secret"]

PAGE = 20
FORMER_HOURS = 24  # for which the secret before works on, where somebody wants that
STATES = ("failed", "waiting", "done")
IN_THE_SAVE = ("before_save", "after_save")  # such have no jobs: the save carries them out


def automation_page(visit: Visit, status: int = 200, made: str = "", problem: str = "") -> Response:
    """`made`: a secret, to be shown this once; `problem`: what was wrong with one that was given."""
    rule = automation_of(visit)
    asked, address = visit.request.query_params, f"/setup/automations/{rule.name}"
    state = asked.get("state", "") if asked.get("state") in STATES else ""
    found = desk.list_runs(visit.ctx, automation=rule.name, state=state, before=asked.get("cursor", ""), limit=PAGE)
    lately = runs_lately(visit.ctx, rule.name).get(rule.name)
    counts = {"failed": lately.failed, "waiting": lately.waiting} if lately is not None else {}
    kept = [("state", state)] if state else []
    return visit.render(
        "automation.html", status, title=visit.text(rule.label), current="setup", rule=line_view(visit, rule, lately),
        object=object_view(visit, rule.object), about=visit.text(rule.description), flow=flow_view(visit, rule),
        runs_as=visit.say("whoever sets it off") if rule.run_as == "user" else rule.run_as,
        runs=run_lines(visit, found.runs, rule.name), state=state, is_in_save=rule.phase in IN_THE_SAVE,
        kept=kept_text(visit, rule),
        states=[
            {"label": label, "href": with_query(address, [("state", name)] if name else []) + "#runs",
             "is_chosen": name == state, "count": counts.get(name)}
            for name, label in [("", visit.say("All")), *((one, state_text(visit, one)) for one in states_of(rule))]
        ] if states_of(rule) else [],
        more=with_query(address, [*kept, ("cursor", found.next)]) + "#runs" if found.next else "",
        may_rehearse=may_rehearse(visit, rule), hook=hook_view(visit, rule, made, problem),
    )  # fmt: skip


def set_secret(visit: Visit) -> Response:
    """The one that the sender shows, or one that is made here."""
    rule = automation_of(visit)
    given = "" if visit.sent("make") else visit.sent("secret").strip()
    if not given and not visit.sent("make"):
        return automation_page(visit, 422, problem=visit.say("Give the secret that the sender shows, or make one."))
    try:
        made = hooks.set_secret(visit.ctx, rule.name, given, FORMER_HOURS if visit.sent("former") else 0)
    except BadInput:
        wrong = visit.say("A secret has {least} to {most} characters.", least=hooks.SHORTEST, most=hooks.LONGEST)
        return automation_page(visit, 422, problem=wrong)
    return automation_page(visit, made=made) if made else visit.go(f"/setup/automations/{rule.name}#hook")


def hook_view(visit: Visit, rule: Automation, made: str, problem: str) -> dict[str, Any] | None:
    """Where it is called from outside."""
    if rule.phase != "webhook":
        return None
    base = visit.site.config.base_url
    if rule.signature is None:
        return {"address": f"{base}/api/v1/hooks/{rule.name}", "is_signed": False}
    at, former_until = hooks.secret_set_at(visit.ctx, rule.name) or (None, None)
    is_former = former_until is not None and former_until > visit.ctx.now
    return {
        "address": f"{base}/api/v1/hooks/{rule.name}/signed", "is_signed": True, "made": made, "problem": problem,
        "header": rule.signature.header,
        "state": visit.say("The secret was set {ago}.", ago=visit.formats.ago(at, visit.ctx.now)) if at else
        visit.say("There is no secret yet: calls are refused."), "is_set": at is not None,
        "former": visit.say("The one before works until {moment}.", moment=visit.formats.datetime(former_until))
        if is_former else "",
    }  # fmt: skip


def states_of(rule: Automation) -> tuple[str, ...]:
    """In which its runs may be listed; () where all are in one. What is a part of a save never waits."""
    if rule.phase not in IN_THE_SAVE:
        return STATES
    return ("failed", "done") if rule.log == "all" else ()


def kept_text(visit: Visit, rule: Automation) -> str:
    """Which of the runs that are part of a save are listed."""
    say = visit.say
    texts = {
        "failures": say("Only runs that failed are listed here."),
        "all": say("All runs are listed here, because its definition says 'log: all'."),
        "none": say("No run is listed here, because its definition says 'log: none'."),
    }
    return texts[rule.log]


def may_rehearse(visit: Visit, rule: Automation) -> bool:
    """On a record that one may read."""
    return not rule.object or rule.has_body or visit.ctx.scope.can("read", rule.object)

"""Jobs: what waits to be done, what could not be done and why, doing it again or giving it up."""

from typing import Any

from starlette.responses import Response

from engine.errors import Conflict
from engine.jobs import admin, overview
from engine.jobs.admin import JobSeen
from ui.screens.setup import need_processes, setup_tabs
from ui.visit import Visit, with_query

__all__ = ["discard", "jobs_page", "kind_text", "try_again"]

PAGE = 50
TONES = {"waiting": "azure", "leased": "indigo", "done": "green", "parked": "red", "discarded": "gray"}


def jobs_page(visit: Visit, notice: str = "", status: int = 200) -> Response:
    """Those that are parked come first: somebody has to look at them."""
    need_processes(visit)
    asked = visit.request.query_params
    state, kind = asked.get("state", "parked"), asked.get("kind", "")
    state = state if state in (*admin.STATES, "all") else "parked"
    found, following = admin.list_jobs(
        visit.ctx, state="" if state == "all" else state, kind=kind, limit=PAGE, cursor=asked.get("cursor", "")
    )
    kinds = overview.kinds_of_jobs(visit.ctx)
    shown = [one for one in kinds if not kind or one.kind == kind]
    counts = {"parked": sum(one.parked for one in shown), "waiting": sum(one.waiting for one in shown)}
    kept = [("state", state), *([("kind", kind)] if kind else [])]
    return visit.render(
        "jobs.html", status, title=visit.say("Jobs"), current="setup", tabs=setup_tabs(visit, "jobs"), notice=notice,
        states=[
            {"name": name, "label": label, "is_chosen": name == state, "href": address(name, kind),
             "count": visit.formats.number(counts[name]) if counts.get(name) else ""}
            for name, label in state_texts(visit).items() if name != "leased"
        ],
        kinds=[
            {"name": one.kind, "label": kind_text(visit, one.kind), "waiting": one.waiting, "parked": one.parked,
             "done": visit.formats.number(one.done), "is_chosen": one.kind == kind,
             "href": address(state, "" if one.kind == kind else one.kind)}
            for one in kinds
        ],
        jobs=[job_view(visit, one) for one in found], state=state, kind=kind,
        more=with_query("/setup/jobs", [*kept, ("cursor", following)]) if following else "", back=address(state, kind),
    )  # fmt: skip


def address(state: str, kind: str) -> str:
    return with_query("/setup/jobs", [("state", state), *([("kind", kind)] if kind else [])])


def state_texts(visit: Visit) -> dict[str, str]:
    say = visit.say
    return {
        "parked": say("Parked"), "waiting": say("Waiting"), "leased": say("Being done"), "done": say("Completed"),
        "discarded": say("Discarded"), "all": say("All"),
    }  # fmt: skip


def kind_text(visit: Visit, kind: str) -> str:
    """Of a kind that is not known here its name."""
    say = visit.say
    texts = {
        "mail": say("Mails"), "mail.reset": say("Links for passwords"), "webhook": say("Calls of other systems"),
        "notice": say("Notifications"), "automation.run": say("Runs of automations"),
        "approval.timer": say("Deadlines of approvals"), "approval.delay": say("Delays of approvals"),
    }  # fmt: skip
    return texts.get(kind, kind)


def job_view(visit: Visit, one: JobSeen) -> dict[str, Any]:
    formats, now = visit.formats, visit.ctx.now
    label = kind_text(visit, one.kind)
    return {
        "id": one.id, "label": label, "kind": "" if label == one.kind else one.kind, "key": one.key,
        "state": state_texts(visit)[one.state], "tone": TONES[one.state], "error": one.error, "tries": one.tries,
        "made": formats.ago(one.created_at, now), "made_at": formats.datetime(one.created_at),
        "due": formats.datetime(one.due_at) if one.state == "waiting" and one.due_at > now else "",
        "ended": formats.datetime(one.done_at) if one.done_at else "",
        "may_try": one.state in ("waiting", "parked", "discarded"), "may_discard": one.state in ("waiting", "parked"),
    }  # fmt: skip


def try_again(visit: Visit) -> Response:
    return change(visit, "again")


def discard(visit: Visit) -> Response:
    return change(visit, "discard")


def change(visit: Visit, what: str) -> Response:
    need_processes(visit)
    job = visit.request.path_params["id"]
    try:
        (admin.replay if what == "again" else admin.discard)(visit.ctx, job)
    except Conflict:
        return jobs_page(visit, visit.say("This job has gone on meanwhile: look at the list again."), 409)
    back = address(visit.sent("state") or "parked", visit.sent("kind"))
    return visit.go(back, {"code": "job_again" if what == "again" else "job_discarded"})

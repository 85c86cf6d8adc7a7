"""One run of an automation: what went into it, what each step did, where it failed. And doing it again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from engine.errors import Conflict, NotFound
from engine.process.automation import desk
from engine.process.automation.carrying import rule_of
from engine.process.automation.failures import problems_kept
from engine.process.automation.runs import FAILED, WITHIN, Run
from metadata.processes import Automation
from ui.durations import duration
from ui.process_words import Fact, event_text, step_view
from ui.screens.automations import automation_of
from ui.screens.refusals import failure_text
from ui.visit import Visit

__all__ = ["run_lines", "run_page", "state_text", "try_again"]

TONES = {"done": "green", "failed": "red", "waiting": "azure", "running": "indigo"}
ICONS = {"done": "circle-check", "failed": "alert-circle", "waiting": "clock", "running": "loader-2"}
MOST_SHOWN = 600  # characters of one value
View = dict[str, Any]


def state_text(visit: Visit, state: str) -> str:
    say = visit.say
    return {
        "done": say("Completed"), "failed": say("Failed"), "waiting": say("Waiting"), "running": say("Being done"),
    }[state]  # fmt: skip


def run_lines(visit: Visit, runs: Sequence[Run], name: str) -> list[View]:
    """Rows of the history, with the titles of records that this person may read."""
    wanted: dict[str, list[str]] = {}
    for run in runs:
        if run.record and visit.ctx.scope.can("read", run.object):
            wanted.setdefault(run.object, []).append(run.record)
    titles = {one: visit.records.titles(one, ids) for one, ids in wanted.items()}
    return [
        {
            "href": f"/setup/automations/{name}/runs/{run.id}", "icon": ICONS[run.state], "tone": TONES[run.state],
            "state": state_text(visit, run.state), "title": titles.get(run.object, {}).get(run.record, ""),
            "cause": cause_text(visit, run), "error": error_text(visit, run) if run.state == "failed" else "",
            "note": skipped_text(visit, run),
            "at": run.created_at.isoformat(timespec="seconds"), "ago": visit.formats.ago(run.created_at, visit.ctx.now),
            "exact": visit.formats.datetime(run.created_at),
        }
        for run in runs
    ]  # fmt: skip


def error_text(visit: Visit, run: Run) -> str:
    """What went wrong in the person's words; of what is no refusal, and of runs of before, as it was noted."""
    if not run.error or not (problems := problems_kept(run.outputs)):
        return run.error
    return failure_text(visit, visit.ctx.snapshot.definitions.objects.get(run.object), problems)


def cause_text(visit: Visit, run: Run) -> str:
    say = visit.say
    texts = {
        "save": say("a save"),
        "within": say("a save, as a part of it"),
        "step": say("another automation"),
        "schedule": say("the schedule"),
        "date": say("a date"),
        "webhook": say("another system"),
        "button": say("a button"),
        "event": say("an event"),
    }
    return texts.get(run.cause, run.cause)


def skipped_text(visit: Visit, run: Run) -> str:
    """Why a run that has ended did nothing; "" for one that did."""
    say, why = visit.say, str(run.outputs.get("skipped") or "")
    texts = {
        "it is switched off": say("Nothing was done: it is switched off."),
        "the record is not there any more": say("Nothing was done: the record is not there any more."),
        "its condition does not hold": say("Nothing was done: the condition does not hold."),
    }
    return texts.get(why, why)


def found(visit: Visit) -> tuple[Automation, Run]:
    rule = automation_of(visit)
    run = desk.get_run(visit.ctx, visit.request.path_params["id"])
    if run.automation != rule.name:
        raise NotFound(f"no run '{run.id}' of '{rule.name}'")
    return rule, run


def run_page(visit: Visit, notice: str = "", status: int = 200, asks: bool = False) -> Response:
    """`asks`: whether to do once more what was done."""
    rule, run = found(visit)
    then = rule_of(visit.ctx, run) or rule  # as it was when the run began
    may_read = bool(run.record) and visit.ctx.scope.can("read", run.object)
    title = visit.records.titles(run.object, [run.record]).get(run.record, "") if may_read else ""
    by = visit.records.titles("user", [run.by]).get(run.by, "") if run.by else visit.say("The system")
    formats, steps = visit.formats, step_views(visit, then, run)
    facts = [
        (visit.say("Began"), formats.datetime(run.created_at)),
        (visit.say("Ended at"), formats.datetime(run.ended_at) if run.ended_at else ""),
        (visit.say("Took"), took(visit, run)),
        (visit.say("Goes on"), formats.datetime(run.due_at) if run.state == "waiting" and run.due_at else ""),
        (visit.say("Set off by"), cause_text(visit, run)),
        (visit.say("Person"), by or visit.say("A person that you cannot see")),
        (visit.say("Tries of this step"), str(run.tries) if run.tries else ""),
        (visit.say("Version of the definitions"), str(run.version)),
    ]
    return visit.render(
        "run.html", status, title=visit.text(rule.label), current="setup", notice=notice, name=rule.name,
        state=state_text(visit, run.state), tone=TONES[run.state], icon_name=ICONS[run.state],
        facts=[one for one in facts if one[1]], error=error_text(visit, run) if not steps else "",
        note=skipped_text(visit, run),
        record={"title": title, "href": f"/o/{run.object}/{run.record}"} if title else None,
        inputs=list(input_facts(visit, run.inputs)), steps=steps, run=run.id,
        again=again_view(visit, then, run, asks), count=run.outputs.get("records"), is_cut=bool(run.outputs.get("cut")),
    )  # fmt: skip


def again_view(visit: Visit, rule: Automation, run: Run, asks: bool) -> View | None:
    """What is pressed to do it again, and what that does twice; None for a run of which that is not possible."""
    if run.state not in ("failed", "done") or run.cause == WITHIN:
        return None
    actions = visit.ctx.snapshot.plugins.actions
    twice = [
        {"title": step_view(visit, part, rule.object)["title"],
         "leaves": part.kind in actions and actions[part.kind].is_outside}
        for _, part in desk.done_before(visit.ctx, run)
    ] if asks else []  # fmt: skip
    return {"asks": asks, "twice": twice, "is_done": run.state == "done"}


def took(visit: Visit, run: Run) -> str:
    if not run.started_at or not run.ended_at:
        return ""
    length = run.ended_at - run.started_at
    if length < timedelta(seconds=1):
        return visit.say("less than a second")
    return duration(int(length.total_seconds()), visit.say)


def step_views(visit: Visit, rule: Automation, run: Run) -> list[View]:
    """Each step as the definitions have it, with what it gave or where it failed."""
    views = []
    logs = run.outputs.get("log") or ()
    stuck = run.outputs.get(FAILED, run.step) if run.error else None
    for index, part in enumerate(rule.steps):
        view = step_view(visit, part, rule.object)
        given = run.outputs.get(part.name or str(index))
        is_stuck = index == stuck
        is_done = index < run.step
        if run.outputs.get("skipped") or "records" in run.outputs:
            state, text = "idle", ""
        elif is_stuck:
            state, text = (
                ("failed", visit.say("Failed")) if run.state == "failed" else ("waiting", visit.say("Waiting"))
            )
        elif is_done and given is None:
            state, text = "idle", visit.say("Passed over: its condition did not hold")
        elif is_done:
            state, text = "done", visit.say("Completed")
        elif stuck is not None and index < stuck:
            state, text = "idle", visit.say("Taken back")
        else:
            state, text = "idle", visit.say("Not reached")
        outputs = list(value_lines(visit, given)) if isinstance(given, Mapping) else []
        for log in logs:
            if isinstance(log, Mapping) and log.get("step") == index:
                outputs += list(value_lines(visit, {name: said for name, said in log.items() if name != "step"}))
        views.append({**view, "state": state, "said": text, "outputs": outputs,
                      "error": error_text(visit, run) if is_stuck else ""})  # fmt: skip
    return views


def input_facts(visit: Visit, inputs: Mapping[str, Any]) -> Iterator[Fact]:
    say = visit.say
    labels = {"action": say("Save"), "due": say("Due"), "event": say("Event"), "body": say("Body")}
    actions = {"create": say("Created"), "update": say("Changed"), "delete": say("Deleted")}
    for name, said in inputs.items():
        if name == desk.AGAIN:
            yield Fact(say("Once more what was done by"), str(said), False)
        elif name == "action":
            yield Fact(labels[name], actions.get(str(said), str(said)))
        elif name == "event":
            yield Fact(labels[name], event_text(visit, str(said)))
        elif name == "due":
            yield Fact(labels[name], moment_text(visit, str(said)))
        else:
            text = plain(said)
            yield Fact(labels.get(name, name), text, isinstance(said, Mapping | list))


def moment_text(visit: Visit, said: str) -> str:
    try:
        return visit.formats.datetime(datetime.fromisoformat(said))
    except ValueError:
        return said


def value_lines(visit: Visit, values: Mapping[str, Any]) -> Iterator[Fact]:
    """What a step gave: people and records by their titles, where the person may see them."""
    say = visit.say
    labels = {
        "users": say("People"), "user": say("Person"), "id": say("Record"), "object": say("Object"),
        "count": say("How many"), "among": say("Chosen among"),
    }  # fmt: skip
    target = str(values.get("object") or "")
    for name, said in values.items():
        of = {"users": "user", "user": "user", "id": target}.get(name, "")
        if said is None:
            continue
        if name == "object" and (found := visit.ctx.snapshot.definitions.objects.get(target)) is not None:
            yield Fact(labels[name], visit.text(found.label))
        elif of and visit.ctx.scope.can("read", of):
            ids = [str(one) for one in (said if isinstance(said, list) else [said])]
            titles = visit.records.titles(of, ids)
            yield Fact(labels[name], say(", ").join(titles.get(one) or one for one in ids))
        else:
            yield Fact(labels.get(name, str(name)), plain(said), isinstance(said, Mapping | list))


def plain(said: Any) -> str:
    if isinstance(said, Mapping):
        text = "\n".join(f"{name}: {plain(one)}" for name, one in said.items())
    elif isinstance(said, list):
        text = ", ".join(plain(one) for one in said)
    else:
        text = str(said)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def try_again(visit: Visit) -> Response:
    rule, run = found(visit)
    try:
        new = desk.replay(visit.ctx, run.id, again=visit.sent("again") == "1")
    except Conflict as refusal:
        if refusal.code == desk.ASKS:
            return run_page(visit, status=409, asks=True)
        return run_page(visit, visit.say("This run has gone on meanwhile."), 409)
    code = "run_again" if new.id == run.id else "run_once_more"
    return visit.go(f"/setup/automations/{rule.name}/runs/{new.id}", {"code": code})

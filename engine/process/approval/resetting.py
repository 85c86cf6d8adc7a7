"""Nodes that are asked again because a field that they name was changed while the approval runs."""

from collections.abc import Collection

from engine.process.approval import flow, record
from engine.process.approval.passed import still_count
from engine.process.approval.state import Run
from engine.process.approval.work import Work

__all__ = ["reset"]


def reset(w: Work, changed: Collection[str], but: str = "") -> bool:
    """Go back to the first node that was passed and still counts, or has decisions, and names one of these fields, as
    they are called now; what came after it is cancelled. Whether there was one. `but`: the run in which somebody
    changed them."""
    if w.instance.state != "RUNNING":
        return False
    latest = {run.node: run for run in w.state.runs.values()}
    hit = [run for run in latest.values() if run.id != but and is_touched(w, run, changed)]
    if not hit:
        return False
    run = min(hit, key=lambda one: one.entered)
    w.note("", "", "reset", "", "", run.node, details={"fields": sorted(changed)})
    within, branch, target = run.within, run.branch, run.node
    if within and w.state.runs[within].state == "ACTIVE":
        for one in list(w.state.active()):
            if (one.within, one.branch) == (within, branch):
                flow.cancel_within(w, one.id, "asked again")
                flow.cancel_run(w, one, "asked again")
        flow.take_back(w, within, branch)
    else:
        within, branch, target = "", "", w.chart.outermost(target)
        for one in list(w.state.active()):
            flow.cancel_run(w, one, "asked again")
        w.waiting.clear()
    w.set_instance("next_round", round=w.instance.round + 1)
    w.waiting.append((target, within, branch))
    return True


def is_touched(w: Work, run: Run, changed: Collection[str]) -> bool:
    node = w.node_of(run)
    if not node.reset_on_change or not set(record.now_called(w, node.reset_on_change)) & set(changed):
        return False
    return (run.state == "APPROVED" and still_count(w, run)) or (
        run.state == "ACTIVE" and any(task.decided_at for task in w.state.tasks_of(run.id))
    )

"""Back to somebody before: where one may return to, and what that ends."""

from collections.abc import Sequence

from engine.errors import Conflict
from engine.process.approval import ending, flow, record
from engine.process.approval.lending import lend
from engine.process.approval.passed import still_count
from engine.process.approval.refusals import bad
from engine.process.approval.state import Run
from engine.process.approval.work import Work
from metadata.processes import Node

__all__ = ["START", "is_last_round", "need_target", "send_back", "targets_of"]

START = "start"


def targets_of(w: Work, run: Run) -> list[str]:
    """Where a task may be returned to: "start" and names of nodes that were passed, the last first; in the last round
    no node, as there is none after it in which that would be asked."""
    found = named_targets(w, run)
    return [one for one in found if one == START] if is_last_round(w) else found


def is_last_round(w: Work) -> bool:
    most = w.approval.resubmission.most_rounds
    return bool(most) and w.instance.round >= most


def named_targets(w: Work, run: Run) -> list[str]:
    """What the node says of it."""
    said = w.node_of(run).may_return_to
    passed = earlier(w, run)
    found: list[str] = []
    for one in said:
        if one == START:
            found.append(START)
        elif one == "previous":
            found += passed[:1] or [START]
        elif one == "any":
            found += [*passed, START]
        elif one in passed:
            found.append(one)
    return list(dict.fromkeys(found))


def earlier(w: Work, run: Run) -> list[str]:
    """Nodes that asked somebody and were passed before, but none of a branch beside this one, and none that was gone
    back over since."""
    passed: list[str] = []
    for one in w.state.runs.values():
        node: Node = w.node_of(one)
        is_passed = one.entered < run.entered and one.state == "APPROVED" and node.type in ("approve", "handle")
        is_other = node.name in w.chart.sites and node.name != run.node
        if is_passed and is_other and w.chart.may_go_back(run.node, node.name) and still_count(w, one):
            passed.append(node.name)
    return list(dict.fromkeys(reversed(passed)))


def need_target(w: Work, run: Run, wanted: str) -> str:
    """Raises BadInput for a node that one may not return to, and Conflict in the last round. "" is the first that the
    node allows."""
    targets = targets_of(w, run)
    named = named_targets(w, run)
    if (wanted in named and wanted not in targets) or (not wanted and named and not targets):
        message = f"this is round {w.instance.round}, the last: it goes back to no step before"
        raise Conflict(message, code="approval.rounds", fix="approve or reject it")
    if not targets:
        raise bad("approval.return_target", "this step cannot be returned", "target")
    if wanted and wanted not in targets:
        raise bad(
            "approval.return_target", f"this step cannot be returned to '{wanted[:60]}'", "target",
            f"one of {', '.join(targets)}",
        )  # fmt: skip
    return wanted or targets[0]


def send_back(w: Work, run: Run, target: str) -> None:
    """The node is RETURNED; what waits between the target and here is cancelled."""
    run = flow.cancel_run(w, run, f"to {target}", "RETURNED")
    if target == START:
        back_to_start(w, run)
    else:
        within, branch = run.within, run.branch
        for _ in range(len(w.chart.forks_around(run.node)) - len(w.chart.forks_around(target))):
            fork = w.state.runs[within]
            flow.cancel_within(w, fork.id, "returned")
            fork = w.set_run(fork, "cancel", "CANCELLED", reason="returned")
            within, branch = fork.within, fork.branch
        w.set_instance("next_round", round=w.instance.round + 1)
        w.waiting.append((target, within, branch))
        ending.run_steps(w, "return")


def back_to_start(w: Work, run: Run) -> None:
    """To who submitted it. Where it is to go on from here, the forks around stay as they are."""
    how = w.node_of(run).on_return
    leaves: Sequence[Run] = [one for one in w.state.active() if w.node_of(one).type not in ("parallel", "inclusive")]
    resume = [[one.node, one.within, one.branch] for one in (run, *leaves)]
    for one in leaves if how == "returning" else list(w.state.active()):
        flow.cancel_run(w, one, "returned")
    w.waiting.clear()
    data = {**w.instance.data, "resume": resume if how == "returning" else [], "returned_by": run.node}
    w.set_instance("to_submitter", "RETURNED", data=data)
    ending.run_steps(w, "return")
    record.free(w)
    lend(w)
    record.set_status(w, "returned")
    ending.announce(w, "returned")
    ending.tell_submitter(w, {"node": dict(w.node_of(run).label)})

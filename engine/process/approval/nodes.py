"""What each type of node does when it is entered."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from engine.errors import Busy, Conflict, EngineError
from engine.process.approval import conditions, flow, ports
from engine.process.approval.asking import ask, slots_for
from engine.process.approval.ending import tell
from engine.process.approval.refusals import no_choice
from engine.process.approval.state import Run
from engine.process.approval.work import MOST_STEPS, Work
from engine.process.renamed import steps_now
from engine.store.failures import FAILURES, is_passing
from engine.store.rows import savepoint
from metadata.processes import Node, nodes_in

__all__ = ["DELAY_JOB", "carry_on", "handle", "plan_delay", "start"]

DELAY_JOB = "approval.delay"
UNCHOSEN = frozenset({"approval.no_approver", "approval.choose"})
DECIDING = frozenset({"approve", "complete", "add_after"})
Handler = Callable[[Work, Run, Node], None]


def start(w: Work, name: str = "", within: str = "", branch: str = "") -> None:
    """Enter the flow at a node, the first unless said, and go as far as it goes."""
    name = name or w.chart.first
    if name:
        w.waiting.append((name, within, branch))
    else:
        flow.finish(w, "APPROVED")
    carry_on(w)


def carry_on(w: Work) -> None:
    """Enter what waits to be entered. Where that fails an instance that runs is suspended, and a submission refused."""
    while w.waiting:
        if w.is_over:
            w.waiting.clear()
            return
        name, within, branch = w.waiting.pop(0)
        w.steps += 1
        if w.steps > MOST_STEPS:
            raise Conflict("the approval goes round in a circle", code="approval.endless")
        run = w.new_run(w.chart.node(name), within, branch)
        attempt(w, run)
    for child in w.cancelled_children[:]:
        w.cancelled_children.remove(child)
        cancel_child(w, child)


def attempt(w: Work, run: Run) -> None:
    if w.is_strict:
        handle(w, run)
        return
    before = w.remember()
    try:
        with savepoint(w.connection):
            handle(w, run)
    except (EngineError, *FAILURES) as error:
        if isinstance(error, Busy) or is_passing(error):
            raise  # all of it is tried again
        if isinstance(error, EngineError) and error.code in UNCHOSEN and is_choice_of(w, w.node_of(run)):
            raise no_choice(w.node_of(run)) from error
        w.go_back(before)
        is_ours = isinstance(error, EngineError)  # what a database says quotes values
        flow.suspend(w, run, str(error)[:500] if is_ours else f"it could not be carried out ({type(error).__name__})")


def is_choice_of(w: Work, node: Node) -> bool:
    """Whether who acts is the one who chooses whom the node asks, and there is somebody to choose."""
    if w.said.action not in DECIDING or w.actor != w.ctx.actor.id:
        return False
    sources = w.snapshot.plugins.approvers
    return any(one.users != () and sources[one.source].asks == "previous" for one in ports.chosen_for(w, node))


def handle(w: Work, run: Run) -> None:
    node = w.node_of(run)
    HANDLERS[node.type](w, run, node)


def asks(w: Work, run: Run, node: Node) -> None:
    ask(w, run, node)


def tells(w: Work, run: Run, node: Node) -> None:
    users = list(dict.fromkeys(slot.user for slot in slots_for(w, node) if slot.user and not slot.skipped))
    for user in users:
        w.add_participant("cc", user, "cc", run=run.id)
    tell(w, users, "cc", {"node": dict(node.label)})
    passes(w, run, node)


def chooses(w: Work, run: Run, node: Node) -> None:
    taken = conditions.branch_of(w, node.name)
    run = w.set_run(run, "choose", "APPROVED", reason=taken)
    first = next((w.chart.first_of(branch) for branch in node.branches if branch.name == taken), "")
    if first:
        w.waiting.append((first, run.within, run.branch))
    else:
        flow.go_on(w, run)


def forks(w: Work, run: Run, node: Node) -> None:
    names = [branch.name for branch in node.branches]
    if node.type == "inclusive":
        names = conditions.true_branches(w, node.name, is_exclusive=False)
    if not names:
        flow.go_on(w, w.set_run(run, "choose", "SKIPPED", reason="no branch"))
        return
    w.set_run(run, "fork", "ACTIVE", data={"branches": names, "results": {}})
    for branch in node.branches:
        if branch.name in names and w.state.runs[run.id].state == "ACTIVE" and not w.is_over:
            if branch.flow:
                w.waiting.append((branch.flow[0].name, run.id, branch.name))
            else:
                flow.arrive(w, run.id, branch.name, "approved")


def waits(w: Work, run: Run, node: Node) -> None:
    due = w.now
    if node.span is not None:
        due = ports.moment_after(w.snapshot, w.now, node.span, node.calendar or w.approval.calendar)
    elif node.until:
        value = conditions.value_at(w, node.until)
        if isinstance(value, datetime):
            due = value
        elif isinstance(value, date):
            due = ports.day_begins(w.snapshot, value, node.calendar or w.approval.calendar)
    if due <= w.now:
        passes(w, run, node)
        return
    plan_delay(w, w.set_run(run, "wait", "ACTIVE", data={"until": due.isoformat()}), due)


def plan_delay(w: Work, run: Run, due: datetime) -> None:
    """A worker goes on from there; of several that are planned one does."""
    key = f"{DELAY_JOB}:{run.id}:{w.instance.seq}"
    payload = {"instance": w.instance.id, "run": run.id}
    ports.enqueue(w.connection, DELAY_JOB, payload, now=w.now, due_at=due, key=key)


def acts(w: Work, run: Run, node: Node) -> None:
    cause = f"approval {w.approval.name}: {node.name}"
    details = {"instance": w.instance.id, "actor": w.actor}
    said = w.ctx.snapshot.definitions.processes.approvals.get(w.approval.name)
    same = next((one for one in nodes_in(said.flow) if one.name == node.name), None) if said is not None else None
    with ports.writing(w):
        steps = steps_now(
            w.ctx.snapshot, w.snapshot, w.approval.name, node.steps, same.steps if same is not None else None
        )
        ports.run_steps(
            w.as_step, w.connection, steps, w.object, w.instance.record, cause=cause,
            key=f"approval:{w.instance.id}:{run.id}", details=details,
        )  # fmt: skip
    passes(w, run, node)


def calls(w: Work, run: Run, node: Node) -> None:
    from engine.process.approval.subprocess import begin_child  # it submits, which enters nodes

    begin_child(w, run, node)


def cancel_child(w: Work, child: str) -> None:
    from engine.process.approval.subprocess import end_child  # the same

    end_child(w, child)


def ends(w: Work, run: Run, node: Node) -> None:
    """Within a branch of a fork it ends the branch."""
    if node.result == "rejected":
        flow.reject(w, w.set_run(run, "end", "REJECTED", reason=node.name))
    elif run.within:
        run = w.set_run(run, "end", "APPROVED")
        flow.arrive(w, run.within, run.branch, "approved")
    else:
        w.set_run(run, "end", "APPROVED")
        flow.finish(w, "APPROVED")


def passes(w: Work, run: Run, node: Node) -> None:
    flow.go_on(w, w.set_run(w.state.runs[run.id], "complete", "APPROVED"))


HANDLERS: Mapping[str, Handler] = {
    "approve": asks, "handle": asks, "cc": tells, "condition": chooses, "inclusive": forks, "parallel": forks,
    "subprocess": calls, "delay": waits, "action": acts, "end": ends,
}  # fmt: skip

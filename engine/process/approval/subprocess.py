"""An approval that a node of another one starts, and that tells it how it ended."""

from engine.errors import Conflict
from engine.process.approval import flow
from engine.process.approval.conditions import value_at
from engine.process.approval.lending import take_back, work_of
from engine.process.approval.state import Run
from engine.process.approval.work import Work, object_at
from metadata.processes import Node

__all__ = ["begin_child", "end_child", "take_outcome", "tell_parent"]


def begin_child(w: Work, run: Run, node: Node) -> None:
    from engine.process.approval.submission import Parent, submit_in  # it enters nodes, of which this is one

    object_name, record = w.object, w.instance.record
    if node.record:
        value = value_at(w, node.record)
        field = w.then.snapshot.definitions.objects[w.object_then].fields.get(node.record)
        target = field.target if field is not None else ""
        if not value or not target:
            raise Conflict(f"'{node.record}' leads to no record", code="approval.subprocess", fix="fill it in")
        table = w.snapshot.physical.names.tables[target]
        object_name, record = object_at(w.ctx.snapshot, table), str(value)
    parent = Parent(w.instance.id, run.id, w.instance.root)
    done = submit_in(w.as_submitter_now, w.connection, object_name, record, node.process, parent=parent)
    run = w.set_run(run, "call", "ACTIVE", data={**run.data, "child": done.instance})
    if not node.waits or done.state == "APPROVED":
        flow.go_on(w, w.set_run(run, "complete", "APPROVED"))
    elif done.state != "RUNNING":
        take_outcome(w, run, done.state)


def tell_parent(w: Work) -> None:
    """At the end of one that was called: whoever waits for it goes on. They are locked together."""
    from engine.process.approval.nodes import carry_on  # it enters nodes, of which calls are one

    parent = work_of(w, w.instance.parent, "ended")
    run = parent.state.runs.get(w.instance.parent_run) if parent is not None else None
    if parent is None or run is None or run.state != "ACTIVE" or parent.instance.state not in ("RUNNING", "SUSPENDED"):
        return
    take_back(w)
    if parent.instance.state == "SUSPENDED":  # nothing goes on before it is resumed
        parent.set_run(run, "child_ended", "ACTIVE", data={**run.data, "outcome": w.instance.state})
    else:
        take_outcome(parent, run, w.instance.state)
    carry_on(parent)
    parent.save()
    if parent.has_ended and parent.instance.parent:
        tell_parent(parent)


def take_outcome(w: Work, run: Run, outcome: str) -> None:
    if outcome == "APPROVED":
        flow.go_on(w, w.set_run(run, "complete", "APPROVED"))
    else:
        flow.reject(w, w.set_run(run, "complete", "REJECTED", reason=outcome.lower()))


def end_child(w: Work, child: str) -> None:
    """Nobody waits for it any more, nor for those that it called."""
    from engine.process.approval.nodes import carry_on  # as above

    one = work_of(w, child, "cancel")
    if one is None or one.instance.ended_at is not None:
        return
    one.set_instance("cancel", reason="who called it has gone on")
    flow.finish(one, "CANCELLED")
    carry_on(one)
    one.save()
    if w.instance.ended_at is None and one.instance.record == w.instance.record:
        take_back(w, itself=True)

"""What was changed between two submissions, and from which node on that matters."""

from collections.abc import Collection, Mapping
from typing import Any

from engine.formula.evaluate import evaluator
from engine.process.approval import record
from engine.process.approval.chart import Site
from engine.process.approval.conditions import with_words
from engine.process.approval.work import Work
from engine.process.comparing import changed_paths
from engine.process.proposals import held_of
from engine.process.reading import now_called
from engine.process.snapshots import kept_of
from engine.rules.reach import Reach
from engine.rules.reading import needs_of, own_fields
from engine.rules.values import rules_of
from engine.store import rows
from metadata.formula import definition_names, parse
from metadata.processes import Node

__all__ = ["changed_fields", "restart_at"]


def changed_fields(w: Work) -> set[str]:
    """Fields that have a column, by the names of the instance's version, that hold something else than when it was last
    submitted."""
    sent: Mapping[str, Any] = w.instance.data.get("sent", {})
    now = record.sent_now(w)
    columns = {column for column in sent.keys() | now.keys() if sent.get(column) != now.get(column)}
    return {name for name, column in w.snapshot.physical.names.columns[w.object_then].items() if column in columns}


def restart_at(w: Work, resumed: str) -> str | None:
    """Of what would go on at `resumed`: None where nothing material was changed, or it is read only later than that;
    else the node to begin with: the first of which a condition reads what was changed, the very first where none
    does."""
    said, changed = w.approval.resubmission, changed_fields(w)
    material = changed_material(w, changed)
    if not material:
        with with_words(w, "whether something material was changed"):
            if not (said.material_if and is_material(w, said.material_if)):
                return None
    wanted = material | with_rollups(w, material, changed) or changed
    readers = [site for site in w.chart.sites.values() if reads(w, site.node) & wanted]
    before = [site for site in readers if not is_later(w, site, resumed)]
    if readers and not before:
        return None
    return w.chart.outermost(before[0].node.name) if before else w.chart.first


def is_later(w: Work, site: Site, resumed: str) -> bool:
    """Whether one comes by it only after the node: not where it is in a branch beside that one."""
    here = dict(w.chart.forks_around(resumed))
    is_beside = any(here.get(fork, branch) != branch for fork, branch in w.chart.forks_around(site.node.name))
    return w.chart.sites[resumed].order < site.order and not is_beside


def changed_material(w: Work, changed: Collection[str]) -> set[str]:
    """Of what the definition calls material: "amount", the lines "items", or a field of these "items.amount". Lines of
    which there are more than a snapshot holds count as changed."""
    found = {name for name in w.approval.resubmission.material if name in changed}
    rest = [name for name in w.approval.resubmission.material if name not in found]
    sent = [one for one in kept_of(w.connection, w.ctx, w.instance.id) if not one.task] if rest else []
    if not sent or sent[-1].object != w.object:
        return found
    now_held = w.proposal.draft["shown"] if w.proposal is not None else None
    paths, cut = changed_paths(w.ctx, w.connection, sent[-1], now_held)
    for name in rest:
        now = now_called(w.ctx, w.snapshot, w.object_then, name)
        if now in paths or now.partition(".")[0] in cut:
            found.add(name)
    return found


def with_rollups(w: Work, material: Collection[str], changed: Collection[str]) -> set[str]:
    """The lines of which material fields changed, and the record's own fields that are reckoned from these."""
    fields = w.snapshot.definitions.objects[w.object_then].fields
    named = {name.partition(".")[0] for name in material}
    lines = {name for name in named if name in fields and fields[name].source == "lines"}
    places = {(fields[name].of, fields[name].by) for name in lines}
    rollups = (name for name in changed if name in fields and fields[name].source == "rollup")
    return lines | {name for name in rollups if (fields[name].of, fields[name].by) in places}


def reads(w: Work, node: Node) -> frozenset[str]:
    """The record's own fields that the node's conditions read."""
    texts = [branch.when for branch in node.branches] + [part.when for part in node.approvers]
    names = definition_names(w.snapshot.definitions.objects, w.object_then)
    found: frozenset[str] = frozenset()
    for text in texts:
        if text:
            tree = parse(text, names, functions=w.snapshot.plugins.functions)
            found |= own_fields(w.snapshot, w.object_then, tree)
    return found


def is_material(w: Work, text: str) -> bool:
    """A formula over the record as it is, with PRIOR as it was when it was last submitted."""
    snapshot, name = w.snapshot, w.object_then
    names = definition_names(snapshot.definitions.objects, name)
    tree = parse(text, names, functions=snapshot.plugins.functions, wants="boolean", has_prior=True)
    now = held_of(w.then, w.connection, name, w.instance.record)
    if now is None:
        current = rows.current(w.then, w.connection, name, w.instance.record, "read")
        assert current is not None  # nobody deletes what is in approval
        now = current.stored(rows.columns_of(snapshot, name))
    reach = Reach(w.as_submitter, w.connection, name, needs_of(snapshot, name, [(tree, "")]))
    reach.fill([now])
    return evaluator(tree, snapshot.plugins.functions)(w.as_submitter.here, reach.view(now), before(w, now)) is True


def before(w: Work, now: Mapping[str, Any]) -> dict[str, Any]:
    """Stored Python values as they were sent."""
    sent = w.instance.data.get("sent", {})
    columns = w.snapshot.physical.names.columns[w.object_then]
    rules = rules_of(w.snapshot, w.object_then).fields
    values = dict(now)
    for name, rule in rules.items():
        if name in columns and name in values:
            known = sent.get(columns[name])
            values[name] = None if known is None else rule.parse(known)
    return values

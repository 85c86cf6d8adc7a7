"""Running approvals onto the version that runs: first rehearsed, then done, told of each."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from starlette.responses import Response

from engine.errors import BadInput, NotFound
from engine.process.approval.moving import How, Moved, Place
from engine.process.approval.service import Approvals
from metadata.processes import Approval
from ui.screens.refusals import sentence
from ui.visit import Visit

__all__ = ["move", "move_page", "moves_at"]

HOWS: Sequence[str] = get_args(How)
AT = "map."  # of the form: which step takes the place of one
LONGEST = 500


def moves_at(name: str) -> str:
    return f"/setup/approvals/{name}/move"


def move_page(visit: Visit) -> Response:
    return show(visit, approval_of(visit))


def move(visit: Visit) -> Response:
    """Without `do` it is a rehearsal: all of it is done, and taken back."""
    approval = approval_of(visit)
    how, is_done = visit.sent("how"), visit.sent("do") == "move"
    reason = visit.sent("reason").strip()[:LONGEST]
    mapping = {name.removeprefix(AT): visit.sent(name) for name in visit.form if name.startswith(AT)}
    if how not in HOWS:
        return show(visit, approval, 422)
    if is_done and not reason:
        return show(visit, approval, 422, wrong=visit.say("Say why they are moved."))
    approvals = Approvals(visit.ctx)
    instances = approvals.running_before(approval.name)
    try:
        found = approvals.move(
            instances, how, {old: new for old, new in mapping.items() if new},  # type: ignore[arg-type]  # one of them
            reason=reason or visit.say("rehearsal"), rehearse=not is_done,
        )  # fmt: skip
    except BadInput as refusal:
        return show(visit, approval, 422, wrong=sentence(visit, None, refusal))
    return show(visit, approval, told=found, is_done=is_done)


def approval_of(visit: Visit) -> Approval:
    Approvals(visit.ctx).need_admin()
    name = visit.request.path_params["name"]
    found = visit.ctx.snapshot.definitions.processes.approvals.get(name)
    if found is None:
        raise NotFound(f"there is no approval '{name[:60]}'", code="approval.unknown")
    return found


def show(
    visit: Visit, approval: Approval, status: int = 200, *, told: Sequence[Moved] | None = None, is_done: bool = False,
    wrong: str = "",
) -> Response:  # fmt: skip
    approvals = Approvals(visit.ctx)
    waiting = approvals.earlier(approval.name)
    how = visit.sent("how") or "migrate"
    label = visit.text(approval.label)
    return visit.render(
        "approval_move.html", status, title=visit.say("Move to the new version: {approval}", approval=label),
        current="setup", name=approval.name, label=label, at=moves_at(approval.name), how=how, wrong=wrong,
        reason=visit.sent("reason"), hows=hows_view(visit, how), count=visit.formats.number(len(waiting)),
        has_any=bool(waiting), places=places_view(visit, approvals.places(approval.name)), is_done=is_done,
        rows=rows_view(visit, approval, told, is_done) if told is not None else None,
        may_move=told is not None and not is_done and how != "finish" and any(not one.code for one in told),
        waiting=[] if told is not None else waiting_view(visit, approval, waiting),
    )  # fmt: skip


def hows_view(visit: Visit, how: str) -> list[dict[str, Any]]:
    say = visit.say
    texts = {
        "migrate": (
            say("Take them along"), say("Each goes on at the same step of the new version. What was approved counts."),
        ),
        "resubmit": (say("Submit them again"), say("Each is cancelled, and submitted anew in the name of who did.")),
        "finish": (say("Let them finish"), say("Nothing changes: each ends on the version that it began with.")),
    }  # fmt: skip
    return [
        {"value": one, "label": texts[one][0], "text": texts[one][1], "is_chosen": one == how}
        for one in ("migrate", "resubmit", "finish")
    ]


def places_view(visit: Visit, places: Sequence[Place]) -> list[dict[str, Any]]:
    """Steps at which something waits, with those of the new version that could take their place."""
    found = []
    for one in places:
        sent = visit.sent(f"{AT}{one.node}")
        chosen = sent if f"{AT}{one.node}" in visit.form else one.node if one.is_there else ""
        found.append({
            "name": f"{AT}{one.node}", "label": visit.text(one.label) or one.node, "is_there": one.is_there,
            "count": visit.formats.number(one.count),
            "options": [
                {"value": name, "label": visit.text(label) or name, "is_chosen": name == chosen}
                for name, label in one.candidates.items()
            ],
        })  # fmt: skip
    return found


def waiting_view(visit: Visit, approval: Approval, waiting: Mapping[str, tuple[str, int]]) -> list[dict[str, Any]]:
    titles = visit.records.titles(approval.object, [record for record, _ in waiting.values()])
    return [
        {"href": f"/approvals/{one}", "title": titles.get(record) or visit.say("Untitled"), "version": version}
        for one, (record, version) in waiting.items()
    ]


def rows_view(visit: Visit, approval: Approval, told: Sequence[Moved], is_done: bool) -> list[dict[str, Any]]:
    titles = visit.records.titles(approval.object, [one.record for one in told if one.record])
    return [
        {
            "href": f"/approvals/{one.submitted or one.instance}",
            "title": titles.get(one.record) or visit.say("Untitled"), "version": one.version,
            "is_refused": bool(one.code), "text": outcome(visit, one, is_done),
        }
        for one in told
    ]  # fmt: skip


def outcome(visit: Visit, one: Moved, is_done: bool) -> str:
    say = visit.say
    if one.code == "approval.unmapped":
        return say("Stays: a step that waits has no place in the new version. Choose one.")
    if one.code == "approval.state":
        return say("Stays: it has ended meanwhile.")
    if one.code == "approval.no_approver":
        return say("Stays: nobody would be there to ask.")
    if one.code == "approval.none":
        return say("Stays: the approval is no longer for this record.")
    if one.code == "approval.waits":
        return say("Stays: what waits cannot be submitted again.")
    if one.code == "approval.storage":
        return say("Stays: what waits is not kept aside in the new version.")
    if one.code:
        return say("Stays: {reason}", reason=one.reason)
    if one.how == "finish":
        return say("Finishes on its version.")
    if one.how == "resubmit":
        return say("Was submitted again.") if is_done else say("Would be cancelled and submitted again.")
    return say("Goes on in the new version.") if is_done else say("Would go on in the new version.")

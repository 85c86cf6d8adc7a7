"""The inbox: what waits for a person, what they did, what they started, and what they were told of."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput
from engine.process.approval.inbox import DUE
from engine.process.approval.service import BOXES, Approvals, Box, InboxRow
from ui.screens.approval_values import summary_view
from ui.screens.approval_waiting import few_changes, waiting_mark
from ui.screens.approval_words import deadline_view, person_name, state_pill, title_or, who
from ui.screens.away import banners
from ui.screens.refusals import sentence
from ui.visit import Visit, with_query

__all__ = ["approve_several", "inbox_page", "several_page"]

PAGE = 40
FILTERS = ("q", "approval", "object", "submitter", "due", "sort")
MOST = 200  # at once


def inbox_page(visit: Visit) -> Response:
    query = visit.request.query_params
    box = box_in(query.get("box", ""))
    sent = {name: query.get(name, "").strip()[:200] for name in FILTERS}
    if query.get("overdue") == "1":
        sent["due"] = "overdue"
    approvals = Approvals(visit.ctx)
    found = approvals.inbox(
        box, object_name=sent["object"], approval=sent["approval"], overdue=True if sent["due"] == "overdue" else None,
        submitter=sent["submitter"], due=sent["due"] if sent["due"] in DUE else "",
        sort="due" if sent["sort"] == "due" else "newest", text=sent["q"], limit=PAGE, cursor=query.get("cursor", ""),
    )  # fmt: skip
    pairs = [("box", box), *((name, value) for name, value in sent.items() if value)]
    rows = [row_view(visit, one, box) for one in found.rows]
    view: dict[str, Any] = {
        "rows": rows, "box": box, "sent": sent, "is_filtered": any(sent[name] for name in FILTERS if name != "sort"),
        "more": with_query("/inbox", [*pairs, ("cursor", found.next)]) if found.next else "",
        "clear": f"/inbox?box={box}", "empty": empty_view(visit, box),
        "can_pick": any(row["may_pick"] for row in rows),
    }  # fmt: skip
    if visit.is_part and query.get("part") == "rows":
        return visit.render("inbox_rows.html", **view)
    counts = approvals.counts()
    return visit.render(
        "inbox.html", title=visit.say("Inbox"), current="inbox", boxes=boxes_view(visit, box, counts),
        away=banners(visit),
        **filters_view(visit, approvals, box, sent), **view,
    )  # fmt: skip


def box_in(text: str) -> Box:
    return next((one for one in BOXES if one == text), "todo")


def box_label(visit: Visit, box: Box) -> str:
    return {
        "todo": visit.say("To do"), "done": visit.say("Done"), "started": visit.say("Started by me"),
        "cc": visit.say("CC to me"),
    }[box]  # fmt: skip


def boxes_view(visit: Visit, current: Box, counts: Any) -> list[dict[str, Any]]:
    """With the numbers that ask for something: of what is done, nothing does."""
    numbers = {"todo": counts.todo, "done": 0, "started": counts.started, "cc": counts.cc}
    return [
        {
            "href": f"/inbox?box={box}", "label": box_label(visit, box), "is_current": box == current,
            "count": visit.formats.number(numbers[box]) if numbers[box] else "", "is_todo": box == "todo",
            "is_late": box == "todo" and counts.overdue > 0,
        }
        for box in BOXES
    ]  # fmt: skip


def filters_view(visit: Visit, approvals: Approvals, box: Box, sent: Mapping[str, str]) -> dict[str, Any]:
    """What there is to choose: of what is in the box, and what is chosen."""
    found, say = approvals.filters(box), visit.say
    return {
        "approvals": chosen_too(found.approvals, sent["approval"]),
        "objects": chosen_too(found.objects, sent["object"]),
        "people": chosen_too([(one.id, one.name) for one in found.submitters], sent["submitter"]),
        "deadlines": [
            ("overdue", say("Overdue")), ("today", say("Due today")), ("week", say("Due within 7 days")),
            ("none", say("No deadline")),
        ] if box == "todo" else [],
        "orders": [("", say("Newest first")), ("due", say("Due first"))] if box == "todo" else [],
    }  # fmt: skip


def chosen_too(choices: Sequence[tuple[str, str]], chosen: str) -> Sequence[tuple[str, str]]:
    """What is chosen can be seen and taken back, also where nothing is left of it."""
    return choices if not chosen or chosen in dict(choices) else [*choices, (chosen, "–")]


def row_view(visit: Visit, row: InboxRow, box: Box) -> dict[str, Any]:
    say, formats = visit.say, visit.formats
    marks = []
    if (mark := waiting_mark(visit, row)) is not None:
        marks.append(mark)
    if row.round > 1:
        marks.append({"text": say("Round {n}", n=row.round), "tone": "purple"})
    if row.is_claimed:
        marks.append({"text": say("Claimed"), "tone": "gray"})
    if row.via == "agent" and row.instead_of is not None:
        marks.append({"text": say("For {name}", name=person_name(visit, row.instead_of)), "tone": "indigo"})
    if row.is_urged:
        marks.append({"text": say("Urged"), "tone": "orange"})
    is_task = bool(row.task)
    return {
        "task": row.task, "key": row.task or row.instance,
        "href": f"/inbox/{row.task}" if is_task else f"/approvals/{row.instance}",
        "title": title_or(visit, row.title), "label": row.label, "object": row.object_label,
        "icon": visit.ctx.snapshot.definitions.objects[row.object].icon,
        "color": visit.ctx.snapshot.definitions.objects[row.object].color,
        "node": row.node_label, "who": who(visit, row.submitter),
        "ago": formats.ago(row.at, visit.ctx.now), "exact": formats.datetime(row.at),
        "is_new": not row.is_read and box in ("todo", "cc"), "marks": marks,
        "due": deadline_view(visit, row.due_at, row.is_overdue) if box == "todo" else None,
        "state": None if box == "todo" else state_pill(visit, row.state),
        "instance_state": state_pill(visit, row.instance_state) if box == "done" else None,
        "summary": summary_view(visit, row.object, row.summary), "changes": few_changes(visit, row),
        "may_pick": box == "todo" and row.may_approve,
        "claim": f"/inbox/{row.task}/claim" if row.via == "queue" else "",
    }  # fmt: skip


def empty_view(visit: Visit, box: Box) -> dict[str, str]:
    say = visit.say
    return {
        "todo": {
            "icon": "circle-check", "title": say("Nothing waits for you"),
            "text": say("What others ask you to approve appears here, the newest first."),
        },
        "done": {
            "icon": "history", "title": say("No decisions yet"),
            "text": say("What you have approved, rejected or returned is kept here."),
        },
        "started": {
            "icon": "send", "title": say("You have submitted nothing yet"),
            "text": say("Open a record and choose Submit for approval. How it goes on is shown here."),
        },
        "cc": {
            "icon": "mail", "title": say("Nobody has sent you a copy"),
            "text": say("Approvals of which you are told, without a decision of yours, appear here."),
        },
    }[box]  # fmt: skip


# -- several at once


def several_page(visit: Visit) -> Response:
    return show_several(visit, picked(visit.request.query_params.getlist("task")))


def approve_several(visit: Visit) -> Response:
    """Each by itself: what one refuses does not keep the others."""
    tasks, comment = picked(visit.form.get("task", ())), visit.sent("comment")
    if len(tasks) > MOST:
        return show_several(visit, tasks)
    try:
        if not tasks:
            raise BadInput("choose at least one task", code="approval.tasks")
        results = Approvals(visit.ctx).bulk(tasks, "approve", comment)
    except BadInput as refusal:
        return show_several(visit, tasks, 422, sentence(visit, None, refusal))
    failed = {one.task: sentence(visit, None, one.error) for one in results if one.error is not None}
    count = visit.formats.number(len(results) - len(failed))
    if not failed:
        return visit.go("/inbox", {"code": "approved_many", "count": count})
    return show_several(visit, tasks, failed=failed, count=count)


def picked(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(one for one in values if one))


def show_several(
    visit: Visit, tasks: Sequence[str], status: int = 200, error: str = "",
    failed: Mapping[str, str] | None = None, count: str = "",
) -> Response:  # fmt: skip
    approvals = Approvals(visit.ctx)
    if len(tasks) > MOST:
        count_of = visit.formats.number
        error = visit.say(
            "{count} are picked: at most {most} at once.", count=count_of(len(tasks)), most=count_of(MOST)
        )
        tasks, status = (), 422
    rows = {one.task: row_view(visit, one, "todo") for one in approvals.inbox("todo", limit=MOST, tasks=tasks).rows}
    left = [one for one in tasks if one not in rows] if failed else []
    done = {one.task: row_view(visit, one, "done") for one in approvals.inbox("done", limit=MOST, tasks=left).rows}
    shown = [
        (rows.get(one) or done.get(one) or {"task": one, "title": visit.say("This task is no longer open")})
        | {"failed": (failed or {}).get(one, "")}
        for one in tasks
    ]
    return visit.render(
        "inbox_several.html" if visit.is_part else "inbox_several_page.html", status,
        title=visit.say("Approve {count}", count=visit.formats.number(len(tasks))), current="inbox", tasks=shown,
        in_sheet=visit.is_part, error=error, is_over=failed is not None, count=count, comment=visit.sent("comment"),
    )  # fmt: skip

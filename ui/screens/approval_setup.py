"""Approvals for who looks after them: how they go, step by step, and the instances that are under way."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from engine.process.approval import overview
from engine.process.approval.overview import STATES, Number, Running
from engine.process.approval.service import Approvals
from engine.process.approval.statistics import ApprovalFigures, statistics_of
from metadata.processes import nodes_in
from ui.durations import duration
from ui.screens.approval_move import moves_at
from ui.screens.approval_words import deadline_view, names, state_label, state_pill, title_or, who
from ui.visit import Visit, with_query

__all__ = ["approvals_page"]

PAGE = 50
FILTERS = ("approval", "state", "overdue")


def approvals_page(visit: Visit) -> Response:
    query = visit.request.query_params
    sent = {name: query.get(name, "").strip()[:200] for name in FILTERS}
    found, following = overview.running(
        visit.ctx, approval=sent["approval"], state=sent["state"], overdue=sent["overdue"] == "1", limit=PAGE,
        cursor=query.get("cursor", ""),
    )  # fmt: skip
    numbers = overview.numbers(visit.ctx)
    earlier = Approvals(visit.ctx).earlier_counts()
    figures = {one.approval: one for one in statistics_of(visit.ctx)}
    chosen = figures.get(sent["approval"])
    pairs = [(name, value) for name, value in sent.items() if value]
    return visit.render(
        "approvals_setup.html", title=visit.say("Approvals"), current="setup", sent=sent, is_filtered=bool(pairs),
        numbers=[
            number_view(visit, one, figures.get(one.approval), earlier.get(one.approval, 0)) for one in numbers
        ],
        steps=steps_view(visit, chosen) if chosen is not None else None,
        approvals=[(one.approval, one.label) for one in numbers],
        states=[(one, state_label(visit.say, one)) for one in STATES],
        rows=[row_view(visit, one) for one in found],
        more=with_query("/setup/approvals", [*pairs, ("cursor", following)]) if following else "",
    )  # fmt: skip


def number_view(
    visit: Visit, one: Number, figures: ApprovalFigures | None, earlier: int
) -> dict[str, Any]:  # fmt: skip
    number, definition = visit.formats.number, visit.ctx.snapshot.definitions.objects[one.object]
    ended = {name: one.counts.get(name, 0) for name in ("APPROVED", "REJECTED", "WITHDRAWN", "CANCELLED")}
    return {
        "name": one.approval, "label": one.label, "object": visit.text(definition.label), "icon": definition.icon,
        "color": definition.color, "is_active": one.is_active,
        "href": with_query("/setup/approvals", [("approval", one.approval)]),
        "running": number(one.counts.get("RUNNING", 0)), "returned": number(one.counts.get("RETURNED", 0)),
        "suspended": one.counts.get("SUSPENDED", 0) and number(one.counts["SUSPENDED"]),
        "overdue": one.overdue and number(one.overdue),
        "approved": number(ended["APPROVED"]), "rejected": number(ended["REJECTED"]),
        "bars": bars(visit, ended),
        "earlier": number(earlier) if earlier else "", "move": moves_at(one.approval),
        "took": span_text(visit, figures.duration.median_s) if figures else "",
    }  # fmt: skip


def bars(visit: Visit, ended: Mapping[str, int]) -> list[dict[str, Any]]:
    """How those that have ended did, as parts of 100."""
    total = sum(ended.values())
    found, at = [], 0.0
    for state, count in ended.items():
        width = 100 * count / total if total else 0
        if width:
            label = f"{state_label(visit.say, state)}: {visit.formats.number(count)}"
            found.append({"x": f"{at:.2f}", "width": f"{width:.2f}", "state": state.lower(), "label": label})
        at += width
    return found


def steps_view(visit: Visit, figures: ApprovalFigures) -> dict[str, Any]:
    """How one approval went, step by step."""
    approval = visit.ctx.snapshot.definitions.processes.approvals.get(figures.approval)
    labels = {node.name: visit.text(node.label) for node in nodes_in(approval.flow)} if approval else {}
    longest = max((one.duration.median_s or 0 for one in figures.nodes), default=0)
    say, number = visit.say, visit.formats.number
    return {
        "label": visit.text(approval.label) if approval else figures.approval,
        "facts": [
            {"label": say("Half of them take at most"), "value": span_text(visit, figures.duration.median_s)},
            {"label": say("Nine of ten take at most"), "value": span_text(visit, figures.duration.p90_s)},
            {"label": say("Returned"), "value": share_text(visit, figures.returned)},
            {"label": say("Rejected"), "value": share_text(visit, figures.rejected)},
            {"label": say("Tasks overdue"), "value": share_text(visit, figures.overdue)},
            {"label": say("Steps that nobody or one person decided"),
             "value": share_text(visit, figures.compression.rate)},
        ],
        "nodes": [
            {
                "label": labels.get(one.node, one.node), "count": number(one.entered),
                "median": span_text(visit, one.duration.median_s), "p90": span_text(visit, one.duration.p90_s),
                "width": f"{100 * (one.duration.median_s or 0) / longest:.1f}" if longest else "0",
                "returned": share_text(visit, one.returned), "rejected": share_text(visit, one.rejected),
                "overdue": share_text(visit, one.overdue),
            }
            for one in figures.nodes
        ],
    }  # fmt: skip


def span_text(visit: Visit, seconds: int | None) -> str:
    """To the minute; "" where nothing has ended."""
    return "" if seconds is None else duration(seconds // 60 * 60, visit.say)


def share_text(visit: Visit, share: float | None) -> str:
    return "" if share is None else visit.formats.percent(round(100 * share))


def row_view(visit: Visit, one: Running) -> dict[str, Any]:
    return {
        "href": f"/approvals/{one.id}", "title": title_or(visit, one.title), "label": one.label,
        "state": state_pill(visit, one.state), "reason": one.reason, "who": who(visit, one.submitter),
        "since": visit.formats.ago(one.started_at, visit.ctx.now), "exact": visit.formats.datetime(one.started_at),
        "nodes": visit.say(", ").join(one.nodes), "waiting": names(visit, one.waiting),
        "round": one.round if one.round > 1 else "",
        "due": deadline_view(visit, one.due_at, one.is_overdue) if one.state == "RUNNING" else None,
    }  # fmt: skip

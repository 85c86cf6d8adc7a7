"""What somebody does with a task or an approval: a dialog per action, which asks exactly what it needs."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict, EngineError, NotFound
from engine.people.attempts import TooManyAttempts
from engine.process.approval.service import ActionView, Approvals, Chooses, InstanceView, Person, TaskView
from metadata.model import Field, Object
from metadata.processes import APPROVAL_STATUS
from ui.screens.approval_files import attachments_sent, attachments_widget
from ui.screens.approval_lines import line_grids, sent_lines
from ui.screens.approval_record import inputs_of, inputs_view, read_values, shown_to
from ui.screens.approval_words import (
    ICONS,
    action_hint,
    action_label,
    comment_label,
    person_name,
    title_or,
)  # fmt: skip
from ui.screens.forms import form_fields
from ui.screens.objects import is_written
from ui.screens.refusals import label_at, problems_of, text_of
from ui.visit import Visit, safe_address, with_query
from ui.widgets import widget_view

__all__ = ["act", "act_on", "action_page", "action_views", "instance_action_page", "people_widget"]

ONE = frozenset({"transfer", "delegate", "reassign"})  # actions that ask one person
DECISIONS = ("approve", "complete", "reject", "return")
MAIN = ("approve", "complete", "reject", "return")
USERS = "user"


@dataclass(frozen=True, slots=True)
class Place:
    """What the action is done to. `at`: its address without the action."""

    at: str
    action: ActionView
    instance: InstanceView
    task: TaskView | None = None

    @property
    def back(self) -> str:
        return f"/inbox/{self.task.task}" if self.task else f"/approvals/{self.instance.id}"


def action_page(visit: Visit) -> Response:
    return show(visit, task_place(visit))


def instance_action_page(visit: Visit) -> Response:
    return show(visit, instance_place(visit))


def task_place(visit: Visit) -> Place:
    """Raises NotFound for what the person takes no part in, Conflict for what they may not do (any more)."""
    name, task = visit.request.path_params["action"], Approvals(visit.ctx).task(visit.request.path_params["task"])
    found = next((one for one in task.actions if one.name == name), None)
    if found is None:
        raise no_longer(name, [one.name for one in task.actions])
    return Place(f"/inbox/{task.task}", found, task.instance, task)


def instance_place(visit: Visit) -> Place:
    name, instance = visit.request.path_params["action"], Approvals(visit.ctx).instance(visit.request.path_params["id"])
    found = next((one for one in instance.actions if one.name == name), None)
    if found is None:
        raise no_longer(name, [one.name for one in instance.actions])
    return Place(f"/approvals/{instance.id}", found, instance)


def no_longer(name: str, others: Sequence[str]) -> Conflict:
    fix = f"what is possible now: {', '.join(others)}" if others else "look at it again"
    return Conflict(f"'{name[:40]}' is not possible here now", code="approval.action", fix=fix)


# -- the dialog


def show(
    visit: Visit, place: Place, status: int = 200, refusal: EngineError | None = None
) -> Response:  # fmt: skip
    definition = visit.ctx.snapshot.definitions.objects[place.instance.object]
    action = place.action
    errors, notices = told(visit, definition, action, refusal)
    is_in_sheet = visit.is_part
    label = action_label(visit.say, action.name)
    # In a dialog over the task's page, the inputs of that page are sent along.
    has_inputs = place.task is not None and "values" in action.asks and not (is_in_sheet and came_from_task(visit))
    return visit.render(
        "action.html" if is_in_sheet else "action_page.html", status, title=label, label=label,
        name=action.name, icon_name=ICONS.get(action.name, "check"), hint=action_hint(visit.say, action.name),
        about=title_or(visit, place.instance.title), approval=place.instance.label,
        node=place.task.node_label if place.task else "", address=f"{place.at}/{action.name}",
        in_sheet=is_in_sheet, back=back_of(visit, place), current="inbox", notices=notices, errors=errors,
        comment={
            "label": comment_label(visit, action.name, action.is_override), "value": visit.sent("comment"),
            "required": "comment" in action.needs,
        } if "comment" in action.asks else None,
        attachments=attachments_widget(visit, errors.get("attachments", "")) if "attachments" in action.asks else None,
        targets=targets_view(visit, action), decisions=decisions_view(visit, action),
        methods=methods_view(visit, action),
        people=people_of(visit, place, errors), chosen=chosen_view(visit, action.chooses, errors, "chosen"),
        password="password" in action.asks, inputs=inputs_for(visit, place, has_inputs, errors),
        grids=grids_for(visit, place, errors),
        includes="#task-inputs" if is_in_sheet and not has_inputs and place.task and "values" in action.asks else "",
        key=visit.sent("key") or secrets.token_urlsafe(18), is_danger=action.name in ("reject", "cancel", "withdraw"),
        origin=origin_of(visit),
    )  # fmt: skip


def inputs_for(
    visit: Visit, place: Place, has_inputs: bool, errors: Mapping[str, str]
) -> list[dict[str, Any]]:  # fmt: skip
    """Fields of the step; of a new record that waits those that its author may write."""
    definition = visit.ctx.snapshot.definitions.objects[place.instance.object]
    sent = visit.form or None
    if place.task is not None:
        return inputs_view(visit, definition, place.task, sent, errors) if has_inputs else []
    if "values" not in place.action.asks:
        return []
    values = shown_to(visit, place.instance).values
    required = [name for name, one in definition.fields.items() if one.is_required]
    return inputs_of(visit, definition, own_fields(visit, definition, values), required, values, sent, errors)


def grids_for(visit: Visit, place: Place, errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """The lines of a new record that waits."""
    if place.task is not None or "values" not in place.action.asks:
        return []
    definition = visit.ctx.snapshot.definitions.objects[place.instance.object]
    return line_grids(visit, definition, shown_to(visit, place.instance), errors)


def own_fields(visit: Visit, definition: Object, values: Mapping[str, Any]) -> list[str]:
    """Of a new record's form, but for its lines."""
    kinds = visit.ctx.snapshot.plugins.fields
    names = form_fields(visit, definition, str(values.get("record_type") or ""))
    return [
        name for name in names
        if (one := definition.fields.get(name)) is not None and name != APPROVAL_STATUS and not one.is_list_of_records
        and not kinds[one.type].is_secret and is_written(visit, definition, name, True)
    ]  # fmt: skip


def came_from_task(visit: Visit) -> bool:
    return origin_of(visit) == "task"


def origin_of(visit: Visit) -> str:
    """The page over which the dialog stands: "task" has inputs of its own."""
    found = visit.sent("on") or visit.request.query_params.get("on", "")
    return "task" if found == "task" else ""


def back_of(visit: Visit, place: Place) -> str:
    asked = visit.sent("back") or visit.request.query_params.get("back", "")
    return safe_address(asked) if asked else ""


def told(
    visit: Visit, definition: Object, action: ActionView, refusal: EngineError | None
) -> tuple[dict[str, str], list[str]]:  # fmt: skip
    """The problems at their fields, and those of the whole."""
    errors: dict[str, str] = {}
    loose: list[str] = []
    for problem in problems_of(refusal) if refusal is not None else ():
        path = problem.path
        name = path.removeprefix("values.")
        text = text_of(visit, definition, problem)
        if path.partition(".")[0] in action.asks and not path.startswith("values"):
            errors.setdefault(path, text)
        elif path.startswith("values."):
            label = label_at(visit, definition, name, text)
            errors.setdefault(path, text)
            if visit.is_part:
                loose.append(f"{label}: {text}" if label else text)
        else:
            loose.append(text)
    return errors, loose


def targets_view(visit: Visit, action: ActionView) -> list[dict[str, Any]]:
    if "target" not in action.asks:
        return []
    now = visit.sent("target") or (action.targets[0].node if action.targets else "")
    return [
        {"value": one.node, "is_chosen": one.node == now,
         "label": visit.say("Who submitted it") if one.node == "start" else one.label or one.node}
        for one in action.targets
    ]  # fmt: skip


def decisions_view(visit: Visit, action: ActionView) -> list[dict[str, Any]]:
    if "decision" not in action.asks:
        return []
    now = visit.sent("decision")
    both = (("approved", visit.say("Approve")), ("rejected", visit.say("Reject")))
    return [{"value": value, "label": label, "is_chosen": value == now} for value, label in both]


def methods_view(visit: Visit, action: ActionView) -> list[dict[str, Any]]:
    if "method" not in action.asks:
        return []
    now, say = visit.sent("method") or "all", visit.say
    those = (("all", say("All of them")), ("any", say("One of them")), ("sequence", say("One after the other")))
    return [{"value": value, "label": label, "is_chosen": value == now} for value, label in those]


def people_of(visit: Visit, place: Place, errors: Mapping[str, str]) -> dict[str, Any] | None:
    action = place.action
    if "users" not in action.asks:
        return None
    among: Sequence[Person] = ()
    label = visit.say("Person") if action.name in ONE else visit.say("People")
    if action.name == "comment":
        among, label = around(place.instance, visit.ctx.actor.id), visit.say("Ask")
        if not among:
            return None
    return people_widget(
        visit, "users", label, several=action.name not in ONE, required="users" in action.needs,
        error=errors.get("users", ""), among=among,
    )  # fmt: skip


def around(instance: InstanceView, me: str) -> list[Person]:
    """Those who take part, besides the person."""
    found = [instance.submitter, *(one.person for one in instance.open if one.person is not None)]
    found += [line.person for line in instance.history if line.person is not None] + list(instance.cc)
    return list({one.id: one for one in found if one.id and one.id != me}.values())


def people_widget(
    visit: Visit, name: str, label: str, *, several: bool, required: bool, error: str = "",
    among: Sequence[Person] = (),
) -> dict[str, Any]:  # fmt: skip
    """A lookup of users, or the few people among whom there is a choice."""
    sent = [one for one in visit.form.get(name, ()) if one]
    if among or not visit.ctx.scope.can("read", USERS):
        return {
            "name": name, "label": label, "several": several, "required": required, "error": error,
            "among": [{"id": one.id, "name": person_name(visit, one), "is_chosen": one.id in sent} for one in among],
        }  # fmt: skip
    kind = "multi_reference" if several else "reference"
    targets = {"targets": (USERS,)} if several else {"target": USERS}
    field = Field(name, kind, {"en": label}, is_required=required, **targets)  # type: ignore[arg-type]
    view = widget_view(visit, USERS, field, None, sent=sent or None, error=error)
    return {"w": view | {"label": label, "new": ""}, "name": name}


def chosen_view(
    visit: Visit, chooses: Sequence[Chooses], errors: Mapping[str, str], prefix: str
) -> list[dict[str, Any]]:  # fmt: skip
    """Who is asked at nodes that come, where it is for this person to say."""
    return [
        people_widget(
            visit, f"{prefix}.{one.node}", visit.say("Who is asked at “{step}”", step=one.label or one.node),
            several=True, required=True, error=errors.get(f"chosen.{one.node}", ""), among=one.people,
        )
        for one in chooses
    ]  # fmt: skip


# -- what was sent


def act(visit: Visit) -> Response:
    place = task_place(visit)
    assert place.task is not None
    task = place.task.task
    try:
        Approvals(visit.ctx).act(task, place.action.name, visit.sent("password"), **given(visit, place))
    except (BadInput, Conflict, TooManyAttempts) as refusal:
        return show(visit, place, status_of(refusal), refusal)
    return after(visit, place)


def act_on(visit: Visit) -> Response:
    place = instance_place(visit)
    try:
        Approvals(visit.ctx).act_on(place.instance.id, place.action.name, **given(visit, place))
    except (BadInput, Conflict) as refusal:
        return show(visit, place, status_of(refusal), refusal)
    return after(visit, place)


def status_of(refusal: EngineError) -> int:
    return 409 if isinstance(refusal, Conflict) else 429 if isinstance(refusal, TooManyAttempts) else 422


def given(visit: Visit, place: Place) -> dict[str, Any]:
    asks = place.action.asks
    found: dict[str, Any] = {"key": visit.sent("key")[:200]}
    if "comment" in asks:
        found["comment"] = visit.sent("comment").strip()
    if "attachments" in asks:
        found["attachments"] = attachments_sent(visit)
    if "users" in asks:
        found["users"] = tuple(one for one in visit.form.get("users", ()) if one)
    for name in ("target", "method", "decision"):
        if name in asks:
            found[name] = visit.sent(name)
    if "chosen" in asks and place.action.chooses:
        found["chosen"] = {
            one.node: [user for user in visit.form.get(f"chosen.{one.node}", ()) if user]
            for one in place.action.chooses
        }
    if "values" in asks and place.task is not None:
        definition = visit.ctx.snapshot.definitions.objects[place.instance.object]
        found["values"] = changed(visit, place.task, read_values(visit, definition, place.task.editable))
    if "values" in asks and place.task is None:
        definition = visit.ctx.snapshot.definitions.objects[place.instance.object]
        shown = shown_to(visit, place.instance)
        held = shown.values
        read = read_values(visit, definition, own_fields(visit, definition, held))
        found["values"] = {name: value for name, value in read.items() if value != held.get(name)}
        found["values"] |= sent_lines(visit, definition, shown)
    return found


def changed(visit: Visit, task: TaskView, values: Mapping[str, Any]) -> dict[str, Any]:
    """What was left as it was is not a change of this person's."""
    held = shown_to(visit, task.instance, task).values
    return {name: value for name, value in values.items() if value != held.get(name)}


def after(visit: Visit, place: Place) -> Response:
    """Back to where it was done; after a decision to the inbox, where the next task is offered."""
    action, back = place.action.name, back_of(visit, place)
    toast = {"code": f"approval_{action}", "title": title_or(visit, place.instance.title)}
    if action in DECISIONS and place.task is not None:
        rows = Approvals(visit.ctx).inbox("todo", limit=2).rows
        following = next((one for one in rows if one.task != place.task.task), None)
        if following is not None:
            toast |= {"next": following.task, "next_title": title_or(visit, following.title)}
        return visit.go(back or "/inbox", toast)
    return visit.go(back or place_after(visit, place), toast)


def place_after(visit: Visit, place: Place) -> str:
    """Whoever has handed a task on may see it still: they took part."""
    if place.task is None:
        return f"/approvals/{place.instance.id}"
    try:
        Approvals(visit.ctx).task(place.task.task)
    except NotFound:
        return "/inbox"
    return place.back


# -- the buttons


def action_views(
    visit: Visit, actions: Sequence[ActionView], at: str, more: Sequence[tuple[str, str]] = ()
) -> list[dict[str, Any]]:  # fmt: skip
    """`more`: what the address of each dialog tells it."""
    return [
        {
            "name": one.name, "label": action_label(visit.say, one.name), "icon": ICONS.get(one.name, "check"),
            "href": with_query(f"{at}/{one.name}", more), "is_main": one.name in MAIN, "is_override": one.is_override,
        }
        for one in actions
    ]  # fmt: skip

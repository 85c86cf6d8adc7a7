"""What sets automations off, and what their steps do, in a person's words."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from babel.dates import get_day_names

from engine.contracts.action import Action
from metadata.model import Field, Object
from metadata.processes import Automation, Part, PartKind, Span
from ui.columns import field_of
from ui.texts import part_words
from ui.visit import Visit
from ui.widgets import lowered

__all__ = ["Fact", "condition_facts", "event_text", "option_text", "phase_icon", "schedule_text",
           "span_text", "step_view", "trigger_text"]  # fmt: skip

ICONS: Mapping[str, str] = {
    "before_save": "shield-check", "after_save": "bolt", "after_commit": "bolt", "schedule": "clock",
    "date": "calendar-time", "webhook": "world", "button": "player-play", "event": "bell",
}  # fmt: skip
STEP_ICONS = (
    ("outside", "send"),
    ("create", "plus"),
    ("update", "edit"),
    ("delete", "trash"),
    ("record", "pencil"),
    ("people", "bell"),
    ("filters", "search"),
)
STEP_TONES = {"outside": "orange", "create": "green", "update": "blue", "delete": "red", "record": "indigo"}
ALL_DAYS, OFFICE_DAYS = "*", "1-5"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SHOWN = 400  # characters of one option


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a card: `is_code` for a formula, which stands as it was written."""

    label: str
    text: str
    is_code: bool = False


def phase_icon(rule: Automation) -> str:
    return ICONS.get(rule.phase, "bolt")


def trigger_text(visit: Visit, rule: Automation) -> str:
    """When it starts, in a sentence."""
    say = visit.say
    if rule.phase == "schedule":
        return schedule_text(visit, rule.schedule)
    if rule.phase == "date":
        return date_text(visit, rule)
    if rule.phase == "webhook":
        return say("When another system calls it")
    if rule.phase == "button":
        return say("When somebody presses '{label}'", label=visit.text(rule.button) or visit.text(rule.label))
    if rule.phase == "event":
        return say(", ").join(event_text(visit, one) for one in rule.on)
    return save_text(visit, rule)


def save_text(visit: Visit, rule: Automation) -> str:
    say, on = visit.say, frozenset(rule.on)
    definition = visit.ctx.snapshot.definitions.objects.get(rule.object)
    values = {"object": one_of(visit, visit.text(definition.label) if definition else rule.object)}
    new = {"object": lowered(visit.text(definition.label) if definition else rule.object, visit.language)}
    if rule.phase == "before_save":
        texts = {
            frozenset({"create"}): say("Before a new {object} is saved", **new),
            frozenset({"update"}): say("Before a change of {object} is saved", **values),
            frozenset({"delete"}): say("Before {object} is deleted", **values),
            frozenset({"create", "update"}): say("Before {object} is saved", **values),
        }
        return texts.get(on) or say("Before {object} is saved or deleted", **values)
    texts = {
        frozenset({"create"}): say("When {object} is created", **values),
        frozenset({"update"}): say("When {object} is changed", **values),
        frozenset({"delete"}): say("When {object} is deleted", **values),
        frozenset({"create", "update"}): say("When {object} is created or changed", **values),
    }
    return texts.get(on) or say("When {object} is created, changed or deleted", **values)


def one_of(visit: Visit, label: str) -> str:
    """ "a lead", "an order"; where a language has no articles the label alone."""
    name = lowered(label, visit.language)
    if visit.language != "en":
        return name
    return f"an {name}" if name[:1].casefold() in "aeio" else f"a {name}"


def event_text(visit: Visit, event: str) -> str:
    """Of an event that is not known here its name."""
    say = visit.say
    texts = {
        "approval.submitted": say("When an approval is submitted"),
        "approval.approved": say("When an approval is approved"),
        "approval.rejected": say("When an approval is rejected"),
        "approval.returned": say("When an approval is sent back"),
        "approval.withdrawn": say("When an approval is withdrawn"),
        "approval.cancelled": say("When an approval is cancelled"),
        "import.finished": say("When an import has ended"),
        "metadata.published": say("When definitions were published"),
    }
    return texts.get(event, event)


def date_text(visit: Visit, rule: Automation) -> str:
    say = visit.say
    definition = visit.ctx.snapshot.definitions.objects.get(rule.object)
    values = {"field": path_text(visit, definition, rule.date), "span": span_text(visit, rule.offset)}
    if rule.offset is None or rule.offset.amount == 0:
        text = say("On the day of {field}", **values) if rule.at else say("At {field}", **values)
    elif rule.offset.amount < 0:
        text = say("{span} before {field}", **values)
    else:
        text = say("{span} after {field}", **values)
    return say("{when}, at {time}", when=text, time=rule.at) if rule.at else text


def span_text(visit: Visit, span: Span | None) -> str:
    if span is None:
        return ""
    say, count = visit.say, abs(span.amount)
    if count == 1:
        one = {"minutes": say("1 minute"), "hours": say("1 hour"), "days": say("1 day"),
               "workhours": say("1 working hour"), "workdays": say("1 working day")}  # fmt: skip
        return one[span.unit]
    many = {
        "minutes": say("{count} minutes", count=count), "hours": say("{count} hours", count=count),
        "days": say("{count} days", count=count), "workhours": say("{count} working hours", count=count),
        "workdays": say("{count} working days", count=count),
    }  # fmt: skip
    return many[span.unit]


def schedule_text(visit: Visit, cron: str) -> str:
    """What many schedules are, in words; any other as it was written."""
    say, parts = visit.say, cron.split()
    if len(parts) != 5 or parts[3] != "*":
        return say("On the schedule {cron}", cron=cron)
    minute, hour, day, _, weekday = parts
    if day == weekday == "*" and hour == "*":
        if found := re.fullmatch(r"\*/(\d+)", minute):
            return say("Every {count} minutes", count=found[1])
        if minute.isdecimal():
            return say("Every hour at minute {minute}", minute=minute.zfill(2))
    if minute.isdecimal() and hour.isdecimal():
        at = f"{hour.zfill(2)}:{minute.zfill(2)}"
        if day == "*" and weekday == ALL_DAYS:
            return say("Every day at {time}", time=at)
        if day == "*" and (days := days_text(visit, weekday)):
            return say("{days} at {time}", days=days, time=at)
        if day.isdecimal() and weekday == "*":
            return say("On day {day} of each month at {time}", day=day, time=at)
    return say("On the schedule {cron}", cron=cron)


def days_text(visit: Visit, said: str) -> str:
    if said == OFFICE_DAYS:
        return visit.say("Monday to Friday")
    names = get_day_names("wide", locale=visit.formats.locale)
    numbers = [int(one) % 7 for one in said.split(",") if one.isdecimal()]
    if len(numbers) != said.count(",") + 1:
        return ""
    return visit.say(", ").join(names[(number - 1) % 7] for number in numbers)


def condition_facts(visit: Visit, rule: Automation) -> list[Fact]:
    """What a record must be to set it off."""
    say, facts = visit.say, []
    definition = visit.ctx.snapshot.definitions.objects.get(rule.object)
    if rule.changed:
        names = say(", ").join(path_text(visit, definition, one) for one in rule.changed)
        facts.append(Fact(say("One of these has changed"), names))
    if rule.when:
        facts.append(Fact(say("This becomes true") if rule.becomes else say("This is true"), rule.when, True))
    return facts


def step_view(visit: Visit, part: Part, object_name: str) -> dict[str, Any]:
    """A step's card: title, what it does in general, and what exactly."""
    action: Action | None = visit.ctx.snapshot.plugins.actions.get(part.kind)
    kind = action.kind() if action is not None else PartKind(part.kind, {})
    mark = (
        "outside"
        if kind.is_outside
        else kind.writes or ("people" if kind.people else "filters" if kind.filters else "")
    )
    title, doc = part_words(part.kind, visit.language)
    return {
        "icon": dict(STEP_ICONS).get(mark, "point-filled"), "tone": STEP_TONES.get(mark, "purple"),
        "title": visit.text(part.label) or title or words_of(part.kind), "doc": doc or kind.doc, "when": part.when,
        "facts": list(option_facts(visit, kind, kind.given(part.options), object_name)),
    }  # fmt: skip


def option_facts(visit: Visit, kind: PartKind, options: Mapping[str, Any], object_name: str) -> Iterator[Fact]:
    about = str(options.get(kind.about) or object_name) if kind.about else object_name
    definition = visit.ctx.snapshot.definitions.objects.get(about)
    if kind.values == "*":
        yield from value_facts(visit, definition, options)
        return
    for name, said in options.items():
        if name == kind.values and isinstance(said, Mapping):
            yield from value_facts(visit, definition, said)
        elif name in kind.people:
            yield Fact(option_text(visit, name), visit.say(", ").join(people_texts(visit, said)))
        elif name in (*kind.formulas, *kind.filters):
            yield Fact(option_text(visit, name), cut(str(said)), True)
        elif name in kind.refers:
            yield Fact(option_text(visit, name), named_text(visit, kind.refers[name], said))
        elif name in (*kind.paths, *kind.fields):
            texts = [path_text(visit, definition, str(one)) for one in as_list(said)]
            yield Fact(option_text(visit, name), visit.say(", ").join(texts))
        else:
            yield plain_fact(visit, option_text(visit, name), choice_text(visit, name, said))


def value_facts(visit: Visit, definition: Object | None, values: Mapping[str, Any]) -> Iterator[Fact]:
    """Field and what it gets, with the labels of choices."""
    for name, said in values.items():
        field = field_of(definition, name) if definition is not None else None
        label = visit.text(field.label) if field is not None else name
        if isinstance(said, str) and said.startswith("="):
            yield Fact(label, cut(said[1:].strip()), True)
        else:
            yield Fact(label, value_text(visit, field, said))


def value_text(visit: Visit, field: Field | None, said: Any) -> str:
    labels = {one.value: visit.text(one.label) for one in field.choices} if field is not None else {}
    if said is None:
        return visit.say("empty")
    if isinstance(said, bool):
        return visit.say("Yes") if said else visit.say("No")
    return cut(visit.say(", ").join(str(labels.get(one, one)) for one in as_list(said)))


def plain_fact(visit: Visit, label: str, said: Any) -> Fact:
    """An option of any shape: texts by language are said in the person's."""
    if isinstance(said, Mapping):
        if said and all(isinstance(one, str) for one in said.values()) and visit.language in {"en", *said}:
            return Fact(label, cut(visit.text(said)))
        return Fact(label, cut(", ".join(f"{name}: {one}" for name, one in said.items())), True)
    if isinstance(said, str) and said.startswith("="):
        return Fact(label, cut(said[1:].strip()), True)
    return Fact(label, value_text(visit, None, said))


def people_texts(visit: Visit, said: Any) -> Iterator[str]:
    """Sources of people: what they are called, and what they name."""
    approvers = visit.ctx.snapshot.plugins.approvers
    for one in as_list(said):
        name, options = one, {}
        if isinstance(one, Mapping):
            name = next(iter(one), "")
            options = one[name] if isinstance(one.get(name), Mapping) else {"value": one.get(name)}
        if isinstance(name, str) and name.startswith("="):
            yield name[1:].strip()
            continue
        source = approvers.get(name)
        kind = source.kind() if source is not None else PartKind(str(name), {})
        title, _ = part_words(str(name), visit.language)
        shown = [
            named_text(visit, kind.refers.get(option, ""), value)
            for option, value in kind.given(options).items() if value not in (None, True, "")
        ]  # fmt: skip
        label = title or words_of(str(name))
        yield visit.say("{name}: {values}", name=label, values=visit.say(", ").join(shown)) if shown else label


def named_text(visit: Visit, what: str, said: Any) -> str:
    """The label of something of the definitions."""
    definitions = visit.ctx.snapshot.definitions
    known: Mapping[str, Mapping[str, Any]] = {
        "object": definitions.objects, "role": definitions.roles, "template": definitions.processes.templates,
        "calendar": definitions.processes.calendars, "approval": definitions.processes.approvals,
        "automation": definitions.processes.automations,
    }  # fmt: skip
    labels = [
        visit.text(known[what][one].label) if what in known and one in known[what] else str(one)
        for one in as_list(said)
    ]
    return cut(visit.say(", ").join(labels))


def path_text(visit: Visit, definition: Object | None, path: str) -> str:
    """ "Account › Region", as far as the steps are known."""
    labels = []
    for step in path.split("."):
        field = field_of(definition, step) if definition is not None else None
        labels.append(visit.text(field.label) if field is not None else step)
        definition = visit.ctx.snapshot.definitions.objects.get(field.target or "") if field is not None else None
    return " › ".join(labels)


def option_text(visit: Visit, name: str) -> str:
    """The name of an option. Those of the built-in actions are translated."""
    say = visit.say
    texts = {
        "to": say("To"), "cc": say("Copy to"), "template": say("Template"), "subject": say("Subject"),
        "body": say("Text"), "message": say("Message"), "field": say("Field"), "fields": say("Fields"),
        "object": say("Object"), "record": say("Record"), "filter": say("Filter"), "sort": say("Order"),
        "most": say("At most"), "by": say("By"), "among": say("Among"), "for": say("For"), "until": say("Until"),
        "calendar": say("Calendar"), "approval": say("Approval"), "address": say("Address"), "url": say("Address"),
        "match": say("Matching"), "queue": say("Queue"), "automation": say("Automation"), "name": say("Name"),
        "values": say("Values"), "headers": say("Headers"), "where": say("Where"), "as": say("As"),
    }  # fmt: skip
    return texts.get(name) or words_of(name)


def choice_text(visit: Visit, name: str, said: Any) -> Any:
    """What an option of the built-in actions offers, in words; all else as it is."""
    say = visit.say
    ways = {
        "round_robin": say("In turn"),
        "least_loaded": say("Whoever has least"),
        "first": say("Whom a formula fits first"),
    }
    return ways.get(said, said) if name == "by" and isinstance(said, str) else said


def words_of(name: str) -> str:
    return name.replace("_", " ").capitalize()


def as_list(said: Any) -> Iterable[Any]:
    return said if isinstance(said, list | tuple) else (said,)


def cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"

"""Approvals, workflows, automations, templates and calendars with anything anywhere: problems, and no exception."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.registry import Plugins
from metadata.codec import digest, dump, parse
from metadata.model import Loaded
from metadata.package import load
from tests.depth import at_depth

Write = Callable[[Mapping[str, str]], Path]
OBJECTS = """
object: quote
sharing: private
fields:
  name: {type: text, unique: true}
  amount: {type: integer, default: {formula: 1 + 1}}
  stage: {type: choice, choices: {draft: Draft, sent: Sent, won: Won}}
  due: {type: date}
  boss: {type: reference, to: user}
  friends: {type: multi_reference, to: user}
  lines: {type: table, of: line}
  total: {type: rollup, of: lines, operation: sum, field: price, returns: integer}
---
object: line
kind: child
fields: {name: {type: text}, price: {type: integer}, quote: {type: reference, to: quote, master: true}}
---
role: sales
objects: {quote: {can: [read, update], rows: amount > 1, fields: {due: read}}}
"""
PROCESSES = """
approval: big
object: quote
when: amount > 5
submit_by: {roles: [sales], if: owner == user.id}
trigger: {update: amount > 3}
lock: {exempt: [due], unlock_on: [approved]}
resubmit: {material: [amount, lines.price], material_if: PRIOR(amount) != amount, most_rounds: 2}
summary: [amount, boss.name]
calendar: office
notify: {asked: told}
on:
  approve: [{set: {stage: won}}]
  reject: {notify: {to: [owner, {field: boss, when: amount > 1}], subject: "{name}"}}
flow:
  - approve: boss
    approvers: [{manager_chain: {up_to: 2}, when: amount > 5, weight: 2}, owner, {role: sales}]
    mode: {vote: 60%}
    empty: admin
    editable: [due]
    hidden: [lines.price]
    due: 2 workdays
    timers: [{after: 1 workday, do: escalate, how: parallel, to: {role: sales}}]
    may_return_to: [start]
  - condition: size
    branches:
      - {branch: large, when: amount > 10, flow: [{approve: all, approvers: {field: boss}, next: told}]}
      - {branch: small, else: true, flow: [{delay: rest, until: due}]}
  - inclusive: both
    branches:
      - {branch: a, when: amount > 1, flow: [{subprocess: inner, process: small}]}
      - {branch: b, else: true, flow: [{action: act, do: [{create: {object: quote, values: {boss: =boss}}, as: made}]}]}
  - {cc: told, to: [{role: sales}]}
  - {approve: last, approvers: [{role: sales, group: g}], mode: {per_group: {g: 1}}}
  - {handle: send, approvers: submitter, required: [due]}
  - {end: approved}
---
approval: small
object: quote
flow: [{approve: one, approvers: [{user: admin}, {chosen_by_submitter: {min: 1}}]}]
---
workflow: stages
object: quote
field: stage
moves: [forward]
states: [{state: draft}, {state: sent, required: [due], on_enter: [{set: {due: =TODAY()}}]}, {state: won, final: true}]
transitions:
  - {transition: win, from: [sent], to: won, when: amount > 0, message: No, roles: [sales], do: [{refuse: No}]}
---
automation: saved
object: quote
on: [create]
changed: [amount]
when: amount > 1
becomes: true
do:
  - {find: {object: quote, filter: boss == record.boss}, as: found}
  - {update: {object: quote, record: found, values: {amount: 1}}}
---
automation: called
webhook: {key: body.id, signature: {header: X-Sign}}
run_as: admin
do:
  - {create: {object: quote, values: {name: "{body.name}"}}, as: made}
  - {mail: {address: a@example.com, subject: "{made.name}"}}
---
automation: dated
object: quote
date: {field: due, offset: -3 workdays, at: "09:00", calendar: office}
run_as: admin
do: [{wait: 1 day}, {assign: {by: first, among: [{role: sales}]}}, {submit: big}, {start: {automation: saved}}]
---
template: told
object: quote
subject: {en: "{{ record.name }}"}
body: "{% for line in record.lines %}{{ line.price }}{% endfor %}{% if raw.stage == 'won' %}x{% endif %}"
---
calendar: office
zone: Asia/Shanghai
hours: {mon: "09:00-12:00", tue: ["09:00-12:00", "13:00-18:00"]}
holidays: [2026-10-01, {date: 2026-10-02, until: 2026-10-04}]
workdays: [2026-10-10]
---
data: quote
records: [{_key: one, name: One, boss: admin, friends: [admin], lines: [{name: x, price: 1}]}]
---
scenario: done
steps:
  - {at: now-2d, as: admin, submit: {record: quote.one, approval: big}}
  - {at: now-1d, as: admin, approve: {node: boss}}
"""
ANYTHING: list[Any] = [
    None, True, False, 0, -1, 10**30, 1.5, "", " ", "x", "中文", "=id", "{name}", "{{ x }}", "{% for x in y %}", "self",
    "start", "user", "record", "*", "a" * 300, "2 workdays", "0 days", "999999999 days", "2026-02-30", "60%", "2/0", {},
    [], [None], [[]], {"x": None}, ["x", "x"], {"": 1}, "not (", "true", "a.b.c.d.e.f.g.h", "PRIOR(x)", "\u202e",
    "boss",
]  # fmt: skip


def read(write: Write, plugins: Plugins, documents: list[Any]) -> Loaded:
    files = {f"{index:02}.json": json.dumps(one) for index, one in enumerate(documents)}
    return load([write(files)], plugins.kinds(), plugins.functions, plugins.parts(), has_lint=True)


def documents_in(text: str) -> list[Any]:
    return [typed(one) for one in yaml.load_all(text, yaml.BaseLoader)]


def typed(value: Any) -> Any:
    """`on` stays a text, as in YAML 1.2."""
    if isinstance(value, dict):
        return {key: typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [typed(one) for one in value]
    return {"true": True, "false": False}.get(value, int(value) if value.isdecimal() else value)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(value[key], (*at, key))


def holder(document: Any, place: tuple[Any, ...]) -> Any:
    for step in place[:-1]:
        document = document[step]
    return document


def torn(chance: random.Random, documents: list[Any]) -> None:
    """One thing is taken out, put in, renamed, doubled or replaced."""
    document = chance.choice(documents)
    place = chance.choice(list(places(document)))
    within, key = holder(document, place), place[-1]
    match chance.randrange(6):
        case 0:
            del within[key]
        case 1 if isinstance(within, list):
            within.insert(chance.randrange(len(within) + 1), deepcopy(within[key]))
        case 2:
            within[key] = [within[key]]
        case 3:
            other = chance.choice(documents)
            found = chance.choice(list(places(other)))
            within[key] = deepcopy(holder(other, found)[found[-1]])
        case _:
            within[key] = deepcopy(chance.choice(ANYTHING))


def test_what_is_torn_is_sound(write: Write, plugins: Plugins) -> None:
    texts = {"objects.yaml": OBJECTS, "processes.yaml": PROCESSES}
    loaded = load([write(texts)], plugins.kinds(), plugins.functions, plugins.parts())
    assert [str(one) for one in loaded.problems if one.level == "error"] == []


def test_anything_anywhere_is_a_problem_with_its_place(write: Write, plugins: Plugins) -> None:
    whole = [one for text in (OBJECTS, PROCESSES) for one in documents_in(text)]
    for seed in range(at_depth(5, 1500)):
        chance, documents = random.Random(seed), deepcopy(whole)
        for _ in range(chance.randrange(1, 4)):
            torn(chance, documents)
        found = read(write, plugins, documents)
        assert all(one.message and one.place.file and one.place.line for one in found.problems), seed
        assert digest(parse(dump(found.definitions))) == digest(found.definitions), seed


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("friends: [admin]", "friends: [[admin]]", "'friends' holds _keys of records of 'user', as texts"),
        ("name: One,", "name: {x: 1},", "the value does not fit 'name': {…} is an object; text is expected"),
        ("operation: sum, ", "operation: [sum], ", "'operation' is one of count, sum, average, min, max; not a list"),
        ("as: found", "as: [found]", "'as' is a text, not a list"),
        ("as: made}", "as: {}}", "'as' is a text, not a map"),
        ("do: [{refuse: No}]", "do: [{refuse: No, when: [x]}]", "'when' is a text, not a list"),
        ("when: amount > 1}]", "when: [amount]}]", "'when' is a text, not a list"),
        ("default: {formula: 1 + 1}", "default: {formula: [1]}", "the default does not fit"),
        ("default: {formula: 1 + 1}", "default: {formula: ''}", "the default does not fit"),
    ],
)
def test_a_value_of_another_kind_is_told(right: str, wrong: str, said: str, write: Write, plugins: Plugins) -> None:
    text = OBJECTS + "---" + PROCESSES
    assert right in text
    folder = write({"all.yaml": text.replace(right, wrong, 1)})
    loaded = load([folder], plugins.kinds(), plugins.functions, plugins.parts())
    assert any(one.message.startswith(said) for one in loaded.problems), [one.message for one in loaded.problems]

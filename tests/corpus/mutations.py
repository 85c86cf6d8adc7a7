"""A good package, and one like it with something odd in it: the same for the same seed."""

import copy
import json
import random
from typing import Any

import yaml

__all__ = ["mutated"]

GOOD = """\
package: crm
version: 1.0.0
label: {en: Sales, zh-CN: 销售}
requires: {system: ">=1.0"}
languages: [en, zh-CN]
---
object: lead
label: {en: Lead, zh-CN: 线索}
icon: user-plus
color: orange
title: name
fields:
  name: {type: text, label: {en: Name}, required: true, length: 120}
  status: {type: choice, required: true, default: new, choices: {new: {label: New, color: gray}, old: Old}}
  tags: {type: multi_choice, choices: {a: A, b: B}, default: [a]}
  account: {type: reference, to: account, on_delete: restrict, index: true}
  amount: {type: currency, precision: 18, scale: 2, min: 0, max: 1000, default: 5}
  count: {type: integer, min: 0, max: 1000, default: 1, unique: true}
  when: {type: datetime, default: now}
  day: {type: date, default: today, read_only: true}
  code: {type: autonumber, format: "L-{YYYY}-{0000}"}
  note: {type: longtext, length: 500}
  mail: {type: email, unique: true, hidden: true}
unique: [[name, status]]
indexes: [[status, amount]]
search: [name, mail]
---
object: account
fields:
  name: {type: text}
  leader: {type: reference, to: user, default: user}
  parent: {type: reference, to: account, on_delete: cascade}
---
field: account.region
type: choice
choices: {e: East}
---
layout: lead
object: lead
highlights: [status, amount]
path: status
tabs: [{label: Details, sections: [{columns: 2, fields: [name, null, {field: note, span: 2}, status, amount]}]}]
---
layout: account
object: account
sections: [{fields: [name]}]
related: [{object: lead, field: account, label: L, columns: [name], sort: -amount, limit: 10}]
---
view: open
object: lead
columns: [name, status, account.name, owner]
filter: "status in ['new', 'old'] and owner == user.id and amount > 3"
sort: -amount,name
quick_filters: [status, owner]
---
menu: sales
items: [{object: lead}, {object: lead, view: open, label: L, icon: star}]
---
role: rep
objects: {lead: [create, read], account: {can: [read], rows: "owner == user.id"}, "*": [read]}
---
translation: zh-CN
objects: {lead: {fields: {status: {label: 状态, choices: {new: 新建}}}}}
texts: {Details: 详情}
---
data: account
records: [{_key: a, name: A}, {_key: b, name: B, parent: a}]
"""

ODD: tuple[Any, ...] = (
    None, "", 0, -1, 1, 2**70, 1.5, 1e308, True, False, [], {}, [[]], {"": ""}, {"a": None}, "x" * 70,
    "x" * 20_000, "no", "null",
    "name", "lead", "user", "id", "owner", "status", "account", "*", "class",
    "account.parent.parent.parent.parent.parent.name", "-",
    "\u202e", "名称", "ﬁ", "<b>", "{", "%s", "[", "(a+)+$", "((((", "2026-13-45", "text", "reference",
    "choice", "integer", "longtext",
    "boolean", "multi_choice", "autonumber", ["name"], ["name", "name"], [None], [1], {"name": "x"},
    {"label": "x"}, "zh-CN", "1.0.0",
    ">=1.0", "restrict", "cascade", "name == 1", "owner == user.id", "{0000}", "today", "now",
)  # fmt: skip
NAMES = tuple(one for one in ODD if isinstance(one, str) and len(one) < 100)
KEYS = (
    "unique", "index", "required", "read_only", "hidden", "default", "was", "min", "max", "length", "pattern",
    "to", "on_delete",
    "title", "search",
)  # fmt: skip


def mutated(seed: int) -> str:
    chance = random.Random(seed)
    documents = list(yaml.safe_load_all(GOOD))
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        change(documents, chance)
    return "\n---\n".join(json.dumps(one, ensure_ascii=False) for one in documents)


def change(documents: list[Any], chance: random.Random) -> None:
    within, key = chance.choice(places(documents))
    kind = chance.random()
    if kind < 0.15:
        del within[key]
    elif kind < 0.3 and isinstance(within, dict):
        within[chance.choice(NAMES)] = within.pop(key)
    elif kind < 0.4:
        other, place = chance.choice(places(documents))
        within[key] = copy.deepcopy(other[place])
    elif kind < 0.5 and isinstance(within, list):
        within.append(copy.deepcopy(within[key]))
    elif kind < 0.6 and isinstance(within, dict):
        within[chance.choice(KEYS)] = chance.choice(ODD)
    else:
        within[key] = chance.choice(ODD)


def places(within: Any) -> list[tuple[Any, Any]]:
    keys = list(within) if isinstance(within, dict) else range(len(within)) if isinstance(within, list) else ()
    return [place for key in keys for place in ((within, key), *places(within[key]))]

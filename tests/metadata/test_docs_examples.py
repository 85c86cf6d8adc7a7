"""Are the examples of the docs right? Each is checked in a world that holds what it refers to."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.registry import Plugins
from metadata.package import load

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
WORLD = """
package: firm
version: 1.0.0
languages: [en, zh-CN]
demo:
  users:
    - {username: sam, name: Sam}
    - {username: wang, name: Wang}
    - {username: chen, name: Chen}
    - {username: lin, name: Lin}
---
object: account
fields:
  name: {type: text}
  parent: {type: reference, to: account}
  region: {type: choice, choices: {east: East, west: West}}
  signed_on: {type: date}
  called_at: {type: datetime}
  is_blocked: {type: boolean}
---
object: contact
fields: {name: {type: text}, account: {type: reference, to: account}, is_active: {type: boolean}}
---
object: lead
fields:
  name: {type: text}
  company: {type: text}
  description: {type: longtext}
  status: {type: choice, choices: {new: New, lost: Lost}}
  stage: {type: choice, choices: {new: New, lost: Lost}}
  rating: {type: choice, choices: {cold: Cold, hot: Hot}}
  region: {type: choice, choices: {east: East, west: West}}
  amount: {type: currency}
  salary: {type: currency}
  phone: {type: phone, mask: phone}
  email: {type: email}
record_types: {service: Service, sale: Sale}
---
object: activity
fields: {subject: {type: text}, due_date: {type: date}, lead: {type: reference, to: lead}}
---
object: task
fields: {name: {type: text}, lead: {type: reference, to: lead}, due_date: {type: date}}
---
object: opportunity
fields:
  name: {type: text}
  stage: {type: choice, choices: {qualified: Qualified, proposal: Proposal, won: Won, lost: Lost}}
  amount: {type: currency}
  close_date: {type: date}
  lost_reason: {type: text}
---
object: invoice
fields: {number: {type: text}, status: {type: choice, choices: {open: Open, paid: Paid}}}
---
object: quote
fields:
  name: {type: text}
  account: {type: reference, to: account}
  amount: {type: currency}
  discount: {type: percent}
  cost: {type: currency}
  reason: {type: text}
  note: {type: text}
  notes: {type: text}
  valid_until: {type: date}
  stage: {type: choice, choices: {draft: Draft, approved: Approved, won: Won}}
---
object: order_line
kind: child
fields: {name: {type: text}, order: {type: reference, to: order, master: true}, price: {type: currency}}
---
approval: quote_discount
object: quote
flow: [{approve: manager, approvers: submitter_manager, empty: admin}]
---
role: sales
objects: {"*": [read]}
---
role: finance
objects: {"*": [read]}
---
role: sales_ops
objects: {"*": [read]}
---
role: key_account
objects: {"*": [read]}
---
role: agency
objects: {"*": [read]}
---
data: quote
records: [{_key: q_gear_de, name: Gears}]
"""
EXAMPLES = [
    (name, index)
    for name in ("approvals", "automation", "definitions", "permissions", "privacy", "workflows")
    for index, text in enumerate(BLOCK.findall((DOCS / f"{name}.md").read_text("utf-8")))
    if not text.startswith("#")  # how an editor is told of a schema
]


@pytest.mark.parametrize(("name", "index"), EXAMPLES)
def test_an_example_is_right(
    name: str, index: int, write: Callable[[Mapping[str, str]], Path], plugins: Plugins
) -> None:
    example = BLOCK.findall((DOCS / f"{name}.md").read_text("utf-8"))[index]
    own = {text.strip().split("\n")[0] for text in re.split(r"^---$", example, flags=re.MULTILINE)}
    others = [
        text for text in re.split(r"^---$", WORLD, flags=re.MULTILINE)
        if text.strip().split("\n")[0] not in own and ("object: order_line" not in text or "object: order" in own)
    ]  # fmt: skip
    folder = write({"package.yaml": "---".join(others), "example.yaml": example})
    loaded = load([folder], plugins.kinds(), plugins.functions, plugins.parts(), has_lint=True)
    assert [str(one) for one in loaded.problems if one.level == "error"] == []


def test_there_are_examples_to_check() -> None:
    assert len(EXAMPLES) > 15

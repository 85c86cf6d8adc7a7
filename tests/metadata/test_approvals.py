"""Does the text of an approval become the model that it means, and is a sound one let through?"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.registry import Plugins
from metadata import codec
from metadata.model import Loaded
from metadata.package import load
from metadata.processes import Approval, Branch, Resubmission, Span, nodes_in

Load = Callable[[Mapping[str, str]], Loaded]

OBJECTS = """
object: quote
fields:
  name: {type: text}
  amount: {type: integer}
  discount: {type: integer}
  cost: {type: integer}
  reason: {type: text}
  note: {type: text}
  close_date: {type: date}
  items: {type: table, of: item}
---
object: item
kind: child
fields:
  pieces: {type: integer}
  quote: {type: reference, to: quote, master: true}
---
role: sales
objects: {quote: [read, update]}
---
role: finance
objects: {quote: [read]}
"""
APPROVAL = """
approval: quote_discount
label: {en: Discount approval, zh-CN: 折扣审批}
object: quote
group: discount
priority: 10
when: "discount > 10"
submit_by: {roles: [sales], if: "owner == user.id"}
trigger: {update: "discount > 20"}
storage: before_save
lock: {exempt: note, unlock_on: [rejected, withdrawn]}
withdraw: before_final
resubmit: {material: [discount, items.pieces], material_if: "PRIOR(amount) != amount", most_rounds: 3}
summary: [amount, owner.name]
flow:
  - approve: manager
    label: Manager decides
    approvers: [{manager_chain: {up_to: 2}, when: amount > 5, weight: 2}, owner, {role: finance}]
    mode: {vote: 60%}
    self_approval: department_head
    duplicate: skip_if_approved
    empty: admin
    editable: discount
    hidden: [cost]
    required: [reason]
    actions: [transfer, add_signer]
    comment: [reject, return]
    signature: true
    due: 2 workdays
    timers:
      - {after: 1 workday, repeat: 3}
      - {after: 3 workdays, do: escalate, how: replace, to: department_head}
    may_return_to: [start, previous]
    on_return: returning
    reset_on_change: [discount]
    reclaim: true
  - condition: size
    branches:
      - {branch: large, when: amount > 1000, flow: [{approve: boss, approvers: {role: sales}, next: file_it}]}
      - {branch: small, else: true, flow: []}
  - parallel: sign_off
    join: first
    on_reject: continue
    branches:
      - {branch: finance, flow: [{approve: finance, approvers: [{role: finance}], mode: {per_group: {}}}]}
      - {branch: sales, flow: [{approve: sales, approvers: [{role: sales}], may_return_to: []}]}
  - {cc: told, to: [{role: sales}]}
  - {delay: cool_off, until: close_date}
  - {handle: file_it, approvers: submitter}
  - {end: done}
"""


def approval_of(loaded: Load, text: str = APPROVAL) -> Approval:
    found = loaded({"quote.yaml": OBJECTS, "approval.yaml": text})
    return found.definitions.processes.approvals["quote_discount"]


@pytest.fixture
def strict(write: Callable[[Mapping[str, str]], Path], plugins: Plugins) -> Load:
    return lambda files: load([write(files)], plugins.kinds(), plugins.functions, plugins.parts(), has_lint=True)


def test_head_is_read(loaded: Load) -> None:
    found = approval_of(loaded)
    assert found.label == {"en": "Discount approval", "zh-CN": "折扣审批"}
    assert (found.object, found.group, found.priority, found.when) == ("quote", "discount", 10, "discount > 10")
    assert (found.submit_by, found.submit_if) == (("sales",), "owner == user.id")
    assert (found.trigger, found.trigger_if, found.storage) == ("update", "discount > 20", "before_save")
    assert (found.lock, found.lock_exempt, found.unlock) == ("record", ("note",), ("rejected", "withdrawn"))
    assert found.resubmission == Resubmission(("discount", "items.pieces"), "PRIOR(amount) != amount", 3)
    assert (found.withdraw, found.summary) == ("before_final", ("amount", "owner.name"))


def test_what_is_not_said_has_the_defaults_of_the_model(loaded: Load) -> None:
    plain = "approval: quote_discount\nobject: quote\nflow: [{approve: manager, approvers: owner}]\n"
    found = approval_of(loaded, plain)
    bare = Approval("quote_discount", found.label, "quote", found.flow, package="shop", place=found.place)
    assert found == bare
    node = found.flow[0]
    assert (node.mode, node.reject, node.self_approval, node.empty) == ("any", "veto", "superior", "refuse")
    assert (node.may_return_to, node.on_return, node.actions, node.due) == (("start",), "restart", None, None)
    nothing = "{approve: manager, approvers: owner, actions: [], may_return_to: [], self_approval: null, comment: null}"
    node = approval_of(loaded, f"approval: quote_discount\nobject: quote\nflow: [{nothing}]\n").flow[0]
    assert (node.actions, node.may_return_to, node.self_approval, node.comment) == ((), (), "superior", ())


def test_node_is_read(loaded: Load) -> None:
    node = approval_of(loaded).flow[0]
    chain, owner, role = node.approvers
    assert (chain.kind, chain.options, chain.when, chain.weight) == ("manager_chain", {"up_to": 2}, "amount > 5", 2)
    assert (owner.kind, owner.options) == ("owner", {})
    assert (role.kind, role.options) == ("role", {"value": "finance"})
    assert (node.mode, node.threshold) == ("vote", "60%")
    assert (node.editable, node.hidden, node.required) == (("discount",), ("cost",), ("reason",))
    assert (node.actions, node.comment) == (("transfer", "add_signer"), ("reject", "return"))
    assert (node.signature, node.due, node.may_reclaim) == (True, Span(2, "workdays"), True)
    remind, escalate = node.timers
    assert (remind.after, remind.do, remind.repeat) == (Span(1, "workdays"), "remind", 3)
    assert (escalate.do, escalate.how, escalate.to[0].kind) == ("escalate", "replace", "department_head")
    assert (node.may_return_to, node.on_return, node.reset_on_change) == (
        ("start", "previous"), "returning", ("discount",),
    )  # fmt: skip


def test_flow_is_nested(loaded: Load) -> None:
    flow = approval_of(loaded).flow
    assert [(node.type, node.name) for node in nodes_in(flow)] == [
        ("approve", "manager"), ("condition", "size"), ("approve", "boss"), ("parallel", "sign_off"),
        ("approve", "finance"), ("approve", "sales"), ("cc", "told"), ("delay", "cool_off"), ("handle", "file_it"),
        ("end", "done"),
    ]  # fmt: skip
    large, small = flow[1].branches
    assert (large.when, large.is_else, large.flow[0].next) == ("amount > 1000", False, "file_it")
    assert small == Branch("small", {"en": "Small"}, (), "", True)
    assert (flow[2].join, flow[2].on_reject) == ("first", "continue")
    assert flow[2].branches[1].flow[0].may_return_to == ()
    assert flow[3].approvers[0].kind == "role"
    assert flow[4].until == "close_date"
    assert (flow[5].self_approval, flow[6].result) == ("self", "approved")


def test_end_says_how_by_its_name_or_by_its_result(loaded: Load) -> None:
    text = """
approval: quote_discount
object: quote
flow:
  - approve: manager
    approvers: owner
  - condition: size
    branches:
      - {branch: large, when: amount > 1000, flow: [{end: rejected}]}
      - {branch: middle, when: amount > 500, flow: [{end: too_much, result: rejected}]}
      - {branch: small, else: true, flow: [{end: fine}]}
"""
    branches = approval_of(loaded, text).flow[1].branches
    assert [branch.flow[0].result for branch in branches] == ["rejected", "rejected", "approved"]


def test_approval_is_the_same_after_it_was_stored(loaded: Load) -> None:
    found = loaded({"quote.yaml": OBJECTS, "approval.yaml": APPROVAL}).definitions
    again = codec.parse(codec.dump(found))
    assert codec.dump(again) == codec.dump(found)
    assert again.processes.approvals["quote_discount"].flow[0].timers[0].after == Span(1, "workdays")
    assert again.processes.approvals["quote_discount"].flow[1].branches[0].flow[0].approvers[0].kind == "role"


def test_texts_of_nodes_are_translated(loaded: Load) -> None:
    files = {
        "quote.yaml": OBJECTS,
        "approval.yaml": APPROVAL,
        "zh.yaml": "translation: zh-CN\ntexts: {Manager decides: 经理审批, Sign off: 会签, Nowhere: 没有}\n",
    }
    found = loaded(files)
    flow = found.definitions.processes.approvals["quote_discount"].flow
    assert flow[0].label == {"en": "Manager decides", "zh-CN": "经理审批"}
    assert flow[2].label["zh-CN"] == "会签"
    assert [problem.place.path for problem in found.problems if problem.code == "translation.unused"] == [
        "texts.Nowhere"
    ]


def test_texts_that_people_see_are_asked_for_in_all_languages(strict: Load) -> None:
    text = """
approval: quote_discount
label: {en: Discount, zh-CN: 折扣审批}
object: quote
flow:
  - {approve: manager, label: {en: Manager, zh-CN: 经理}, approvers: owner}
  - condition: size
    branches: [{branch: large, when: amount > 5, flow: []}, {branch: small, else: true, flow: []}]
  - {handle: file_it, approvers: owner}
"""
    problems = strict({"quote.yaml": OBJECTS, "approval.yaml": text}).problems
    assert [one.message for one in problems if one.place.file == "approval.yaml"] == [
        "a text is not there in zh-CN: 'File it'"
    ]


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ('when: "discount > 10"', "when: amount > 5 and amount < 3",
         "'amount > 5 and amount < 3' is never true: the approval 'quote_discount' never takes a record"),
        ('"owner == user.id"', "amount > 5 or not (amount > 5)",
         "'amount > 5 or not (amount > 5)' is always true: the approval 'quote_discount' can be submitted"),
    ],
)  # fmt: skip
def test_condition_that_says_nothing_is_told(strict: Load, wrong: str, right: str, said: str) -> None:
    problems = strict({"quote.yaml": OBJECTS, "approval.yaml": APPROVAL.replace(wrong, right)}).problems
    assert any(problem.message.startswith(said) for problem in problems), [problem.message for problem in problems]


def test_sound_approval_has_no_problem(strict: Load) -> None:
    sound = APPROVAL.replace(", mode: {per_group: {}}", "").replace("    group: discount\n", "")
    problems = strict({"quote.yaml": OBJECTS, "approval.yaml": sound}).problems
    assert [problem.code for problem in problems if problem.place.file == "approval.yaml"] == ["translation.missing"]


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("priority: 10", "priority: ten", "'priority' is a whole number, not 'ten'"),
        ("due: 2 workdays", "due: two days", "'due' is written like 30 minutes, 4 hours, 2 workdays; not 'two days'"),
        ("mode: {vote: 60%}", "mode: most", "'mode' is one of any, all, sequence; not 'most'"),
        ("mode: {vote: 60%}", "mode: {vote: lots}", "'vote' is written like 60%, 2/3, 3; not 'lots'"),
        ("mode: {vote: 60%}", "mode: {votes: 60%}", "'mode' has no key 'votes'"),
        ("empty: admin", "empty: admins", "'empty' is one of refuse, admin, skip, auto_approve; not 'admins'"),
        ("storage: before_save", "storage: later", "'storage' is one of after_save, before_save; not 'later'"),
        ("trigger: {update: ", "trigger: {updated: ", "'trigger' has no key 'updated'"),
        ("{manager_chain: {up_to: 2}", "{manager_chain: {up_to: two}", "'up_to' is a whole number, not 'two'"),
        ("{manager_chain: {up_to: 2}", "{manager_chain: {upto: 2}", "'manager_chain' has no key 'upto'"),
        ("{role: finance}]\n    mode", "{role: financ}]\n    mode", "no role 'financ'"),
        ("{role: finance}]\n    mode", "{role: {scope: any}}]\n    mode", "'role' needs the key 'name'"),
        ("owner, {role", "{owner: 3}, {role", "'owner' takes a map of options, not 3"),
        ("when: amount > 5", "when: amont > 5", "no field 'amont'"),
        ("hidden: [cost]", "hidden: [costs]", "no field 'costs' in 'quote'"),
        ("material: [discount, items.pieces]", "material: [items, items.pices]", "no field 'pices' in 'item'"),
        ("material: [discount, items.pieces]", "material: [discount.pieces]", "'discount.pieces' leads elsewhere"),
        ("summary: [amount", "summary: [amounts", "no field 'amounts' in 'quote'"),
        ("object: quote\ngroup", "object: qoute\ngroup", "no object 'qoute'"),
        ("  - {end: done}", "  - {end: done, next: size}", "an entry of 'flow' has no key 'next'"),
        ("  - {cc: told, to: ", "  - {cc: told, approvers: ", "an entry of 'flow' has no key 'approvers'"),
        ('when: "discount > 10"', 'when: "discount"', "'discount' is a number, where true or false is wanted"),
        ('"PRIOR(amount) != amount"', '"PRIOR(amout) != amount"', "no field 'amout'"),
    ],
)
def test_mistake_is_told_in_plain_words(strict: Load, wrong: str, right: str, said: str) -> None:
    assert wrong in APPROVAL
    problems = strict({"quote.yaml": OBJECTS, "approval.yaml": APPROVAL.replace(wrong, right, 1)}).problems
    assert any(problem.message.startswith(said) for problem in problems), [str(problem) for problem in problems]


SEEN = """
object: quote
fields:
  name: {type: text}
  amount: {type: integer, default: 0}
  boss: {type: reference, to: user, required: true}
  helper: {type: reference, to: user}
---
role: sales
objects: {quote: [read]}
"""


@pytest.mark.parametrize(
    ("flow", "nobody"),
    [
        ("HELPER", "'helper' is blank"),
        ("{approve: a, approvers: {field: boss}}", ""),
        ("{approve: a, approvers: {field: boss.manager}}", "'boss.manager' is blank"),
        ("{condition: c, branches: [{branch: x, when: not ISBLANK(helper), flow: [HELPER]}, OTHER]}", ""),
        ("{condition: c, branches: [{branch: x, when: ISBLANK(helper) or amount > 3, flow: []}, ELSE]}", ""),
        ("{condition: c, branches: [{branch: x, when: not ISBLANK(helper), flow: []}, ELSE]}", "'helper' is blank"),
        ("{inclusive: c, branches: [{branch: x, when: ISBLANK(helper), flow: []}, ALSO, OTHER]}", "'helper' is blank"),
        ("{approve: a, approvers: [{field: helper, when: not ISBLANK(helper)}, {role: sales, when: ISBLANK(helper)}]}",
         ""),
        ("{approve: a, approvers: [{role: sales, when: amount > 3}, {field: boss, when: amount <= 2}]}",
         "'amount > 3' is false and 'amount <= 2' is false"),
    ],
)  # fmt: skip
def test_a_node_that_always_finds_somebody_is_not_warned_of(strict: Load, flow: str, nobody: str) -> None:
    for word, node in (
        ("ELSE", "{branch: z, else: true, flow: [HELPER]}"), ("OTHER", "{branch: z, else: true, flow: []}"),
        ("ALSO", "{branch: y, when: amount > 3, flow: [HELPER]}"),
        ("HELPER", "{approve: a, approvers: {field: helper}}"),
    ):  # fmt: skip
        flow = flow.replace(word, node)
    text = f"approval: quote_discount\nobject: quote\nflow: [{flow}]\n"
    found = [one.message for one in strict({"quote.yaml": SEEN, "approval.yaml": text}).problems
             if one.code == "approval.people.none"]  # fmt: skip
    assert found == ([f"'a' finds nobody, which is refused, when {nobody}"] if nobody else [])


def test_part_keeps_a_lone_value_for_the_option_that_its_plugin_names(plugins: Plugins) -> None:
    kind = plugins.parts().approvers["role"]
    assert kind.given({"value": "finance"}) == {"name": "finance"}
    assert kind.given({"name": "finance"}) == {"name": "finance"}

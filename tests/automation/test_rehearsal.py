"""What a rehearsal tells, and that nothing of it stays."""

from collections.abc import Callable

from engine.process.automation.rehearsal import rehearse
from engine.testing import Running
from tests.state import state

Made = Callable[..., Running]

RULES = """
automation: hot
object: lead
when: "rating == 'hot'"
do:
  - {set: {hint: "was {name}"}}
  - {create: {object: task, values: {name: "Call {name}"}}}
  - {notify: {to: owner, subject: "{name} is hot"}}
  - {webhook: "https://example.com/hook"}
---
automation: before
object: lead
phase: before_save
do: [{set: {score: "=COALESCE(score, 0) + 1"}}]
---
automation: called
webhook: {}
do:
  - {find: {object: lead, filter: name == record.body.name}, as: lead}
  - {create: {object: task, values: {name: "{body.name} called"}}, when: not ISBLANK(lead)}
---
automation: never
object: lead
order: 200
changed: [key]
do: [{create: {object: task, values: {state: done}}}]
"""


def test_a_rehearsal_tells_what_would_happen_and_changes_nothing(firm: Made) -> None:
    site = firm(RULES)
    made = site.records("lin").create("lead", {"name": "ada", "rating": "cold", "score": 4})["id"]
    before = state(site)
    told = rehearse(site.context("boss"), "hot", made)
    assert state(site) == before
    assert told.holds is False
    assert [(one["object"], one["action"]) for one in told.changes] == [("lead", "update"), ("task", "create")]
    assert told.changes[0]["fields"]["hint"] == [None, "was ada"]
    assert told.changes[1]["fields"]["name"] == [None, "Call ada"]
    assert [(one["user"], one["subject"]) for one in told.people] == [(site.user("lin"), "ada is hot")]
    assert [(one["kind"], one["url"]) for one in told.calls] == [("webhook", "https://example.com/hook")]
    assert told.refused is None


def test_rules_before_a_save_tell_what_they_would_set(firm: Made) -> None:
    site = firm(RULES)
    made = site.records("lin").create("lead", {"name": "ada"})["id"]
    before = state(site)
    told = rehearse(site.context("boss"), "before", made)
    assert [one["fields"] for one in told.changes] == [{"score": [1, 2]}]
    assert state(site) == before


def test_a_call_is_rehearsed_with_what_it_would_bring_and_what_is_not_said_is_blank(firm: Made) -> None:
    site = firm(RULES)
    site.records("lin").create("lead", {"name": "ada"})
    nothing, told = (rehearse(site.context("boss"), "called", "", body) for body in (None, {"name": "ada"}))
    assert (nothing.refused, nothing.changes) == (None, [])
    assert [one["fields"]["name"] for one in told.changes] == [[None, "ada called"]]


def test_a_refusal_is_told(firm: Made) -> None:
    site = firm(RULES)
    made = site.records("lin").create("lead", {"name": "ada"})["id"]
    boss, lin = site.client("boss"), site.client("lin")
    before = state(site)
    answer = boss.post("/api/v1/automations/never/rehearse", json={"record": made})
    assert answer.json()["refused"]["code"] == "value.required"
    assert state(site) == before
    assert lin.post("/api/v1/automations/never/rehearse", json={"record": made}).status_code == 403

"""What automations say, and whether the circles that check tells of are ones."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.registry import Plugins
from metadata.build.automations import phase_of
from metadata.package import load

OBJECT = """
object: ticket
fields:
  name: {type: text}
  state: {type: choice, choices: {new: New, solved: Solved, closed: Closed}}
  tries: {type: integer}
---
"""


@pytest.mark.parametrize(
    ("data", "phase"),
    [
        ({"webhook": {}}, "webhook"),
        ({"webhook": True}, "webhook"),
        ({"button": {}}, "button"),
        ({"button": False}, "after_save"),
        ({"button": None, "phase": "before_save"}, "before_save"),
        ({"schedule": "0 9 * * *"}, "schedule"),
        ({}, "after_save"),
    ],
)
def test_a_trigger_that_has_no_more_to_say_is_one(data: Mapping[str, Any], phase: str) -> None:
    assert phase_of(data) == phase


@pytest.mark.parametrize(
    ("said", "circles"),
    [
        ("when: state == 'solved'\ndo: [{set: {state: closed}}]", 0),
        ("when: state == 'solved' and tries > 3\ndo: [{set: {state: closed}}]", 0),
        ("when: state == 'solved'\nbecomes: true\ndo: [{wait: 1 day}, {set: {state: closed}}]", 0),
        ("when: state == 'solved'\ndo: [{create: {object: ticket, values: {state: new}}}]", 0),
        ("when: tries < 3\ndo: [{set: {tries: 3}}]", 0),
        ("when: tries < 3\ndo: [{set: {tries: =tries + 1}}]", 1),
        ("when: state == 'solved' or tries > 3\ndo: [{set: {state: closed}}]", 1),
        ("when: state == 'solved'\ndo: [{set: {state: closed}}, {set: {state: solved}}]", 1),
        ("when: name == 'it\\'s'\ndo: [{set: {name: it's}}]", 1),
        ("when: name == 'x'\ndo: [{set: {name: it's}}]", 0),
        ("when: state != 'closed'\ndo: [{set: {tries: 1}}]", 1),
        ("do: [{start: again}]", 1),
        ("do: [{set: {tries: =tries + 1}, when: tries < 3}]", 1),
    ],
)
def test_a_circle_is_none_where_what_is_written_rules_the_condition_out(
    said: str, circles: int, write: Callable[[Mapping[str, str]], Path], plugins: Plugins
) -> None:
    text = f"{OBJECT}automation: again\nobject: ticket\nphase: after_commit\n{said}\n"
    loaded = load([write({"a.yaml": text})], plugins.kinds(), plugins.functions, plugins.parts())
    assert [one.code for one in loaded.problems if not one.code.startswith("translation")] == (
        ["automation.endless"] * circles
    )

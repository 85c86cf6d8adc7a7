"""Saves per second of an object with 0, 5 and 20 automations, and of five rules that are written by hand instead."""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.context import Context, context_of
from engine.people.users import create_user
from engine.publish import apply, plan
from engine.service import Records
from engine.tenants import Tenant, open_tenant

__all__ = ["measure"]

PACKAGE = """
package: busy
version: 1.0.0
label: Busy
languages: [en]
"""
OBJECT = """
---
object: lead{number}
fields:
  name: {{type: text, required: true}}
  rating: {{type: choice, choices: {{cold: Cold, warm: Warm, hot: Hot}}}}
  score: {{type: integer}}
  hint: {{type: text}}
"""
ROLE = """
---
role: rep
label: Rep
objects:
  lead0: [create, read, update, delete]
  lead5: [create, read, update, delete]
  lead20: [create, read, update, delete]
  user: [read]
"""
RULE = """
---
automation: rule_{number}_{index}
object: lead{number}
phase: {phase}
order: {index}
when: "{when}"
becomes: {becomes}
do: [{{set: {{{field}: "{value}"}}}}]
"""
NUMBERS = (0, 5, 20)
ROUNDS, SAVES = 7, 200
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def package() -> str:
    """A fifth of the rules applies to each save: as in life, most are about other records."""
    text = PACKAGE
    for number in NUMBERS:
        text += OBJECT.format(number=number)
        for index in range(number):
            phase = "before_save" if index % 2 == 0 else "after_save"
            is_met = index % 5 == 0
            text += RULE.format(
                number=number, index=index, phase=phase, becomes="false",
                when="score != null" if is_met else f"rating == 'hot' and score > {index + 100}",
                field="hint" if is_met else "score", value="{name} scored" if is_met else f"=score + {index}",
            )  # fmt: skip
    return text + ROLE


def measure(kind: str, url: str, folder: Path) -> None:
    """Print saves per second, and what they are to those without automations."""
    place = folder / "busy"
    place.mkdir()
    (place / "package.yaml").write_text(package(), encoding="utf-8")
    tenant = open_tenant(url, folder, "busy")
    try:
        apply(tenant, plan(tenant, [place]), None, NOW)
        create_user(tenant, "rep", now=NOW, roles=["rep"])
        ctx = context(tenant)
        ways: dict[str, Callable[[], None]] = {
            f"{number} automations": saving(ctx, f"lead{number}") for number in NUMBERS
        }
        ways["by hand"] = by_hand(ctx)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, save in ways.items():
                start = time.perf_counter()
                for _ in range(SAVES):
                    save()
                times[name].append(SAVES / (time.perf_counter() - start))
        middle = {name: statistics.median(rates) for name, rates in times.items()}
        print(f"{kind}: saves per second")
        for name, rate in middle.items():
            print(f"  {name:16} {rate:8.0f}   {rate / middle['0 automations']:.2f} of those without, "
                  f"{rate / middle['by hand']:.2f} of those by hand")  # fmt: skip
    finally:
        tenant.close()


def context(tenant: Tenant) -> Context:
    return context_of(tenant, now=NOW)


def saving(ctx: Context, object_name: str) -> Callable[[], None]:
    records = Records(ctx)

    def save() -> None:
        made = records.create(object_name, {"name": "Ada", "score": 7})
        records.update(object_name, made["id"], {"score": 8})

    return save


def by_hand(ctx: Context) -> Callable[[], None]:
    """What the first of the five does, by whoever writes the record."""
    records = Records(ctx)

    def worked_out(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "hint": "Ada scored"} if values["score"] is not None else values

    def save() -> None:
        made = records.create("lead0", worked_out({"name": "Ada", "score": 7}))
        records.update("lead0", made["id"], worked_out({"score": 8}))

    return save

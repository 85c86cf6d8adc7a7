"""The rules of a form as an ES module for the browser: its formulas, and plain data that says what each is for."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.context import Context
from engine.formula.js import module
from engine.rules.messages import PLACES, field_shown
from metadata.formula import Node
from metadata.model import Field, Object, say
from ui.fields import reading_of, showing_of
from ui.formats import Formats
from ui.icons import asset
from ui.live import Live, Rule, live_of
from ui.working import is_of_owner, lines_field, paths_of, scale_of

__all__ = ["Module", "module_of"]

NUMBERS = frozenset(("currency", "percent"))


@dataclass(frozen=True, slots=True)
class Module:
    """`digest` is of the text: an address with it can be kept for ever."""

    object: str
    text: str
    digest: str

    @property
    def address(self) -> str:
        return f"/o/{self.object}/rules-{self.digest}.js"


def module_of(ctx: Context, formats: Formats, object_name: str) -> Module:
    key = ("ui.live.module", object_name, ctx.language, ctx.scope.key)
    found: Module | None = ctx.snapshot.cache.get(key)
    if found is None:
        live = live_of(ctx.snapshot, ctx.scope, object_name)
        code = module(dict(named(live)), ctx.snapshot.plugins.functions, asset("formula.js"))
        plan = json.dumps(plan_of(ctx, formats, live), ensure_ascii=False, separators=(",", ":"))
        text = f"{code}export {{ fs }};\nexport const plan = {plan};\n"
        found = Module(object_name, text, hashlib.sha256(text.encode()).hexdigest()[:16])
        ctx.snapshot.cache[key] = found
    return found


def named(live: Live, before: str = "") -> list[tuple[str, Node]]:
    """All formulas of a form; those of lines behind the name of their field: "lines/=amount"."""
    found = [(before + key, node) for key, node in live.formulas.items()]
    return found + [one for name, part in live.lines.items() for one in named(part, f"{before}{name}/")]


def plan_of(ctx: Context, formats: Formats, live: Live) -> dict[str, Any]:
    definition = ctx.snapshot.definitions.objects[live.object]
    readable = ctx.scope.readable(live.object)
    fields = {
        name: field_plan(ctx, formats, definition, one)
        for name, one in readable.items()
        if one.is_written and name != live.by
    }
    owner_paths = [path for path in paths_of(live) if is_of_owner(live, path)]
    return {
        "object": live.object,
        "by": live.by,
        "paths": [path for path in paths_of(live) if path not in live.worked and path not in owner_paths],
        "ownerPaths": owner_paths,
        "fields": fields,
        "worked": {name: worked_plan(ctx, formats, live, one) for name, one in live.worked.items()},
        "defaults": list(live.defaults),
        "rules": [rule_plan(ctx, formats, rule) for rule in live.rules],
        "reach": {name: list(paths) for name, paths in live.reach.items() if name != live.by},
        "fetches": {
            name: {"path": definition.fields[name].fetch, "ifBlank": definition.fields[name].fetches_if_blank}
            for name in live.fetches
        },
        "lines": {name: plan_of(ctx, formats, part) for name, part in live.lines.items()},
    }


def field_plan(ctx: Context, formats: Formats, definition: Object, field: Field) -> dict[str, Any]:
    kind = ctx.snapshot.plugins.fields[field.type]
    plan = {**reading_of(kind, field), "label": say(field.label, ctx.language)}
    if kind.value == "number":
        plan |= {**showing_of(kind, field, formats, ctx.language), "fit": scale_of(ctx, field)}
    if field.depends_on:
        governing = definition.fields.get(field.depends_on)
        plan["on"] = field.depends_on
        plan["onLabel"] = say(governing.label, ctx.language) if governing else ""
        plan["only"] = {choice.value: list(choice.only_for) for choice in field.choices if choice.only_for}
    types = {one.name: list(one.choices[field.name]) for one in definition.record_types if field.name in one.choices}
    if types:
        plan["types"] = types
    if field.target:
        plan["to"] = field.target
    return plan


def worked_plan(ctx: Context, formats: Formats, live: Live, field: Field) -> dict[str, Any]:
    kind = ctx.snapshot.plugins.fields[field.type]
    plan = {"kind": kind.value, **showing_of(kind, field, formats, ctx.language), "fit": scale_of(ctx, field)}
    if field.formula:
        return {**plan, "formula": f"={field.name}"}
    name = lines_field(ctx, live, field)
    among = live.lines[name].conditions.get(field.filter, "")
    return {**plan, "lines": name, "operation": field.operation, "measured": field.measured, "among": among}


def rule_plan(ctx: Context, formats: Formats, rule: Rule) -> Mapping[str, Any]:
    one = rule.validation
    text = say(one.message, ctx.language)
    parts = [
        part if isinstance(part, str) else {"key": part[0], "show": part_plan(ctx, formats, part[1])}
        for part in rule.said.get(text, (text,))
    ]
    return {
        "error": rule.key, "unless": rule.unless, "field": one.field, "level": one.level, "reads": list(rule.reads),
        "message": parts,
    }  # fmt: skip


def part_plan(ctx: Context, formats: Formats, node: Node) -> dict[str, Any]:
    """How a value in a message is shown, as engine/rules/messages.py does."""
    field = field_shown(node)
    kind = ctx.snapshot.plugins.fields.get(field.type) if field is not None else None
    if field is None or kind is None:
        return {"cell": node.type, "scale": PLACES}
    plan = {"scale": PLACES, **showing_of(kind, field, formats, ctx.language)}
    if field.value == "number" and (plan["cell"] not in NUMBERS or field.options.get("currency_from")):
        plan["cell"] = "number"
    return plan

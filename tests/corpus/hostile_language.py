"""Hostile packages for formulas, rules, roll-ups, record types, chains of choices and fetched values.

Those of WORKING are published, filled and shown. Those of EITHER are refused with problems, or they work: nothing
raises, and nothing takes long.
"""

import json
from collections.abc import Mapping

__all__ = ["CLOSED", "EITHER", "WORKING"]

MARKUP = "<img src=x onerror=alert(1)> {{7*7}} ${7*7} %(a)s :x ' \" \\ \u202eevil"
SQL = ("select", "drop_table", "null", "order", "group", "from", "x_or_1", "union")
# Names of functions, and of words of formulas, as fields.
WORDS = (
    "IF", "TODAY", "AND", "record", "parent", "config", "lines", "PRIOR", "SUM", "COUNT", "value", "here", "prior",
    "fs", "this", "user", "position", "record_type_", "error_if", "show_if", "formula",
)  # fmt: skip


def documents(*found: Mapping[str, object]) -> str:
    """JSON is YAML."""
    return "\n---\n".join(json.dumps(one, ensure_ascii=False) for one in found)


def formula(text: str, returns: str = "text", **more: object) -> dict[str, object]:
    return {"type": "formula", "formula": text, "returns": returns, **more}


def markup() -> str:
    """Texts of rules, types and choices as somebody with bad intentions writes them."""
    choices = {f"c{n}": {"label": f"{MARKUP} {n}"} for n in range(3)}
    types: dict[str, object] = {
        name: {"label": MARKUP, "description": MARKUP, "choices": {"stage": [f"c{n % 3}"]}}
        for n, name in enumerate(SQL)
    }  # fmt: skip
    return documents(
        {
            "object": "marked", "title": "name", "record_types": types,
            "fields": {
                "name": {"type": "text", "help": MARKUP},
                "stage": {"type": "choice", "choices": choices},
                "quoted": formula("'it\\'s \"<b>\" \\\\ \\n ' + name + ' 🚀 {{7*7}}'"),
                "when_odd": {"type": "text", "show_if": "name != '\\'; drop table x; --'", "label": MARKUP},
            },
            "validations": [
                {"rule": "marked", "error_if": "name == '<never>'", "message": MARKUP, "field": "name"},
                {"rule": "drop", "error_if": "name == '<never>'", "message": {"en": MARKUP, "zh-CN": MARKUP},
                 "level": "warning", "unless": "stage == 'c1'"},
            ],
        },
        {"layout": "marked_form", "object": "marked", "default": True, "tabs": [
            {"label": MARKUP, "show_if": "name != 'hidden'", "sections": [
                {"label": MARKUP, "show_if": "stage != 'c9' or name != 'x'".replace("c9", "c1"), "fields": ["name"]},
                {"label": MARKUP, "fields": ["stage", "quoted", "when_odd"]}]}]},
    )  # fmt: skip


def words() -> str:
    fields: dict[str, object] = {"name": {"type": "text"}}
    fields |= {word: {"type": "integer", "show_if": f"this.{word} != 5 or name != 'x'"} for word in WORDS}
    fields["all"] = formula(" + ".join(f"this.{word}" for word in WORDS[:10]), "integer")
    return documents({"object": "words", "fields": fields})


def wide(count: int = 60) -> str:
    """Many fields of which each asks for the one before, and formulas over them."""
    fields: dict[str, object] = {"name": {"type": "text"}, "n0": {"type": "integer"}}
    for n in range(1, count):
        rules = {"show_if": f"n{n - 1} != {n}", "require_if": f"n{n - 1} == -{n}", "lock_if": f"n{n - 1} == -{n}"}
        fields[f"n{n}"] = {"type": "integer", **rules}
        fields[f"f{n}"] = formula(f"n{n} * 2 + n{n - 1}", "integer")
    return documents({"object": "wide_rules", "fields": fields})


def at_the_limits() -> str:
    deep = "name"
    for _ in range(12):
        deep = f"UPPER({deep})"
    many = " or ".join(f"amount == {n}" for n in range(79))
    long_text = "'" + "x" * 1900 + "'"
    return documents({"object": "limits", "fields": {
        "name": {"type": "text"}, "amount": {"type": "decimal"},
        "deep": formula(deep), "many": formula(many, "boolean"), "long": formula(f"name + {long_text}"),
        "huge": formula("amount * 99999999999999 * 99999999999999", "decimal"),
        "nothing": formula("amount / 0", "decimal"), "far": formula("DATE(9999, 12, 31) + amount", "date"),
        "shown": {"type": "text", "show_if": many},
    }})  # fmt: skip


def chains(size: int = 120) -> str:
    """Choices that depend on choices that depend on choices."""
    continents = {f"a{n}": f"A {n}" for n in range(size)}
    countries = {f"b{n}": {"label": f"B {n}", "for": f"a{n % size}"} for n in range(size * 2)}
    cities = {f"c{n}": {"label": f"C {n}", "for": [f"b{n}", f"b{n + size}"]} for n in range(size)}
    return documents({"object": "atlas", "fields": {
        "name": {"type": "text"},
        "continent": {"type": "choice", "choices": continents},
        "country": {"type": "choice", "depends_on": "continent", "choices": countries},
        "city": {"type": "choice", "depends_on": "country", "choices": cities},
        "streets": {"type": "multi_choice", "depends_on": "city", "choices": {
            f"d{n}": {"label": f"D {n}", "for": [f"c{n}"]} for n in range(size)}},
    }})  # fmt: skip


def formula_chain(length: int = 7) -> str:
    """Formula over formula, through a reference to its own object."""
    fields: dict[str, object] = {
        "name": {"type": "text"}, "amount": {"type": "integer"}, "above": {"type": "reference", "to": "stair"},
        "step0": formula("amount + above.amount", "integer"),
    }  # fmt: skip
    for n in range(1, length):
        fields[f"step{n}"] = formula(f"step{n - 1} + 1", "integer")
    return documents({"object": "stair", "fields": fields})


WORKING = {
    "markup": markup(),
    "words": words(),
    "wide_rules": wide(),
    "limits": at_the_limits(),
    "chains": chains(),
    "formula_chain": formula_chain(),
}


def one(name: str, **fields: object) -> dict[str, object]:
    return {"object": name, "fields": {"name": {"type": "text"}, **fields}}


def bomb(levels: int = 40) -> str:
    """Each formula names the one before twice: written out, 2^40 parts."""
    fields: dict[str, object] = {"b0": formula("LEN(name)", "integer")}
    for n in range(1, levels):
        fields[f"b{n}"] = formula(f"b{n - 1} + b{n - 1}", "integer")
    return documents(one("bomb", **fields))


EITHER = {
    "bomb": bomb(),
    "brackets": documents(one("brackets", a=formula("(" * 900 + "1" + ")" * 900, "integer"))),
    "nots": documents(one("nots", a=formula("not " * 400 + "true", "boolean"))),
    "power": documents(one("power", a=formula("9" * 29 + " * " + "9" * 29 + " ** 9", "decimal"))),
    "long": documents(one("long", a={"type": "text", "show_if": "name == '" + "x" * 100_000 + "'"})),
    "formula_circle": documents(one("ring", a=formula("b + 1", "integer"), b=formula("a + 1", "integer"))),
    "formula_round": documents(
        one("left", other={"type": "reference", "to": "right"}, a=formula("other.a", "text")),
        one("right", other={"type": "reference", "to": "left"}, a=formula("other.a", "text")),
    ),
    "rollup_circle": documents(
        one("node", above={"type": "reference", "to": "node"},
            total={"type": "rollup", "of": "node.above", "operation": "sum", "field": "total", "returns": "decimal"}),
    ),
    "rollup_round": documents(
        one("parent", total={"type": "rollup", "of": "child.parent", "operation": "sum", "field": "part",
                             "returns": "decimal"}),
        one("child", parent={"type": "reference", "to": "parent", "master": True},
            part=formula("parent.total", "decimal")),
    ),
    "fetch_circle": documents(
        one("here", other={"type": "reference", "to": "there"}, value={"type": "text", "fetch": "other.value"}),
        one("there", other={"type": "reference", "to": "here"}, value={"type": "text", "fetch": "other.value"}),
    ),
    "fetch_itself": documents(
        one("self", above={"type": "reference", "to": "self"}, value={"type": "text", "fetch": "above.value"})
    ),
    "default_circle": documents(
        one("eggs", a={"type": "integer", "default": {"formula": "b + 1"}},
            b={"type": "integer", "default": {"formula": "a + 1"}})
    ),
    "choice_circle": documents(
        one("spin", a={"type": "choice", "depends_on": "b", "choices": {"x": {"for": "y"}}},
            b={"type": "choice", "depends_on": "a", "choices": {"y": {"for": "x"}}})
    ),
    "master_circle": documents(
        one("up", down={"type": "reference", "to": "down", "master": True}),
        one("down", up={"type": "reference", "to": "up", "master": True}),
    ),
    "master_itself": documents(one("own", own={"type": "reference", "to": "own", "master": True})),
    "lines_in_lines": documents(
        one("outer", lines={"type": "table", "of": "middle"}),
        {**one("middle", outer={"type": "reference", "to": "outer", "master": True},
               lines={"type": "table", "of": "inner"}), "kind": "child"},
        {**one("inner", middle={"type": "reference", "to": "middle", "master": True}), "kind": "child"},
    ),
    "lines_of_itself": documents(
        {**one("matryoshka", inside={"type": "reference", "to": "matryoshka", "master": True},
               lines={"type": "table", "of": "matryoshka"}), "kind": "child"},
    ),
    "tree_of_another": documents({**one("wood", above={"type": "reference", "to": "user"}), "tree": "above"}),
    "settings_of_settings": documents(
        {**one("setup", other={"type": "reference", "to": "setup"}), "kind": "single"}
    ),
    "types_without_choices": documents({
        **one("typed", stage={"type": "choice", "required": True, "choices": {"a": "A", "b": "B"}}),
        "record_types": {"none": {"choices": {"stage": []}}, "wrong": {"choices": {"stage": ["z"], "gone": ["a"]}}},
    }),
    "own_record_type": documents({
        **one("typed_itself", record_type={"type": "text"}), "record_types": {"a": "A"}, "kind": "child",
    }),
}  # fmt: skip

# Nothing can be saved in these, which the linter says, and each refusal says why: code of the warning, of the refusal.
CLOSED = {
    "always_wrong": (
        documents({**one("grumpy"), "validations": [
            {"rule": f"r{n}", "error_if": "true", "message": "No"} for n in range(200)]}),
        "condition.always", "validation.failed",
    ),
    "always_locked": (
        documents(one("stone", a={"type": "text", "required": True, "lock_if": "true"})),
        "field.required.locked", "value.locked",
    ),
}  # fmt: skip

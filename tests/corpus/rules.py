"""Formulas, conditions, filters and roll-ups of a digest: each is a wish, which our language grants or says why not."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engine.tenants import load_plugins
from metadata.formula import FormulaError, Node, definition_names, parse
from metadata.model import SYSTEM_FIELDS, Field, Object
from metadata.names import suggested
from metadata.package import load
from tests.corpus.expressions import Found, Outside, Untranslatable, quoted, translated

__all__ = ["Known", "Wish", "grant", "wishes_of"]

Json = dict[str, Any]
Known = dict[str, dict[str, str]]
"""Our object -> their field in small letters -> our field."""

Form = Literal["formula", "condition", "rollup", "filter", "fetch", "lines"]
TAKES_OUTER = "outer" in inspect.signature(parse).parameters  # `record.x` in filters of references
WORDS_OF_FORMULAS = frozenset(("and", "or", "not", "in", "if", "else", "true", "false", "null", "this", "user"))
OPERATIONS: Mapping[str, str] = {
    "equals": "==", "=": "==", "notEqual": "!=", "!=": "!=", "<>": "!=", "lessThan": "<", "<": "<",
    "greaterThan": ">", ">": ">",
    "lessOrEqual": "<=", "<=": "<=", "greaterOrEqual": ">=", ">=": ">=", "contains": "CONTAINS", "like": "CONTAINS",
    "startsWith": "BEGINS", "in": "in", "not in": "not in", "includes": "includes", "notContain": "not CONTAINS",
}  # fmt: skip
ODATA = re.compile(r"""return\s*\(?\s*"(\w+) eq '([^']*)'\s*"\s*\)?""")
LAST_DAYS = re.compile(r"LAST_N_DAYS:(\d+)")
SIGN_OF_JS = re.compile(r"\bfrappe\.|\bcur_frm|\bin_list\(|=>")


@dataclass
class Wish:
    """`put` takes what was granted into the definition; `why` says why nothing was."""

    owner: str  # our object that holds it
    what: str  # "amount.show_if"
    form: Form
    source: Any
    holder: Json
    key: str
    scope: str = ""  # our object over which it is, if not the owner
    more: Json = field(default_factory=dict)
    why: str = ""
    is_outside: bool = False  # it asks for what the digest does not hold
    text: str = ""


def wishes_of(source: Json, document: Json, known: Known) -> list[Wish]:
    """Of one object of the digest; `document` is what was made of it."""
    ours, found = document["object"], []
    for each in source.get("fields", ()):
        name = known[ours].get(each["name"].casefold(), "")
        made = document["fields"].get(name)
        if made is not None:
            found += of_field(ours, name, each, made)
    rules = document.setdefault("validations", [])
    rules += [wish.holder for wish in found if wish.form == "lines"]
    for rule in source.get("validations", ()):
        if rule.get("active", True):
            said = {"rule": rule["name"], "error_if": "", "message": rule.get("message") or rule["name"]}
            at = known[ours].get(str(rule.get("error_field", "")).casefold(), "")
            said |= {"field": at} if at in document["fields"] else {}
            rules.append(said)
            found.append(Wish(ours, f"rule {rule['name']}", "condition", rule["formula"], said, "error_if"))
    return found


def of_field(ours: str, name: str, each: Json, made: Json) -> Iterator[Wish]:
    if each.get("formula") and made["type"] != "autonumber":
        yield Wish(ours, f"{name}.formula", "formula", each["formula"], made, "formula")
    if each.get("summary"):
        yield Wish(ours, f"{name}.rollup", "rollup", each["summary"], made, "of")
    for theirs, key in (("depends_on", "show_if"), ("required_if", "require_if"), ("readonly_if", "lock_if")):
        if each.get(theirs):
            if made["type"] == "table" and key == "require_if":  # a rule says that there must be lines
                message = {"rule": suggested(f"{name}_needed"), "error_if": "", "message": f"{each['label']}?"}
                yield Wish(ours, f"{name}.{key}", "lines", each[theirs], message, "error_if", more={"lines": name})
            elif made["type"] != "table" or key == "show_if":
                yield Wish(ours, f"{name}.{key}", "condition", each[theirs], made, key)
    if each.get("fetch_from"):
        more = {"fetch_when": "blank"} if each.get("fetch_if_empty") else {}
        yield Wish(ours, f"{name}.fetch", "fetch", each["fetch_from"], made, "fetch", more=more)
    asked = each.get("filter") or json.loads(each.get("link_filters") or "[]")
    if asked and made.get("to"):
        yield Wish(ours, f"{name}.filter", "filter", asked, made, "filter", scope=str(made["to"]))


def grant(wishes: Iterable[Wish], folder: Path, known: Known, flavour: str) -> None:
    """Translate each with the names of the package as it was written without them, and put it in."""
    plugins = load_plugins()
    objects = load([folder], plugins.kinds(), plugins.functions).definitions.objects
    granter = Granter(objects, known, flavour)
    for wish in wishes:
        if wish.why:
            continue
        try:
            getattr(granter, wish.form)(wish)
        except (Untranslatable, FormulaError) as error:
            wish.is_outside = isinstance(error, Outside)
            wish.why = str(error) if isinstance(error, Untranslatable) else error.message
            if wish.key == "error_if":
                wish.holder.clear()  # taken out of its list below


class Granter:
    def __init__(self, objects: Mapping[str, Object], known: Known, flavour: str) -> None:
        self.objects, self.known, self.flavour = objects, known, flavour
        self.functions = load_plugins().functions

    def parsed(self, text: str, scope: str, wants: Any = "boolean", outer: str = "") -> Node:
        more: Json = {}
        if "record." in text and outer:
            if not TAKES_OUTER:
                raise Untranslatable("a filter that asks for the record itself")
            more["outer"] = definition_names(self.objects, outer)
        names = definition_names(self.objects, scope)
        return parse(text, names, functions=self.functions, wants=wants, has_prior=wants == "boolean", **more)

    def condition(self, wish: Wish) -> None:
        scope = wish.scope or wish.owner
        if isinstance(wish.source, list):
            text = self.joined(wish, wish.source)
        else:
            text = self.translated(wish.source, scope, is_condition=True)
        self.parsed(text, scope)
        wish.text = wish.holder[wish.key] = text

    def lines(self, wish: Wish) -> None:
        """That there are lines where a condition is true."""
        condition = self.translated(wish.source, wish.owner, is_condition=True)
        text = f"({condition}) and COUNT({wish.more['lines']}) == 0"
        self.parsed(text, wish.owner)
        wish.text = wish.holder[wish.key] = text

    def translated(self, source: str, scope: str, *, is_condition: bool) -> str:
        is_frappe = self.flavour == "frappe"
        text = source.strip()
        if is_frappe and text.startswith("eval:"):
            text = text[5:]
        if is_frappe and (found := SIGN_OF_JS.search(text)):
            raise Untranslatable(f"a script: {found[0]}")
        return translated(
            text, "javascript" if is_frappe else "salesforce", lambda steps: self.resolve(steps, scope),
            is_condition=is_condition,
        )  # fmt: skip

    def formula(self, wish: Wish) -> None:
        made = wish.holder
        text = self.translated(wish.source, wish.owner, is_condition=made["type"] == "boolean")
        node = self.parsed(text, wish.owner, None)
        wanted = self.objects[wish.owner].fields[wish.what.rpartition(".")[0]].value
        if node.type not in (wanted, "null") and {node.type, wanted} - {"text", "choice"}:
            raise Untranslatable(f"it gives {node.type}, not {wanted}")
        kept = {key: made[key] for key in ("label", "help", "hidden", "precision", "scale") if key in made}
        wish.text = text
        returns = "markdown" if made["type"] == "text" and "HYPERLINK(" in text else made["type"]
        made.clear()
        made.update({"type": "formula", **kept, "formula": text, "returns": returns})

    def rollup(self, wish: Wish) -> None:
        said, made = wish.source, wish.holder
        child, _, by = str(said.get("key") or said.get("object")).partition(".")
        child = next((name for name in self.objects if name.casefold() == child.casefold()), "")
        if not child:
            raise Outside("its object is not in the digest")
        by = self.known[child].get(by.casefold(), "") if by else self.way_back(child, wish.owner)
        measured = str(said.get("field") or "").rpartition(".")[2]
        operation = {"avg": "average"}.get(str(said.get("op", said.get("type"))), str(said.get("op", said.get("type"))))
        more: Json = {"of": f"{child}.{by}", "operation": operation, "returns": made["type"]}
        if measured:
            (more["field"],) = self.steps([measured], child)
        filters = said.get("filters") or []
        if filters:
            more["filter"] = " and ".join(self.term(one, child, wish.owner) for one in filters)
            self.parsed(more["filter"], child)
        kept = {key: made[key] for key in ("label", "help", "hidden", "precision", "scale") if key in made}
        wish.text = more["of"]
        made.clear()
        made.update({"type": "rollup", **kept, **more})

    def way_back(self, child: str, parent: str) -> str:
        ways = [one for one in self.objects[child].fields.values() if one.target == parent]
        masters = [one for one in ways if one.is_master] or ways
        if len(masters) != 1:
            raise Untranslatable(f"'{child}' refers to '{parent}' {len(masters)} times")
        return masters[0].name

    def fetch(self, wish: Wish) -> None:
        steps = self.steps(wish.source.split("."), wish.owner)
        wish.text = wish.holder["fetch"] = ".".join(steps)
        wish.holder.update(wish.more)

    def filter(self, wish: Wish) -> None:
        """Of a reference: over the records that it may choose."""
        if isinstance(wish.source, str):
            found = ODATA.search(wish.source)
            if found is None:
                raise Untranslatable("a script")
            (name,) = self.steps([found[1]], wish.scope)
            text = f"{name} == {quoted(found[2])}"
        elif isinstance(wish.source, dict):
            text = self.joined(wish, wish.source["items"], wish.source.get("logic") or "")
        else:  # Frappe: [["HD Team", "disabled", "=", 0]]
            items = [{"field": each[1], "operation": each[2], "value": each[3]} for each in wish.source]
            text = self.joined(wish, items)
        self.parsed(text, wish.scope, outer=wish.owner)
        wish.text = wish.holder["filter"] = text

    def joined(self, wish: Wish, items: Sequence[Json], logic: str = "") -> str:
        scope = wish.scope or wish.owner
        terms = [self.term(one, scope, wish.owner) for one in items]
        if not logic:
            return " and ".join(f"({term})" if " or " in term else term for term in terms)
        return re.sub(r"\d+|[A-Za-z]+", lambda found: f"({terms[int(found[0]) - 1]})" if found[0].isdigit()
                      else found[0].lower(), logic)  # fmt: skip

    def term(self, item: Json, scope: str, owner: str) -> str:
        """One line of a filter: {field, operation, value}; values of several by comma."""
        steps = str(item["field"]).split(".")
        if steps[0] == "$Source":
            name, found = "record." + ".".join(self.steps(steps[1:], owner)), self.field_at(steps[1:], owner)
        else:
            steps = steps[1:] if len(steps) > 1 and self.is_object(steps[0]) else steps
            name, found = ".".join(self.steps(steps, scope)), self.field_at(steps, scope)
        operation = OPERATIONS.get(str(item.get("operation")))
        if operation is None:
            raise Untranslatable(f"the operation {item.get('operation')}")
        if item.get("valueField"):
            other = str(item["valueField"]).split(".")
            if other[0] != "$Source":
                raise Untranslatable(f"the value of {'.'.join(other)}")
            return f"{name} {operation} record.{'.'.join(self.steps(other[1:], owner))}"
        return self.against(name, operation, item.get("value"), found)

    def against(self, name: str, operation: str, value: object, found: Field) -> str:
        several = value if isinstance(value, list) else [value]
        if isinstance(value, str) and found.choices and value not in {choice.value for choice in found.choices}:
            several = [part.strip() for part in value.split(",")]
        if several in ([None], [""]):
            return f"ISBLANK({name})" if operation == "==" else f"not ISBLANK({name})"
        written = [self.literal(one, found) for one in several]
        if found.value == "boolean":
            return name if (written[0] == "true") == (operation == "==") else f"not {name}"
        if operation in ("in", "not in") or len(written) > 1:
            word = "in" if operation in ("in", "==") else "not in"
            return f"{name} {word} [{', '.join(written)}]"
        if "CONTAINS" in operation or operation == "BEGINS":
            return f"{operation}({name}, {written[0]})"
        return f"{name} {operation} {written[0]}"

    def literal(self, value: object, found: Field) -> str:
        text = "" if value is None else str(value)
        if value is None:
            return "null"
        if found.value == "boolean":
            return "true" if text.casefold() in ("1", "true") else "false"
        if days := LAST_DAYS.fullmatch(text):
            return f"TODAY() - {days[1]}" if found.value == "date" else f"NOW() - {days[1]}"
        return text if found.value == "number" else quoted(text)

    def resolve(self, steps: Sequence[str], scope: str) -> Found:
        """A name of an expression. JavaScript's begin with `doc`."""
        if steps[0] in ("doc", "new") and len(steps) > 1:
            steps = steps[1:]
        if tuple(steps) == ("__islocal",):
            return Found("IS_NEW()", "boolean")
        if steps[0] == "$User" and [step.casefold() for step in steps[1:]] == ["id"]:
            return Found("user.id", "reference")
        if steps[0] == "$Setup" and len(steps) == 3:
            owner = next((name for name in self.objects if name.casefold() == steps[1].casefold()), "")
            if owner and self.objects[owner].kind == "single":
                (name,) = self.steps(steps[2:], owner)
                return Found(f"config.{owner}.{name}", self.objects[owner].fields[name].value)
        if steps[0].startswith("$"):
            raise Outside(f"{steps[0]} is not in the digest")
        path = self.steps(steps, scope)
        text = ".".join(path)
        return Found(f"this.{text}" if path[0] in WORDS_OF_FORMULAS else text, self.field_at(steps, scope).value)

    def is_object(self, name: str) -> bool:
        return any(one.casefold() == name.casefold() for one in self.objects)

    def steps(self, steps: Sequence[str], scope: str) -> list[str]:
        return [found.name for found in self.walk(steps, scope)]

    def field_at(self, steps: Sequence[str], scope: str) -> Field:
        return list(self.walk(steps, scope))[-1]

    def walk(self, steps: Sequence[str], scope: str) -> Iterator[Field]:
        """Salesforce names a reference `account__r` or `Account` on the way, `account__c` or `AccountId` at the end."""
        owner = scope
        for number, step in enumerate(steps):
            ways = [step, *([f"{step[:-1]}c", f"{step}Id"] if number < len(steps) - 1 else [])]
            known = self.known.get(owner, {})
            name = next((known[way.casefold()] for way in ways if way.casefold() in known), step)
            fields = self.objects[owner].fields if owner in self.objects else {}
            found = fields.get(name) or SYSTEM_FIELDS.get(name)
            if found is None:
                raise Outside(f"the digest has no field '{step}' in '{owner}'")
            if number < len(steps) - 1 and not found.target:
                raise Untranslatable(f"'{step}' of '{owner}' refers to nothing")
            yield found
            owner = found.target

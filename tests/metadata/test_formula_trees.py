"""Are `parent`, `config`, `record`, lines and trees read, and can trees be bound, expanded and asked what they read?"""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from metadata.formula import (
    Actor,
    Aggregate,
    And,
    Arith,
    Compare,
    Config,
    Const,
    Fit,
    FormulaError,
    In,
    InTree,
    Names,
    Node,
    Not,
    Or,
    Outer,
    Path,
    bound,
    definition_names,
    expanded,
    is_volatile,
    parse,
    reads,
)
from metadata.model import Choice, Field, Object, ValueType


@dataclass(frozen=True)
class Sig:
    takes: tuple[str, ...]
    returns: ValueType | str
    is_volatile: bool = False


FUNCTIONS = {"TODAY": Sig((), "date", True), "LEN": Sig(("text",), "number")}
KINDS = (Choice("big", {}), Choice("small", {}))


def field(name: str, value: ValueType = "text", target: str = "", **more: Any) -> Field:
    return Field(name, value, {}, value=value, target=target, **more)


def thing(name: str, *fields: Field, **more: Any) -> Object:
    return Object(name, {}, {}, {f.name: f for f in fields}, "name", **more)


def formula(name: str, text: str, value: ValueType = "number") -> Field:
    return field(name, value, source="formula", formula=text)


OBJECTS = {
    "order": thing(
        "order", field("name"), field("paid", "number"), field("customer", "reference", "customer"),
        field("kind", "choice", choices=KINDS), field("kinds", "choices", choices=KINDS), field("due", "date"),
        field("items", "lines", source="lines", of="item", by="order"),
        formula("total", "SUM(items, net)"), formula("open", "total - paid"), formula("rate", "open / customer.debt"),
        formula("egg", "hen + 1"), formula("hen", "1 + egg"), formula("self", "self + 1"),
    ),
    "item": thing(
        "item", field("name"), field("order", "reference", "order", is_master=True), field("price", "number"),
        field("quantity", "number"), field("tax", "number"),
        formula("net", "price * quantity"), formula("share", "net / parent.total"), kind="child",
    ),
    "customer": thing(
        "customer", field("name"), field("head", "reference", "customer"), field("region", "reference", "region"),
        formula("debt", "head.credit * 2"), field("credit", "number"),
        field("orders", "lines", source="inverse", of="order", by="customer"), formula("loop", "head.loop + 1"),
        tree="head",
    ),
    "region": thing("region", field("name"), field("parent", "reference", "region")),
    "both": thing(
        "both", field("a", "reference", "order", is_master=True), field("b", "reference", "customer", is_master=True)
    ),
    "house": thing(
        "house", field("tax", "number"), field("kind", "choice", choices=KINDS), formula("double", "tax * 2"),
        kind="single",
    ),
}  # fmt: skip
ORDER = definition_names(OBJECTS, "order")


def read(text: str, object_: str = "order", outer: Names | None = None) -> Node:
    return parse(text, definition_names(OBJECTS, object_), functions=FUNCTIONS, wants=None, outer=outer)


def path(object_: str, *steps: str) -> Path:
    fields = []
    for step in steps:
        fields.append(OBJECTS[object_].fields[step])
        object_ = fields[-1].target
    return Path(steps, tuple(fields), fields[-1].value)


def number(value: int) -> Const:
    return Const(value, "number")


ITEMS = path("order", "items")


@pytest.mark.parametrize(
    ("object_", "text", "tree"),
    [
        ("item", "parent", path("item", "order")),
        ("item", "parent.customer.name", path("item", "order", "customer", "name")),
        ("region", "parent.name", path("region", "parent", "name")),
        ("order", "config.house.tax", Config("house", OBJECTS["house"].fields["tax"], "number")),
        ("order", "COUNT(items)", Aggregate("COUNT", ITEMS, "item", "order", None, "number")),
        ("order", "COUNT(items, price > 1)", Aggregate(
            "COUNT", ITEMS, "item", "order", Compare(">", path("item", "price"), number(1)), "number")),
        ("order", "SUM(items, parent.paid)", Aggregate(
            "SUM", ITEMS, "item", "order", path("item", "order", "paid"), "number")),
        ("customer", "HIGHEST(orders, due)", Aggregate(
            "HIGHEST", path("customer", "orders"), "order", "customer", path("order", "due"), "date")),
        ("order", "IN_TREE(customer, 'x')", InTree(
            path("order", "customer"), "customer", "head", Const("x", "text"))),
        ("order", "IN_TREE(customer, user.id)", InTree(
            path("order", "customer"), "customer", "head", Actor("id", "reference"))),
        ("order", "INCLUDES(kinds, 'big')", In(Const("big", "text"), (path("order", "kinds"),))),
    ],
)  # fmt: skip
def test_names_of_more_than_the_record_become_these_trees(object_: str, text: str, tree: Node) -> None:
    assert read(text, object_) == tree


def test_a_tree_is_asked_by_the_id_of_its_records() -> None:
    found = read("IN_TREE(id, head)", "customer")
    assert isinstance(found, InTree)
    assert (found.item.key, found.object, found.by, found.root) == ("id", "customer", "head", path("customer", "head"))


@pytest.mark.parametrize(
    ("object_", "text", "column", "message", "fix"),
    [
        ("both", "parent.name", 1, "'parent' may be 'a' and 'b': the record belongs to any of them",
         "write 'a.name'?"),
        ("order", "1 + parent.paid", 5, "no field 'parent'", "say which reference it is: master: true"),
        ("item", "parent.nmae", 8, "no field 'nmae' in 'order'", "write 'parent.name'?"),
        ("order", "config.house.txa", 1, "no setting 'config.house.txa'", "write 'config.house.tax'?"),
        ("order", "config.item.price", 1, "no setting 'config.item.price'",
         "write config.object.field, of an object of the kind 'single'"),
        ("order", "config.house.double", 1,
         "'config.house.double' is worked out; `config` reads what is written in a settings object", ""),
        ("order", "config.house.kind == 'bgi'", 22, "'bgi' is not a choice of 'kind'", "write 'big'?"),
        ("order", "record.name", 1, "no field 'record'", ""),
        ("order", "items == null", 1, "'items' holds records, and one value is wanted", "write COUNT(items)"),
        ("order", "items.price", 7, "'items' holds records, so 'price' cannot follow it", "write SUM(items, price)"),
        ("order", "SUM(items)", 1, "SUM takes 2 values, not 1", "write SUM(items, value)"),
        ("order", "SUM(items, name)", 12, "'name' is a text, where SUM takes a number of each line", ""),
        ("order", "COUNT(items, price)", 14, "'price' is a number, where COUNT takes true or false of each line", ""),
        ("order", "SUM(paid, 1)", 5,
         "'paid' is a number, where SUM takes a field of the record itself that holds records", ""),
        ("order", "COUNT(customer.orders)", 7,
         "'customer.orders' is a list of records, where COUNT takes a field of the record itself that holds records",
         ""),
        ("order", "COUNT(1)", 1, "COUNT takes the name of a field that holds records", ""),
        ("order", "COUNT()", 1, "COUNT takes 2 values, not 0", ""),
        ("order", "SUM(items, qantity)", 12, "no field 'qantity'", "write 'quantity'?"),
        ("order", "SUM(items, 1, 2)", 1, "SUM takes 2 values, not 3", ""),
        ("order", "IN_TREE(name, 'x')", 9,
         "'name' is a text, where IN_TREE takes a reference to a tree, or the id of one's record",
         "say which reference makes the object a tree: tree: parent"),
        ("order", "IN_TREE(customer, 5)", 19, "'5' is a number, where a reference is wanted", ""),
        ("order", "INCLUDES(kinds, 'bgi')", 17, "'bgi' is not a choice of 'kinds'", "write 'big'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_them_is_said(object_: str, text: str, column: int, message: str, fix: str) -> None:
    with pytest.raises(FormulaError) as error:
        read(text, object_)
    assert (error.value.message, error.value.fix, error.value.column) == (message, fix, column)


CUSTOMER = definition_names(OBJECTS, "customer")


def of_order(text: str) -> Node:
    """The filter of a reference of customers to orders."""
    return parse(text, ORDER, functions=FUNCTIONS, outer=CUSTOMER)


def test_the_filter_of_a_reference_reads_the_record_that_refers() -> None:
    head = Outer(path("customer", "head"), "reference")
    assert of_order("customer == record.head") == Compare("==", path("order", "customer"), head)
    assert head.key == "record.head"


BLANK = Const(None, "null")
PAID = path("order", "paid")


@pytest.mark.parametrize(
    ("text", "value", "tree"),
    [
        ("paid > record.credit", 5, Compare(">", PAID, number(5))),
        ("record.credit > paid", None, Const(False, "boolean")),
        ("record.credit == paid", None, Compare("==", PAID, BLANK)),
        ("record.credit != record.credit", None, Compare("!=", BLANK, BLANK)),
        ("paid in [record.credit, 1]", None, In(PAID, (BLANK, number(1)))),
        ("record.credit in [paid, 1]", None, Or((Compare("==", PAID, BLANK), Compare("==", number(1), BLANK)))),
        ("record.credit not in [paid]", None, Not(Or((Compare("==", PAID, BLANK),)))),
        ("COUNT(items, price > record.credit) > 1", 5, Compare(">", Aggregate(
            "COUNT", ITEMS, "item", "order", Compare(">", path("item", "price"), number(5)), "number"), number(1))),
        ("not (paid + record.credit > 1)", 5, Not(Compare(">", Arith("+", PAID, number(5)), number(1)))),
    ],
)  # fmt: skip
def test_values_are_put_into_the_filter_of_a_reference(text: str, value: object, tree: Node) -> None:
    assert bound(of_order(text), {"record.credit": value}) == tree


def test_a_list_of_choices_is_put_into_the_filter_of_a_reference() -> None:
    node = parse("kind in record.kinds", ORDER, functions=FUNCTIONS, outer=ORDER)
    kind = path("order", "kind")
    assert bound(node, {"record.kinds": ["big", "small"]}) == In(kind, (Const("big", "text"), Const("small", "text")))
    assert bound(node, {"record.kinds": None}) == Const(False, "boolean")
    negated = parse("kind not in record.kinds", ORDER, functions=FUNCTIONS, outer=ORDER)
    assert bound(negated, {"record.kinds": []}) == Const(True, "boolean")


def test_a_blank_root_holds_nothing() -> None:
    node = parse("IN_TREE(customer, record.customer)", ORDER, functions=FUNCTIONS, outer=ORDER)
    assert bound(node, {"record.customer": None}) == Const(False, "boolean")


def keys(node: Node) -> list[str]:
    return [found.key for found in reads(node)]


def test_what_a_formula_reads_is_told_once_with_what_it_reads_of_lines() -> None:
    node = read("paid + SUM(items, price * parent.paid) + SUM(items, quantity) + config.house.tax + LEN(customer.name)")
    assert keys(node) == ["paid", "items", "items.price", "items.quantity", "customer.name"]
    assert keys(read("IN_TREE(customer, customer.head)")) == ["customer", "customer.head"]


def test_what_changes_by_itself_is_volatile() -> None:
    assert is_volatile(read("due < TODAY()"), FUNCTIONS)
    assert is_volatile(read("name == user.username"), FUNCTIONS)
    assert is_volatile(read("COUNT(items, parent.due < TODAY()) > 1"), FUNCTIONS)
    assert not is_volatile(read("LEN(name) > config.house.tax"), FUNCTIONS)


def trees(object_: str, name: str) -> Node | None:
    found = OBJECTS[object_].fields.get(name)
    return Fit(read(found.formula, object_), 2) if found is not None and found.source == "formula" else None


def test_formula_fields_are_written_out() -> None:
    net = Fit(Arith("*", path("item", "price"), path("item", "quantity")), 2)
    total = Fit(Aggregate("SUM", ITEMS, "item", "order", net, "number"), 2)
    assert expanded(read("open * 2"), "order", trees) == Arith("*", Fit(Arith("-", total, PAID), 2), number(2))


def test_formula_fields_behind_a_reference_are_written_out_with_their_paths() -> None:
    found = expanded(read("customer.debt"), "order", trees)
    assert found == Fit(Arith("*", path("order", "customer", "head", "credit"), number(2)), 2)
    of_items = expanded(read("parent.total", "item"), "item", trees)
    assert isinstance(of_items, Fit)
    assert isinstance(of_items.item, Aggregate)
    assert of_items.item.path == path("item", "order", "items")


@pytest.mark.parametrize(
    ("object_", "text", "message"),
    [
        ("order", "egg", "'egg' is worked out from itself: egg -> hen -> egg"),
        ("order", "self > 1", "'self' is worked out from itself: self -> self"),
        ("customer", "loop", "'loop' is worked out from itself: loop -> loop"),
        ("order", "customer.loop", "'loop' is worked out from itself: loop -> loop"),
    ],
)
def test_a_formula_that_is_worked_out_from_itself_is_refused(object_: str, text: str, message: str) -> None:
    with pytest.raises(FormulaError) as error:
        expanded(read(text, object_), object_, trees)
    assert (error.value.code, error.value.message) == ("formula.circle", message)


def test_a_circle_through_lines_names_their_object() -> None:
    fields = {**OBJECTS["order"].fields, "total": formula("total", "SUM(items, share)")}
    objects = {**OBJECTS, "order": replace(OBJECTS["order"], fields=fields)}

    def tree_of(object_: str, name: str) -> Node | None:
        found = objects[object_].fields.get(name)
        names = definition_names(objects, object_)
        return parse(found.formula, names, functions=FUNCTIONS, wants=None) if found and found.formula else None

    with pytest.raises(FormulaError, match=r"total -> item\.share -> total"):
        expanded(read("total"), "order", tree_of)


def test_what_grows_too_large_is_refused_before_it_does() -> None:
    def doubling(object_: str, name: str) -> Node | None:
        step = int(name[1:])
        below = field(f"f{step - 1}", "number", source="formula")
        lower = Path((below.name,), (below,), "number")
        return Arith("+", lower, lower) if step else number(1)

    def named(step: int) -> Path:
        return Path((f"f{step}",), (field(f"f{step}", "number"),), "number")

    assert expanded(named(5), "order", doubling)
    with pytest.raises(FormulaError) as error:
        expanded(named(60), "order", doubling)
    assert error.value.code == "formula.limit"


def test_what_goes_too_deep_is_refused() -> None:
    def deeper(object_: str, name: str) -> Node | None:
        step = int(name[1:])
        return Not(Path((f"f{step - 1}",), (field(f"f{step - 1}", "boolean"),), "boolean")) if step else And(())

    def named(step: int) -> Path:
        return Path((f"f{step}",), (field(f"f{step}", "boolean"),), "boolean")

    assert expanded(named(90), "order", deeper)
    with pytest.raises(FormulaError, match="100 levels"):
        expanded(named(120), "order", deeper)

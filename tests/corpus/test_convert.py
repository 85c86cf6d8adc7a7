"""Does the converter say in our language what digests of four products say? Small ones of our own, always at hand."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.tenants import load_plugins
from metadata.package import load
from tests.corpus.convert import Converted, convert
from tests.corpus.expressions import Found, Outside, Untranslatable, translated

Json = dict[str, Any]
KINDS = {
    "amount": "number",
    "name": "text",
    "stage": "choice",
    "due": "date",
    "is_open": "boolean",
    "owner": "reference",
}


def resolve(steps: Any) -> Found:
    name = steps[-1]
    if name not in KINDS:
        raise Outside(f"no field {name}")
    return Found(name, KINDS[name])


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        ("amount > 5 && name <> 'x'", "(amount > 5) and (name != 'x')"),
        ("OR(ISBLANK(name), NOT(is_open))", "ISBLANK(name) or (not is_open)"),
        ('AND(ISPICKVAL(stage, "New"), amount = 1)', "(stage == 'New') and (amount == 1)"),
        ('IF(amount > 1, "it\'s", name)', "IF(amount > 1, 'it\\'s', name)"),
        ("HYPERLINK('/a', name, '_self')", "HYPERLINK('/a', name)"),
        ("STRFTIME(due, '%Y-%m %H:%M')", "DATE_TEXT(due, 'yyyy-MM HH:mm')"),
        ("name & ' ' & TEXT(stage) & TEXT(amount)", "name + ' ' + stage + TEXT(amount)"),
        ("amount - 1 - amount * 2", "amount - 1 - (amount * 2)"),
        ("TODAY() - due", "DAYS_BETWEEN(due, TODAY())"),
        ("due + 30 < TODAY()", "(due + 30) < TODAY()"),
        ("CASE(stage, 'a', 1, 'b', 2, 0)", "CASE(stage, 'a', 1, 'b', 2, 0)"),
        ("ISCHANGED(amount) || ISNEW()", "CHANGED(amount) or IS_NEW()"),
        ("NULLVALUE(amount, 0) ^ 2", "POWER(BLANKVALUE(amount, 0), 2)"),
        ("CASESAFEID(owner)", "owner"),
    ],
)
def test_formulas_of_salesforce(source: str, ours: str) -> None:
    assert translated(source, "salesforce", resolve, is_condition=False) == ours


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        ('doc.stage === "New"', "stage == 'New'"),
        ("!doc.is_open && doc.owner", "(not is_open) and (not ISBLANK(owner))"),
        ("doc.is_open == 0", "not is_open"),
        ("doc.is_open != 0", "is_open"),
        ("doc.amount", "amount != 0 and not ISBLANK(amount)"),
        ("name;", "not ISBLANK(name)"),
        ("(doc.amount > 5 || doc.name) && true", "((amount > 5) or (not ISBLANK(name))) and true"),
    ],
)
def test_conditions_of_frappe(source: str, ours: str) -> None:
    assert translated(source, "javascript", resolve, is_condition=True) == ours


@pytest.mark.parametrize(
    "source",
    ["", "amount >", "IMAGE('a', 'b')", "name &&", "amount # 2", "(amount", "missing > 5", "amount amount"],
)
def test_what_cannot_be_said_has_a_reason(source: str) -> None:
    with pytest.raises(Untranslatable):
        translated(source, "salesforce", resolve, is_condition=True)


def made(tmp_path: Path, digest: list[Json]) -> tuple[Converted, dict[str, Json]]:
    """The conversion, and the objects and pages by name; what is written has no errors."""
    found = convert(digest, tmp_path / "app")
    plugins = load_plugins()
    problems = load([tmp_path / "app"], plugins.kinds(), plugins.functions).problems
    assert [problem for problem in problems if problem.level == "error"] == []
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (tmp_path / "app").rglob("*.yaml")]
    return found, {str(one.get("view") or one.get("layout") or one.get("object")): one for one in documents}


def test_a_doctype_with_lines(tmp_path: Path) -> None:
    found, ours = made(tmp_path, [
        {"object": "Order", "kind": "table", "autoname": "field:code", "fields": [
            {"name": "code", "label": "Code", "type": "Data", "in_list": True, "set_only_once": True},
            {"name": "status", "label": "Status", "type": "Select", "options": ["Open", "Done"], "in_list": True,
             "in_filter": True},
            {"name": "items", "label": "Items", "type": "Table", "reference": "Item", "reference_kind": "child",
             "required_if": "eval:doc.status == 'Done'"},
            {"name": "extras", "label": "Extras", "type": "Table", "reference": "Item", "reference_kind": "child"},
            {"name": "why", "label": "Why", "type": "Small Text", "depends_on": "eval:doc.status == 'Done'",
             "readonly_if": "eval:doc.code == 'x'", "no_copy": True},
            {"name": "team", "label": "Team", "type": "Link", "reference": "Team",
             "link_filters": "[[\"Team\", \"disabled\", \"=\", 0]]"},
            {"name": "phone", "label": "Phone", "type": "Data", "fetch_from": "team.phone", "readonly": True},
            {"name": "odd", "label": "Odd", "type": "Data", "depends_on": "eval:frappe.boot.x"},
        ], "layout": [
            {"t": "Section Break", "name": "s", "label": "Head", "depends_on": "code"}, {"t": "field", "name": "code"},
            {"t": "Column Break", "name": "c"}, {"t": "field", "name": "status"}, {"t": "field", "name": "why"},
        ]},
        {"object": "Item", "kind": "child", "fields": [{"name": "what", "label": "What", "type": "Data"}]},
        {"object": "Team", "kind": "table", "parent_field": "above", "fields": [
            {"name": "title", "label": "Title", "type": "Data"}, {"name": "phone", "label": "Phone", "type": "Data"},
            {"name": "disabled", "label": "Disabled", "type": "Check"},
            {"name": "above", "label": "Above", "type": "Link", "reference": "Team"},
        ]},
        {"object": "Setup", "kind": "single", "fields": [{"name": "limit", "label": "Limit", "type": "Int"}]},
    ])  # fmt: skip
    order = ours["Order"]["fields"]
    assert order["items"] == {"type": "table", "label": "Items", "of": "Item", "by": "order_items"}
    assert ours["Order"]["validations"] == [
        {"rule": "items_needed", "error_if": "(status == 'Done') and COUNT(items) == 0", "message": "Items?"},
    ]
    assert ours["Item"]["kind"] == "child"
    assert ours["Item"]["fields"]["order_extras"] == {
        "type": "reference", "to": "Order", "master": True, "on_delete": "cascade", "required": False,
    }  # fmt: skip
    assert {key: order["why"][key] for key in ("show_if", "lock_if", "copy")} == {
        "show_if": "status == 'Done'", "lock_if": "code == 'x'", "copy": False,
    }  # fmt: skip
    assert order["code"]["set_once"] is True
    assert order["team"]["filter"] == "not disabled"
    assert order["phone"]["fetch"] == "team.phone"
    assert (ours["Team"]["tree"], ours["Setup"]["kind"]) == ("above", "single")
    assert (ours["order_list"]["columns"], ours["order_list"]["quick_filters"]) == (["code", "status"], ["status"])
    assert ours["order_form"]["tabs"][0]["sections"] == [
        {"label": "Head", "columns": 2, "fields": ["code", "status", None, "why"], "show_if": "not ISBLANK(code)"},
    ]
    assert [(loss.name, loss.why) for loss in found.lost] == [("odd.show_if", "a script: frappe.")]


def test_a_custom_object_with_a_master(tmp_path: Path) -> None:
    found, ours = made(tmp_path, [
        {"object": "Deal__c", "label_plural": "Deals", "kind": "table", "fields": [
            {"name": "Total__c", "label": "Total", "type": "Summary", "summary": {
                "op": "sum", "field": "Line__c.Amount__c", "key": "Line__c.Deal__c",
                "filters": [{"field": "Line__c.State__c", "operation": "notEqual", "value": "Off, Lost"}]}},
            {"name": "Double__c", "label": "Double", "type": "Currency", "formula": "Total__c * 2", "scale": "2"},
            {"name": "Label__c", "label": "Label", "type": "Text", "formula": "$Label.x & Name"},
        ], "validations": [
            {"name": "Named", "active": True, "formula": "ISBLANK(Name)", "message": "Name it",
             "error_field": "Total__c"},
            {"name": "Odd", "active": True, "formula": "VLOOKUP(Name)", "message": "Odd"},
        ], "list_views": [
            {"name": "Big", "label": "Big", "columns": ["NAME", "Total__c", "OWNER.ALIAS"],
             "filters": [{"field": "Total__c", "operation": "greaterThan", "value": "5"}]},
        ]},
        {"object": "Line__c", "kind": "table", "name_field": {"type": "AutoNumber", "displayFormat": "L-{000}"},
         "fields": [
            {"name": "Deal__c", "label": "Deal", "type": "MasterDetail", "reference": ["Deal__c"], "required": True,
             "reference_kind": "owner"},
            {"name": "Amount__c", "label": "Amount", "type": "Currency", "precision": "18", "scale": "2"},
            {"name": "State__c", "label": "State", "type": "Picklist",
             "options": [{"value": "On", "default": True}, {"value": "Off"}, {"value": "Lost"}]},
            {"name": "Other__c", "label": "Other", "type": "Lookup", "reference": ["Line__c"], "filter": {
                "items": [{"field": "Line__c.Deal__c", "operation": "equals", "valueField": "$Source.Deal__c"},
                          {"field": "Line__c.State__c", "operation": "equals", "value": "On"}], "logic": "1 OR 2"}},
        ]},
    ])  # fmt: skip
    deal, line = ours["Deal__c"]["fields"], ours["Line__c"]["fields"]
    assert deal["Total__c"] == {
        "type": "rollup", "label": "Total", "of": "Line__c.Deal__c", "operation": "sum", "returns": "currency",
        "field": "Amount__c", "filter": "State__c not in ['Off', 'Lost']",
    }  # fmt: skip
    assert deal["Double__c"] == {
        "type": "formula", "label": "Double", "scale": 2, "formula": "Total__c * 2", "returns": "currency",
    }  # fmt: skip
    assert ours["Deal__c"]["validations"] == [
        {"rule": "Named", "error_if": "ISBLANK(Name)", "message": "Name it", "field": "Total__c"},
    ]
    assert (line["Deal__c"]["master"], line["Deal__c"]["on_delete"]) == (True, "cascade")
    assert line["Other__c"]["filter"] == "(Deal__c == record.Deal__c) or (State__c == 'On')"
    assert (line["State__c"]["default"], line["Name"]["format"]) == ("On", "L-{000}")
    assert ours["deal_c_big"]["columns"] == ["Name", "Total__c", "owner"]
    assert ours["deal_c_big"]["filter"] == "Total__c > 5"
    assert [(loss.name, loss.is_outside) for loss in found.lost] == [("Label__c.formula", True), ("rule Odd", False)]


def test_objects_of_steedos_and_corteza(tmp_path: Path) -> None:
    _, ours = made(tmp_path, [
        {"object": "bill", "kind": "table", "fields": [
            {"name": "no", "label": "编号", "type": "autonumber", "formula": "B-{0000}", "is_name": True},
            {"name": "bank", "label": "银行", "type": "lookup", "reference": "bank", "group": "付款",
             "filter": "function(){ return (\"state eq 'on' \"); }"},
            {"name": "amount", "label": "金额", "type": "currency", "scale": 2},
            {"name": "bank_code", "label": "代码", "type": "formula", "formula": "bank.code", "data_type": "text"},
            {"name": "day", "label": "日期", "type": "date",
             "default": "function anonymous(\n) { return new Date(); }"},
        ], "validations": [{"name": "big", "active": True, "formula": "amount > bank.most", "message": "太多"}],
         "list_views": [{"name": "open", "columns": [{"field": "no"}, {"field": "bank"}],
                         "filters": "function() { return [[\"amount\", \">\", 5]]; }"}]},
        {"object": "bank", "kind": "table", "fields": [
            {"name": "code", "label": "代码", "type": "text"}, {"name": "state", "label": "状态", "type": "text"},
            {"name": "most", "label": "上限", "type": "currency"},
            {"name": "bills", "label": "数量", "type": "summary", "summary": {"object": "bill", "type": "count"}},
        ]},
    ])  # fmt: skip
    bill = ours["bill"]["fields"]
    assert (bill["bank"]["filter"], bill["day"]["default"]) == ("state == 'on'", "today")
    assert (bill["bank_code"]["formula"], bill["bank_code"]["returns"]) == ("bank.code", "text")
    assert ours["bill"]["validations"][0]["error_if"] == "amount > bank.most"
    assert ours["bank"]["fields"]["bills"]["of"] == "bill.bank"
    assert ours["bill_open"]["filter"] == "amount > 5"
    assert [section.get("label") for section in ours["bill_form"]["sections"]] == [None, "付款"]

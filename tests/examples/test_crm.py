"""The CRM package as text: complete in both languages, reachable, and with sample data that adds up."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from engine.tenants import load_plugins
from metadata.model import SYSTEM_FIELDS, Definitions, Field, Text
from metadata.package import load
from metadata.problem import render
from metadata.processes import nodes_in

CRM = Path(__file__).parents[2] / "examples/crm"
LANGUAGES = ("en", "zh-CN")


@cache
def crm() -> Definitions:
    plugins = load_plugins()
    loaded = load([CRM], plugins.kinds(), plugins.functions, plugins.parts())
    assert render(loaded.problems) == ""
    return loaded.definitions


def own_objects() -> list[str]:
    return [name for name, definition in crm().objects.items() if definition.package == "crm"]


def records(name: str) -> list[dict[str, object]]:
    """Sample records of an object, with their key under `_key`."""
    found = [record for data in crm().data if data.object == name for record in data.records]
    return [{"_key": record.key, **record.values} for record in found]


def number(value: object) -> Decimal:
    return Decimal(str(value or 0))


def day(value: object) -> int:
    """today-14 -> -14"""
    assert isinstance(value, str)
    assert value.startswith("today"), value
    return int(value[5:] or 0)


def test_it_has_the_objects_of_a_sale_from_lead_to_payment() -> None:
    assert sorted(own_objects()) == [
        "account", "activity", "campaign", "contact", "contract", "lead", "opportunity", "opportunity_line", "order",
        "order_line", "payment", "product", "quote", "quote_line", "sales_settings",
    ]  # fmt: skip


def test_it_uses_the_field_types_that_a_sales_team_meets() -> None:
    fields = [field for name in own_objects() for field in crm().objects[name].fields.values()]
    assert {field.type for field in fields} == {
        "address", "autonumber", "boolean", "choice", "currency", "date", "datetime", "decimal", "duration", "email",
        "file", "geolocation", "image", "integer", "inverse", "longtext", "multi_choice", "multi_reference",
        "percent", "phone", "polymorphic_reference", "rating", "reference", "richtext", "secret", "table", "text",
        "time", "url",
    }  # fmt: skip
    assert {field.source for field in fields} == {"value", "formula", "rollup", "lines", "inverse"}


def test_it_uses_what_the_language_offers() -> None:
    objects = [crm().objects[name] for name in own_objects()]
    fields = [field for definition in objects for field in definition.fields.values()]
    for key in (
        "show_if", "require_if", "lock_if", "default_formula", "fetch", "filter", "depends_on", "is_set_once",
        "is_master", "targets",
    ):  # fmt: skip
        assert any(getattr(field, key) for field in fields), key
    assert not all(field.is_copied for field in fields)
    assert not all(field.is_tracked for field in fields)
    assert {definition.kind for definition in objects} == {"", "child", "single"}
    assert [definition.name for definition in objects if definition.tree] == ["account"]
    assert [one.name for one in crm().objects["opportunity"].record_types] == ["standard", "tender"]
    rules = [rule for definition in objects for rule in definition.validations]
    assert {rule.level for rule in rules} == {"error", "warning"}
    assert any(rule.each for rule in rules)
    assert any(rule.unless for rule in rules)
    assert {rule.action for definition in objects for rule in definition.duplicates} == {"block", "warn"}


def texts() -> Iterator[tuple[str, Text]]:
    found = crm()
    yield "package", found.packages["crm"].label
    yield "package description", found.packages["crm"].description
    for name in own_objects():
        definition = found.objects[name]
        yield name, definition.label
        yield f"{name} plural", definition.plural
        yield f"{name} description", definition.description
        yield from ((f"{name} rule {rule.name}", rule.message) for rule in definition.validations)
        yield from ((f"{name} duplicates {rule.name} help", rule.message) for rule in definition.duplicates)
        for kind in definition.record_types:
            yield f"{name} type {kind.name}", kind.label
            yield f"{name} type {kind.name} description", kind.description
        for field in definition.fields.values():
            yield f"{name}.{field.name}", field.label
            yield f"{name}.{field.name} help", field.help
            for choice in field.choices:
                yield f"{name}.{field.name}={choice.value}", choice.label
    for layout in found.layouts.values():
        for tab in layout.tabs:
            yield f"layout {layout.name} tab", tab.label
            yield from ((f"layout {layout.name} section", section.label) for section in tab.sections)
            yield from ((f"layout {layout.name} related {related.object}", related.label) for related in tab.related)
    yield from ((f"view {view.name}", view.label) for view in found.views.values())
    yield from ((f"role {role.name}", role.label) for role in found.roles.values())
    yield from process_texts()
    for menu in found.menus:
        yield f"menu {menu.name}", menu.label
        yield from ((f"menu {menu.name}: {item.object}", item.label) for item in menu.items)


def process_texts() -> Iterator[tuple[str, Text]]:
    processes = crm().processes
    for approval in processes.approvals.values():
        yield f"approval {approval.name}", approval.label
        yield f"approval {approval.name} description", approval.description
        for node in nodes_in(approval.flow):
            yield f"approval {approval.name} {node.name}", node.label
            yield from ((f"approval {approval.name} {node.name} {one.name}", one.label) for one in node.branches)
    for automation in processes.automations.values():
        yield f"automation {automation.name}", automation.label
        yield f"automation {automation.name} description", automation.description
    for workflow in processes.workflows.values():
        yield f"workflow {workflow.name}", workflow.label
        yield from ((f"workflow {workflow.name} {one.value} help", one.guidance) for one in workflow.states)
        yield from ((f"workflow {workflow.name} {one.name}", one.label) for one in workflow.transitions)
    for template in processes.templates.values():
        yield f"template {template.name}", template.label
        yield f"template {template.name} help: subject", template.subject
        yield f"template {template.name} help: body", template.body
    for calendar in processes.calendars.values():
        yield f"calendar {calendar.name}", calendar.label
        yield from ((f"calendar {calendar.name} {one.date}", one.label) for one in calendar.holidays)


def test_every_text_is_in_english_and_in_chinese() -> None:
    missing = [
        f"{where} ({language})" for where, text in texts() if text for language in LANGUAGES if not text.get(language)
    ]
    assert missing == []


def test_every_label_of_its_own_is_there() -> None:
    optional = ("help", "description", "related", "tab", "menu")
    assert [where for where, text in texts() if not text and not any(word in where for word in optional)] == []


def test_the_chinese_texts_of_products_come_from_the_translation_document() -> None:
    product = crm().objects["product"]
    assert product.label == {"en": "Product", "zh-CN": "产品"}
    assert product.fields["unit"].choices[0].label == {"en": "Piece", "zh-CN": "件"}
    assert crm().views["product_all"].label == {"en": "All products", "zh-CN": "全部产品"}


def test_translated_texts_of_products_leave_others_alone() -> None:
    found = crm()
    assert found.objects["opportunity"].fields["description"].label["zh-CN"] == "需求说明"
    assert [menu.label["zh-CN"] for menu in found.menus if menu.package == "crm"] == [
        "销售",
        "市场",
        "订单与回款",
        "产品与其他",
    ]


@pytest.mark.parametrize("what", ["layouts", "views"])
def test_every_object_has_one_default(what: str) -> None:
    defaults = [one.object for one in getattr(crm(), what).values() if one.is_default and one.object in own_objects()]
    assert sorted(defaults) == sorted(own_objects())


def test_every_object_is_in_the_menu_but_for_lines() -> None:
    lines = {name for name in own_objects() if crm().objects[name].kind == "child"}
    assert lines == {"opportunity_line", "quote_line", "order_line"}
    assert set(own_objects()) - {item.object for menu in crm().menus for item in menu.items} == lines


def test_every_field_is_on_its_layout() -> None:
    absent = []
    for name in own_objects():
        for layout in crm().layouts.values():
            placed = {cell.field for tab in layout.tabs for section in tab.sections for cell in section.cells}
            absent += [
                f"{layout.name}: {field.name}" for field in crm().objects[name].fields.values()
                if layout.object == name and field.name not in placed and not field.is_hidden
                and not is_of_tenders(field)
            ]  # fmt: skip
    assert absent == []


def is_of_tenders(field: Field) -> bool:
    """Shown on the layout of tenders only."""
    return "'tender'" in field.show_if


def test_there_are_seven_roles_and_nine_people_of_both_languages() -> None:
    assert set(crm().roles) - {"admin"} == {
        "sales_rep", "sales_manager", "marketing", "finance", "legal", "sales_ops", "executive",
    }  # fmt: skip
    people = {user.username: (user.name, user.roles, user.language) for user in crm().packages["crm"].demo_users}
    assert people == {
        "lin": ("林悦", ("sales_rep",), "zh-CN"),
        "sam": ("Sam Ortiz", ("sales_rep",), "en"),
        "wang": ("王小明", ("sales_manager",), "zh-CN"),
        "priya": ("Priya Nair", ("marketing",), "en"),
        "chen": ("陈静", ("finance",), "zh-CN"),
        "zhou": ("周岚", ("legal",), "zh-CN"),
        "meng": ("孟然", ("legal",), "zh-CN"),
        "he": ("何苗", ("sales_ops",), "zh-CN"),
        "gao": ("高远", ("executive",), "zh-CN"),
    }


def test_a_sales_representative_sees_only_own_sales() -> None:
    rows = {grant.object: grant.rows for grant in crm().roles["sales_rep"].grants}
    sharing = {name: crm().objects[name].sharing for name in ("lead", "opportunity", "account", "contact")}
    assert sharing == {"lead": "private", "opportunity": "private", "account": "read", "contact": "edit"}
    assert (rows["lead"], rows["opportunity"], rows["quote"]) == ("", "", "owner == user.id")
    assert "opportunity_line" not in rows  # lines follow what they belong to


def test_there_are_at_least_300_records_and_some_of_each_object() -> None:
    counts = {name: len(records(name)) for name in own_objects()}
    assert sum(counts.values()) >= 300
    assert counts.pop("sales_settings") == 1
    assert min(counts.values()) >= 9, counts


def test_every_reference_of_the_sample_data_resolves() -> None:
    keys = {name: {str(record["_key"]) for record in records(name)} for name in own_objects()}
    keys["user"] = {user.username for user in crm().packages["crm"].demo_users}
    wrong = []
    for name in own_objects():
        fields = {**crm().objects[name].fields, **SYSTEM_FIELDS}
        for record in records(name):
            for field, value in record.items():
                if field in fields and fields[field].target and str(value) not in keys[fields[field].target]:
                    wrong.append(f"{name}.{field}: {value}")
    assert wrong == []


def test_titles_are_distinct_where_people_choose_by_them() -> None:
    for name in ("account", "contact", "lead", "opportunity", "quote", "contract", "order", "payment", "activity"):
        titles = [str(record[crm().objects[name].title]) for record in records(name)]
        assert [title for title in set(titles) if titles.count(title) > 1] == [], name


def test_every_choice_of_a_status_occurs() -> None:
    for name, field in [
        ("lead", "status"), ("lead", "source"), ("opportunity", "stage"), ("quote", "status"),
        ("campaign", "status"), ("account", "relation"), ("account", "industry"), ("activity", "type"),
    ]:  # fmt: skip
        known = {choice.value for choice in crm().objects[name].fields[field].choices}
        assert known - {record.get(field) for record in records(name)} == set(), f"{name}.{field}"


def sums(parent: str) -> dict[str, Decimal]:
    """What the lines of each record add up to."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in records(f"{parent}_line"):
        quantity, price, discount = (number(line.get(name)) for name in ("quantity", "unit_price", "discount"))
        found[str(line[parent])] += quantity * price * (100 - discount) / 100
    return found


def totals(parent: str) -> dict[str, Decimal]:
    """Quotes or orders with tax."""
    net = sums(parent)
    return {str(one["_key"]): net[str(one["_key"])] * (100 + number(one["tax_rate"])) / 100 for one in records(parent)}


def test_lines_of_opportunities_add_up() -> None:
    assert {record["_key"]: number(record["amount"]) for record in records("opportunity")} == sums("opportunity")


@pytest.mark.parametrize("parent", ["opportunity", "quote", "order"])
def test_lines_are_numbered(parent: str) -> None:
    places: dict[object, list[int]] = defaultdict(list)
    for line in records(f"{parent}_line"):
        places[line[parent]].append(int(str(line["position"])))
    assert {tuple(found) for found in places.values()} <= {tuple(range(1, n + 1)) for n in range(1, 9)}


def test_a_won_sale_has_quote_contract_order_and_payments_of_one_amount() -> None:
    won = {str(record["_key"]) for record in records("opportunity") if record["stage"] == "won"}
    quotes, orders = totals("quote"), totals("order")
    quoted = {q["opportunity"]: quotes[str(q["_key"])] for q in records("quote") if q["status"] == "accepted"}
    ordered = {o["opportunity"]: orders[str(o["_key"])] for o in records("order")}
    agreed = {c["opportunity"]: number(c["amount"]) for c in records("contract") if c.get("opportunity") in won}
    due: dict[object, Decimal] = defaultdict(Decimal)
    opportunity_of = {order["_key"]: order["opportunity"] for order in records("order")}
    for payment in records("payment"):
        due[opportunity_of[payment["order"]]] += number(payment["planned_amount"])
    assert len(won) == 14
    assert set(quoted) == won
    assert quoted == ordered == agreed == due


def test_dates_follow_each_other() -> None:
    closed = {record["_key"]: day(record["close_date"]) for record in records("opportunity")}
    signed = {record["_key"]: day(record["signed_date"]) for record in records("contract") if record.get("signed_date")}
    for order in records("order"):
        assert closed[order["opportunity"]] <= signed[order["contract"]] <= day(order["order_date"]), order["_key"]
        assert day(order["order_date"]) < day(order["promised_date"])
    for payment in records("payment"):
        assert signed[payment["contract"]] <= day(payment["due_date"]), payment["name"]
        if "received_date" in payment:
            assert signed[payment["contract"]] < day(payment["received_date"]) <= 0, payment["name"]


def test_there_is_something_late_and_something_soon() -> None:
    open_payments = [p for p in records("payment") if p["status"] in ("planned", "invoiced", "part_paid")]
    assert sum(day(p["due_date"]) < 0 for p in open_payments) == 3
    assert sum(0 <= day(p["due_date"]) <= 30 for p in open_payments) >= 3
    open_sales = [o for o in records("opportunity") if o["stage"] not in ("won", "lost")]
    assert sum(day(o["close_date"]) < 0 for o in open_sales) == 2
    to_do = [day(a["due_date"]) for a in records("activity") if not a.get("is_done")]
    assert min(to_do) < 0 < max(to_do)
    assert sum(0 <= due <= 7 for due in to_do) >= 15


def test_addresses_are_nobodys() -> None:
    """RFC 2606 keeps example.com free; 154 is no Chinese mobile prefix, and 99 is no province."""
    for name in ("account", "contact", "lead"):
        for record in records(name):
            assert str(record.get("email", "x.example.com")).endswith(".example.com"), record
            assert str(record.get("website", "x.example.com")).endswith(".example.com"), record
    chinese = [str(record["mobile"]) for record in records("contact") if str(record["mobile"]).startswith("+86")]
    assert [mobile for mobile in chinese if not mobile.startswith("+86 154 ")] == []
    assert [a for a in records("account") if not str(a.get("credit_code", "9199")).startswith("9199")] == []


def test_what_people_do_is_told_of_each_state_of_an_approval() -> None:
    done = {deed.what for scenario in crm().scenarios for deed in scenario.deeds}
    assert done >= {
        "submit", "approve", "reject", "return", "resubmit", "withdraw", "comment", "add_before", "transfer", "urge",
        "read", "away",
    }  # fmt: skip


def test_quotes_with_a_large_discount_went_out_with_an_approval() -> None:
    limit = number(records("sales_settings")[0]["max_discount"])
    large = {line["quote"] for line in records("quote_line") if number(line.get("discount")) > limit}
    sent = {str(quote["_key"]) for quote in records("quote") if quote["status"] != "draft"}
    assert large & sent == set()

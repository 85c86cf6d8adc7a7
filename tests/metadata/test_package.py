"""Do packages come together: defaults, translations, additions by other packages, what is installed?"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.registry import Plugins
from metadata.model import Cell, Choice, Loaded, MenuItem, RelatedList, Section, SortKey, say
from metadata.package import load

Write = Callable[[Mapping[str, str]], Path]
Load = Callable[[Mapping[str, str]], Loaded]

LEAD = """
object: lead
label: {en: Lead, zh-CN: 线索}
fields:
  number: {type: autonumber}
  name: {type: text, label: Name}
  status: {type: choice, choices: {new: New, lost: {label: {en: Lost, zh-CN: 失败}, color: red, retired: true}}}
  note: {type: longtext}
"""


def messages(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_the_system_package_is_always_there_and_sound(loaded: Load) -> None:
    found = loaded({})
    assert messages(found) == []
    assert list(found.definitions.packages) == ["system", "shop"]
    assert found.definitions.objects["user"].fields["username"].is_unique
    assert [grant.object for grant in found.definitions.roles["admin"].grants] == ["*"]


def test_an_object_gets_its_defaults(loaded: Load) -> None:
    lead = loaded({"lead.yaml": LEAD}).definitions.objects["lead"]
    assert (lead.title, lead.icon, lead.color, lead.package) == ("name", "file", "blue", "shop")
    assert lead.plural == {"en": "Lead", "zh-CN": "线索"}
    assert lead.search == ("name", "number", "note")
    assert lead.fields["number"].label == {"en": "Number"}
    assert lead.fields["name"].options == {"length": 255}
    assert lead.fields["status"].value == "choice"
    assert lead.fields["status"].choices == (
        Choice("new", {"en": "New"}), Choice("lost", {"en": "Lost", "zh-CN": "失败"}, "red", True),
    )  # fmt: skip


def test_the_title_is_the_first_field_that_can_be_one_where_there_is_no_name(loaded: Load) -> None:
    found = loaded({"a.yaml": "object: a\nfields: {due: {type: date}, subject: {type: text}}"})
    assert found.definitions.objects["a"].title == "subject"


def test_a_label_by_language_may_have_the_choice_keys_as_values_only(loaded: Load) -> None:
    found = loaded({"a.yaml": "object: a\nfields: {s: {type: choice, choices: {x: {en: X, zh-CN: 某}}}}"})
    assert found.definitions.objects["a"].fields["s"].choices[0].label == {"en": "X", "zh-CN": "某"}


def test_a_required_reference_restricts_unless_it_says_otherwise(loaded: Load) -> None:
    found = loaded({"a.yaml": "object: a\nfields: {name: {type: text}, b: {type: reference, to: a, required: true}, "
                              "c: {type: reference, to: a}}"})  # fmt: skip
    fields = found.definitions.objects["a"].fields
    assert (fields["b"].on_delete, fields["c"].on_delete, fields["b"].target) == ("restrict", "set_null", "a")


def test_translations_lie_over_inline_texts(loaded: Load) -> None:
    found = loaded({
        "lead.yaml": LEAD,
        "layout.yaml": "layout: lead\nobject: lead\nsections: [{label: Details, fields: [name]}]",
        "zh.yaml": "translation: zh-CN\nobjects:\n  lead: {label: 商机, plural: 商机们, fields: {name: 姓名, "
                   "status: {label: 状态, help: 现状, choices: {new: 新建}}}}\ntexts: {Details: 详情}",
    })  # fmt: skip
    assert messages(found) == []
    lead = found.definitions.objects["lead"]
    assert (lead.label["zh-CN"], lead.plural["zh-CN"], lead.plural["en"]) == ("商机", "商机们", "Lead")
    assert (lead.fields["name"].label["zh-CN"], lead.fields["status"].help["zh-CN"]) == ("姓名", "现状")
    assert say(lead.fields["status"].choices[0].label, "zh-CN") == "新建"
    assert found.definitions.layouts["lead"].tabs[0].sections[0].label == {"en": "Details", "zh-CN": "详情"}


def test_views_menus_and_layouts_are_built(loaded: Load) -> None:
    found = loaded({
        "lead.yaml": LEAD,
        "more.yaml": "view: leads\nobject: lead\ncolumns: [name, owner.name]\nsort: 'status,-created_at'\n"
                     "---\nview: others\nobject: lead\ncolumns: [name]\n"
                     "---\nmenu: late\nitems: [{object: lead}]\n"
                     "---\nmenu: sales\norder: 0\nitems: [{object: lead, view: leads}]\n",
    })  # fmt: skip
    assert messages(found) == []
    views = found.definitions.views
    assert views["leads"].sort == (SortKey("status"), SortKey("created_at", True))
    assert (views["leads"].is_default, views["others"].is_default) == (True, False)
    assert [menu.name for menu in found.definitions.menus] == ["sales", "late", "people"]
    assert found.definitions.menus[0].items == (MenuItem("lead", "leads"),)


def test_sheets_are_read_by_their_fields(loaded: Load) -> None:
    found = loaded({
        "lead.yaml": LEAD + "  amount: {type: integer}\n  hot: {type: boolean}\n  on: {type: date}\n"
                            "  tags: {type: multi_choice, choices: {a: A, b: B}}\n",
        "data/lead.csv": "_key,name,status,amount,hot,on,tags,owner\nx,\"Acme, Ltd\",new,12,true,today-3,a;b,admin\n",
    })  # fmt: skip
    assert messages(found) == []
    (record,) = found.definitions.data[0].records
    assert record.key == "x"
    assert record.values == {
        "name": "Acme, Ltd", "status": "new", "amount": 12, "hot": True, "on": "today-3", "tags": ["a", "b"],
        "owner": "admin",
    }  # fmt: skip
    assert (record.place.file, record.place.line) == ("data/lead.csv", 2)


def test_another_package_adds_a_field(write: Write, plugins: Plugins, tmp_path: Path) -> None:
    shop = write({"lead.yaml": LEAD})
    more = {
        "package.yaml": "package: more\nversion: 2.0.0\nrequires: {shop: ^1.0}",
        "f.yaml": "field: lead.region\ntype: text\nlabel: Region",
    }
    found = load([shop], plugins.kinds(), plugins.functions, installed={"more": more})
    assert messages(found) == []
    fields = found.definitions.objects["lead"].fields
    assert list(fields) == ["number", "name", "status", "note", "region"]
    assert (fields["region"].package, fields["region"].place.file) == ("more", "more:f.yaml")
    assert found.definitions.packages["more"].files == more


def test_a_given_package_takes_the_place_of_an_installed_one(write: Write, plugins: Plugins) -> None:
    old = {"package.yaml": "package: shop\nversion: 0.9.0", "old.yaml": "object: old\nfields: {name: {type: text}}"}
    found = load([write({"lead.yaml": LEAD})], plugins.kinds(), plugins.functions, installed={"shop": old})
    assert messages(found) == []
    assert (found.definitions.packages["shop"].version, "old" in found.definitions.objects) == ("1.0.0", False)


def test_installed_packages_alone_are_loaded(plugins: Plugins) -> None:
    old = {"package.yaml": "package: shop\nversion: 0.9.0", "old.yaml": "object: old\nfields: {name: {type: text}}"}
    found = load([], plugins.kinds(), plugins.functions, installed={"shop": old})
    assert messages(found) == []
    assert list(found.definitions.objects) == [
        "department", "permission_assignment", "position", "queue", "team", "user", "user_role", "old",
    ]  # fmt: skip


def test_two_packages_with_one_name_are_refused(write: Write, plugins: Plugins, tmp_path: Path) -> None:
    shop = write({})
    twin = tmp_path / "twin"
    twin.mkdir()
    (twin / "package.yaml").write_text("package: shop\nversion: 2.0.0")
    found = load([shop, twin], plugins.kinds(), plugins.functions)
    assert messages(found) == [
        (
            "twin/package.yaml:1:10: package: the package 'shop' is here and in shop/package.yaml [name.duplicate]\n"
            "    fix: name it once"
        )
    ]


def test_a_wrong_part_does_not_hide_the_rest(loaded: Load) -> None:
    found = loaded({"lead.yaml": LEAD + "  bad: {type: text, required: 'yes', lenght: 3}\n", "b.yaml": "a: b: c"})
    assert [problem.code for problem in found.problems] == ["source.syntax", "value.type", "field.option.unknown"]
    assert "bad" in found.definitions.objects["lead"].fields


def test_the_keys_of_a_field_arrive(loaded: Load) -> None:
    text = (
        "object: a\nfields:\n  name: {type: text, help: Why, hidden: true, read_only: true, unique: true, index: true, "
    )
    text += "default: x, was: [nam, nom]}\n  other: {type: text}\n"
    found = loaded({"a.yaml": text})
    name, other = found.definitions.objects["a"].fields.values()
    assert (name.is_hidden, name.is_read_only, name.is_unique, name.is_indexed) == (True, True, True, True)
    assert (name.help, name.default, name.was, name.is_required) == ({"en": "Why"}, "x", ("nam", "nom"), False)
    assert (other.is_hidden, other.is_read_only, other.is_unique, other.is_indexed) == (False, False, False, False)


def test_layouts_are_built(loaded: Load) -> None:
    text = (
        "layout: a\nobject: a\nhighlights: [name]\ntabs:\n"
        "  - label: One\n    sections:\n"
        "      - {label: Who, columns: 3, collapsed: true, fields: [name, null, {field: up, span: 2}]}\n"
        "  - label: Two\n    related: [{object: a, field: up, columns: [name, up.name], sort: -name, limit: 5}]\n"
    )
    found = loaded({"a.yaml": "object: a\nfields: {name: {type: text}, up: {type: reference, to: a}}", "l.yaml": text})
    assert messages(found) == []
    layout = found.definitions.layouts["a"]
    assert (layout.highlights, layout.is_default, layout.path) == (("name",), True, "")
    assert layout.tabs[0].sections == (
        Section({"en": "Who"}, 3, (Cell("name"), Cell(None), Cell("up", 2)), is_collapsed=True),
    )
    related = RelatedList("a", "up", ("name", "up.name"), {}, (SortKey("name", True),), 5)
    assert (layout.tabs[1].label, layout.tabs[1].related) == ({"en": "Two"}, (related,))


def test_sample_data_of_an_unknown_object_is_a_problem(loaded: Load) -> None:
    found = loaded({"data/usr.csv": "name\nLin\n", "d.yaml": "data: usr\nrecords: [{name: Lin}]"})
    assert messages(found) == [
        "d.yaml:1:7: data: no object 'usr' [object.unknown]\n    fix: write 'user'?",
        "data/usr.csv:1:1: no object 'usr' [object.unknown]\n    fix: write 'user'?",
    ]


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("view: v\nobject: usr\ncolumns: [name]", "object.unknown", "object"),
        ("layout: l\nobject: usr", "object.unknown", "object"),
        ("layout: l\nobject: user\nrelated: [{object: usr, field: a, columns: [b]}]", "object.unknown",
         "related[0].object"),
        ("menu: m\nitems: [{object: usr}]", "object.unknown", "items[0].object"),
        ("menu: m\nitems: [{object: user, icon: A B}]", "icon.invalid", "items[0].icon"),
        ("role: r\nobjects: {usr: [read]}", "object.unknown", "objects.usr"),
        ("translation: zh-CN\nobjects: {usr: {label: x}}", "object.unknown", "objects.usr"),
        ("field: usr.x\ntype: text", "object.unknown", "field"),
        ("field: user.x\ntype: text\nlabel: {de: X}", "language.unknown", "label.de"),
    ],
)  # fmt: skip
def test_names_that_lead_nowhere_are_seen_everywhere(loaded: Load, text: str, code: str, path: str) -> None:
    found = loaded({"a.yaml": text})
    assert [(problem.code, problem.place.path) for problem in found.problems] == [(code, path)]


def test_reference_cycles_are_fine(loaded: Load) -> None:
    found = loaded({"a.yaml": "object: a\nfields: {name: {type: text}, b: {type: reference, to: b}}\n"
                              "---\nobject: b\nfields: {name: {type: text}, a: {type: reference, to: a}}"})  # fmt: skip
    assert messages(found) == []


def test_names_that_are_keywords_or_chinese_are_fine(loaded: Load) -> None:
    found = loaded({"a.yaml": "object: order\nfields: {name: {type: text}, class: {type: text}, from: {type: text}, "
                              "no: {type: text}, on: {type: text}, 金额: {type: integer}, Case__c: {type: text}}\n"
                              "---\nview: v\nobject: order\ncolumns: [class]\n"
                              "filter: class == 'a' and no != on and 金额 > 3"})  # fmt: skip
    assert messages(found) == []


def test_a_row_rule_for_every_object_may_use_the_engines_own_fields_only(loaded: Load) -> None:
    found = loaded({"r.yaml": "role: r\nobjects: {'*': {can: [read], rows: owner == user.id}}\n"
                              "---\nrole: s\nobjects: {'*': {can: [read], rows: name == 'x'}}"})  # fmt: skip
    assert [problem.code for problem in found.problems] == ["formula.name.unknown"]


def test_of_two_packages_defaults_the_last_counts(write: Write, plugins: Plugins) -> None:
    shop = write({"lead.yaml": LEAD, "v.yaml": "view: one\nobject: lead\ncolumns: [name]\ndefault: true"})
    more = {
        "package.yaml": "package: more\nversion: 1.0.0\nrequires: {shop: ^1}",
        "v.yaml": "view: two\nobject: lead\ncolumns: [name]\ndefault: true",
    }
    found = load([shop], plugins.kinds(), plugins.functions, installed={"more": more})
    assert messages(found) == []
    views = found.definitions.views
    assert (views["one"].is_default, views["two"].is_default) == (False, True)


def test_a_choices_label_in_an_unlisted_language_is_seen(loaded: Load) -> None:
    found = loaded(
        {"a.yaml": "object: a\nfields: {name: {type: text}, s: {type: choice, choices: {x: {en: X, de: Y}}}}"}
    )
    assert [(problem.code, problem.place.path) for problem in found.problems] == [
        ("language.unknown", "fields.s.choices.x.de")
    ]


def test_choice_keys_that_repeat_case_are_kept_apart(loaded: Load) -> None:
    found = loaded({"a.yaml": "object: a\nfields: {name: {type: text}, s: {type: choice, choices: {A: a, a: A}}}"})
    assert [choice.value for choice in found.definitions.objects["a"].fields["s"].choices] == ["A", "a"]


def test_the_rules_of_the_docs_are_a_package(loaded: Load) -> None:
    text = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text(encoding="utf-8")
    example = text.split("## Rules")[1].split("```yaml\n")[1].split("```")[0]
    others = """
---
object: account
fields:
  name: {type: text}
  region: {type: choice, choices: {east: East, west: West}}
  is_blocked: {type: boolean}
---
object: contact
fields: {name: {type: text}, account: {type: reference, to: account}, is_active: {type: boolean}}
---
object: order_line
kind: child
fields: {name: {type: text}, order: {type: reference, to: order, master: true}, price: {type: currency}}
"""
    assert messages(loaded({"a.yaml": example + others})) == []

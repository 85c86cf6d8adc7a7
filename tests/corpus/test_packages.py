"""Packages that add to each other's objects, come up to new versions, and stand beside one another."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.publish import plan
from engine.testing import running
from tests.corpus.exercise import Exercise

BASE = """\
package: base
version: 1.2.0
label: Base
---
object: thing
fields:
  name: {type: text, required: true, label: Name}
  kind: {type: choice, choices: {a: A, b: B}}
---
layout: thing
object: thing
sections: [{fields: [name, kind]}]
---
view: things
object: thing
label: Things
columns: [name, kind]
"""

MORE = """\
package: more
version: 0.1.0
label: 更多
languages: [zh-CN, en]
requires: {base: "^1.0"}
---
field: thing.订单
type: reference
to: 订单
label: 订单
---
field: thing.class
type: text
required: true
default: x
---
field: user.staff_number
type: integer
unique: true
---
object: 订单
label: 订单
fields:
  名称: {type: text, required: true}
  thing: {type: reference, to: thing, required: true, on_delete: cascade}
  人: {type: reference, to: user, default: user}
---
view: 全部
object: thing
label: 全部
columns: [name, class, 订单.名称, 订单.thing.kind, 订单.人.staff_number]
filter: "this.class != '' and 订单.thing.kind == 'a' or 订单 == None"
sort: -订单.名称
default: true
---
layout: 全部
object: thing
default: true
tabs:
  - {label: 详情, sections: [{fields: [name, class, 订单]}], related: [{object: 订单, field: thing,
      columns: [名称, 人.name]}]}
---
translation: en
objects: {订单: {label: Order, fields: {名称: {label: Name}}}, thing: {fields: {订单: {label: Order}}}}
"""

OTHER = """\
package: other
version: 1.0.0
label: Other
requires: {base: ">=1.0", more: "~0.1"}
---
field: thing.from
type: reference
to: thing
---
field: 订单.select
type: multi_choice
choices: {no: No, on: On}
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def folder(text: str) -> Path:
        name = text.split()[1]
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "package.yaml").write_text(text, encoding="utf-8")
        return tmp_path / name

    return folder


def test_three_packages_add_to_one_object(database_url: str, write: Write) -> None:
    folders = [write(text) for text in (OTHER, MORE, BASE)]
    with running(database_url, ui="ui.pages:mount") as site:
        site.publish(*folders)
        assert plan(site.tenant, folders).steps == ()
        faults = Exercise(site).run()
        thing = site.tenant.snapshot().definitions.objects["thing"]
    assert not faults, "\n".join(faults)
    assert list(thing.fields) == ["name", "kind", "订单", "class", "from"]


def test_packages_come_one_after_the_other(database_url: str, write: Write) -> None:
    with running(database_url, ui="ui.pages:mount") as site:
        site.publish(write(BASE))
        old = site.records().create("thing", {"name": "old", "kind": "a"})["id"]
        site.publish(write(MORE))
        site.publish(write(OTHER))
        assert site.records().get("thing", old, ("name", "class", "from")) == {
            "id": old, "version": 1, "name": "old", "class": "x", "from": None,
        }  # fmt: skip
        exercise = Exercise(site)
        exercise.ids["thing"] = [old]
        faults = exercise.run()
    assert not faults, "\n".join(faults)


def test_a_required_package_cannot_lose_what_others_use(sqlite_url: str, write: Write) -> None:
    with running(sqlite_url) as site:
        site.publish(*(write(text) for text in (BASE, MORE, OTHER)))
        drawn = plan(site.tenant, [write(BASE.replace("kind:", "sort:").replace("kind]", "sort]"))])
    assert [(p.code, p.place.file, p.place.line, p.message) for p in drawn.problems] == [
        ("field.unknown", "more:package.yaml", 31, "no field 'kind' in 'thing'"),
        ("formula.name.unknown", "more:package.yaml", 32, "no field 'kind' in 'thing'"),
    ]

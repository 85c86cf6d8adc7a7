"""What the linter must not say: each package here is as it should be."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.cli import main
from engine.registry import Plugins
from metadata.package import load

Write = Callable[[Mapping[str, str]], Path]

ONE_LANGUAGE = "package: shop\nversion: 1.0.0\nlanguages: [en]\n"
DEAL = """\
object: deal
fields:
  name: {type: text}
  amount: {type: currency}
  stage: {type: choice, choices: {new: New, won: Won}}
  due: {type: date}
"""

SOUND = {
    "a third condition takes the value between": DEAL + """\
  a: {type: text, show_if: "amount > 100"}
  b: {type: text, show_if: "amount < 100"}
  c: {type: text, show_if: "amount >= 100"}
""",
    "signs": DEAL + """\
  a: {type: text, show_if: "amount > 0"}
  b: {type: text, show_if: "amount < 0"}
""",
    "other fields": DEAL + """\
  a: {type: text, show_if: "amount > 100"}
  b: {type: text, lock_if: "amount < 100"}
  c: {type: integer}
  d: {type: text, show_if: "c < 100"}
""",
    "steps": DEAL + """\
  size: {type: formula, returns: text, formula: "IF(amount > 100, 'a', IF(amount > 10, 'b'))"}
  late: {type: formula, returns: boolean, formula: "true"}
  year: {type: formula, returns: text, formula: "IF(stage == 'new', IF(amount > 5, 'x', 'y'), 'z')"}
""",
    "filled by the engine": DEAL + """\
  account: {type: reference, to: account}
  number: {type: autonumber, hidden: true, read_only: true}
  region: {type: text, fetch: account.region, required: true, read_only: true}
---
object: account
fields: {name: {type: text}, region: {type: text, hidden: true, read_only: true, default: north}}
""",
    "lines get their master": DEAL.replace("  due", "  lines: {type: table, of: line}\n  due") + """\
---
object: line
kind: child
fields:
  name: {type: text}
  deal: {type: reference, to: deal, master: true, required: true, hidden: true}
""",
    "a menu for administrators": DEAL + """\
---
menu: setup
items: [{object: user}, {object: deal}]
---
role: seller
objects: {deal: [read]}
""",
    "few records": DEAL + """\
expected_records: 5000
---
view: deals
object: deal
columns: [name]
filter: "stage == 'new'"
sort: amount
""",
    "indexed": DEAL.replace("fields:", "expected_records: 5000000\nindexes: [[stage, amount]]\nfields:") + """\
---
view: deals
object: deal
columns: [name]
sort: due
---
view: new
object: deal
columns: [name]
filter: "stage == 'new' and CONTAINS(name, 'x')"
---
view: mine
object: deal
columns: [name]
filter: "owner == user.id"
sort: amount
""",
}  # fmt: skip


@pytest.mark.parametrize("what", SOUND)
def test_a_sound_package_is_not_warned_of(what: str, write: Write, plugins: Plugins) -> None:
    package = write({"package.yaml": ONE_LANGUAGE, "deal.yaml": SOUND[what]})
    assert load([package], plugins.kinds(), plugins.functions, has_lint=True).problems == ()


def test_texts_are_there_in_a_translation(write: Write, plugins: Plugins) -> None:
    package = write({
        "package.yaml": "package: shop\nversion: 1.0.0\nlanguages: [en, zh-CN]\nlabel: {en: Shop, zh-CN: 商店}\n",
        "deal.yaml": "object: deal\nlabel: Deal\nfields:\n  name: {type: text, label: Name}\n"
                     "  sku: {type: text, label: SKU}\n",
        "view.yaml": "view: deals\nobject: deal\nlabel: All deals\ncolumns: [name]\n",
        "zh.yaml": "translation: zh-CN\nobjects: {deal: {label: 商机, fields: {name: 名称}}}\n"
                   "texts: {All deals: 全部}\n",
    })  # fmt: skip
    assert load([package], plugins.kinds(), plugins.functions, has_lint=True).problems == ()


def test_only_packages_that_are_given_are_linted(write: Write, plugins: Plugins) -> None:
    package = write(
        {"package.yaml": ONE_LANGUAGE, "a.yaml": "object: a\nfields: {name: {type: text, show_if: '1 == 2'}}"}
    )
    texts = {"package.yaml": ONE_LANGUAGE, "a.yaml": (package / "a.yaml").read_text(encoding="utf-8")}
    kinds, functions = plugins.kinds(), plugins.functions
    assert [p.code for p in load([package], kinds, functions, has_lint=True).problems] == ["condition.never"]
    assert load([], kinds, functions, installed={"shop": texts}, has_lint=True).problems == ()
    assert load([package], kinds, functions).problems == ()


def test_strict_makes_a_warning_a_failure(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    package = write({"package.yaml": ONE_LANGUAGE, "r.yaml": "role: r\nobjects: {user: [update]}"})
    assert main(["check", str(package), "--strict"]) == 1
    assert main(["check", str(package)]) == 0
    sound = write({"r.yaml": "role: r\nobjects: {user: [read]}"})
    assert main(["check", str(sound), "--strict"]) == 0

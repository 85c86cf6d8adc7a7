"""Is every text of the screens there in Chinese, and none left over?"""

import ast
import json
import re
from pathlib import Path

import pytest

from engine.errors import InputProblem
from ui.texts import problem_text, say_in, supported

ROOT = Path(__file__).parents[2]
IN_TEMPLATES = re.compile(r"""\b_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")


def used_in_templates() -> set[str]:
    return {
        double or single
        for path in (ROOT / "ui" / "templates").rglob("*.html")
        for double, single in IN_TEMPLATES.findall(path.read_text(encoding="utf-8"))
    }


def used_in_code() -> set[str]:
    """First arguments of `say(...)` and `visit.say(...)`."""
    used = set()
    for path in (ROOT / "ui").rglob("*.py"):
        if "frontend" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node.func) == "say" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    used.add(first.value)
    return used


def called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def catalogue(language: str) -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = json.loads((ROOT / "ui" / "locale" / f"{language}.json").read_text("utf-8"))
    return read


def codes_of_values() -> set[str]:
    """Problem codes that field types and the reading of values raise."""
    found = set()
    for folder in ("plugins/base", "engine"):
        for path in (ROOT / folder).rglob("*.py"):
            found |= set(re.findall(r'"(value\.[a-z_.]+)"', path.read_text(encoding="utf-8")))
    return found


def test_no_text_is_missing_in_chinese_and_none_is_left_over() -> None:
    used = used_in_templates() | used_in_code()
    assert len(used) > 100
    translated = set(catalogue("zh-CN")["texts"])
    assert sorted(used - translated) == []
    assert sorted(translated - used) == []


def test_a_translation_quotes_the_same_values() -> None:
    def quoted(text: str) -> set[str]:
        return set(re.findall(r"\{(\w+)\}", text))

    texts = catalogue("zh-CN")["texts"]
    assert [english for english, chinese in texts.items() if quoted(english) != quoted(chinese)] == []


def test_every_problem_of_a_value_is_said_in_chinese() -> None:
    assert sorted(codes_of_values() - set(catalogue("zh-CN")["problems"])) == []


def test_a_problem_is_said_with_its_values() -> None:
    problem = InputProblem("amount", "value.number.min", "-1 is less than 0", "", (("min", "0"),))
    assert problem_text(problem, "zh-CN") == "不能小于 0"
    assert problem_text(problem, "en") == "0 is the least allowed"


def test_a_problem_without_the_values_keeps_its_own_sentence() -> None:
    assert problem_text(InputProblem("x", "value.number.min", "too small"), "zh-CN") == "too small"
    assert problem_text(InputProblem("x", "other.code", "as it is"), "zh-CN") == "as it is"


def test_a_text_with_values_is_put_together_in_the_language() -> None:
    assert say_in("zh-CN")("{count} records", count=3) == "3 条记录"
    assert say_in("en")("{count} records", count=3) == "3 records"


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("zh-CN,zh;q=0.9", "zh-CN"), ("zh-Hant-TW", "zh-CN"), ("de,en;q=0.5", "en"), ("", "en"), ("fr", "en")],
)
def test_the_browsers_language_is_met_as_far_as_it_is_spoken(wanted: str, language: str) -> None:
    assert supported(wanted) == language

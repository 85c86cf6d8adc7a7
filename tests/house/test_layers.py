"""Do imports point one way, and does nothing but a plugin know a field type by its name?"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "metadata": {"metadata"},
    "engine": {"engine", "metadata"},
    "ui": {"ui", "engine", "metadata"},
    "plugins": {"plugins", "engine.sdk"},
}
TYPE_NAMES = {"type", "field_type", "type_name"}


def modules(package: str) -> list[Path]:
    return sorted(
        p for p in (ROOT / package).rglob("*.py") if "node_modules" not in p.parts and "frontend" not in p.parts
    )


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def imports(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Each imported module; `from engine import sdk` counts as engine.sdk."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                yield node, "a relative import"
            elif node.module == "engine":
                yield from ((node, f"engine.{alias.name}") for alias in node.names)
            else:
                yield node, node.module or ""


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package]
    wrong = [
        f"{place(path, node)}: {name}"
        for path in modules(package)
        for node, name in imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.split(".")[0] in MAY_IMPORT or name == "a relative import"
        if not any(name == module or name.startswith(f"{module}.") for module in allowed)
    ]
    assert wrong == []


def registered_field_types() -> set[str]:
    """The names in `FieldType(name="text", ...)` calls of the built-in plugins."""
    return {
        keyword.value.value
        for path in modules("plugins")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and called(node.func) == "FieldType"
        for keyword in node.keywords
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }


def called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_a_type(node: ast.expr) -> bool:
    """Whether an expression reads as a field's type: `field.type`, `field_type.name`, `field["type"]`."""
    match node:
        case ast.Attribute(attr="name", value=inner):
            return is_a_type(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in TYPE_NAMES
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value="type")):
            return "field" in name
    return False


def words(node: ast.AST) -> set[str]:
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def type_comparisons(tree: ast.AST, names: set[str]) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                sides = [left, *others]
                if any(map(is_a_type, sides)) and any(words(side) & names for side in sides if not is_a_type(side)):
                    yield node
            case ast.Match(subject=subject, cases=cases) if is_a_type(subject):
                yield from (case.pattern for case in cases if words(case.pattern) & names)


@pytest.mark.parametrize("package", ["engine", "ui"])
def test_core_asks_the_contract_and_never_compares_a_type_name(package: str) -> None:
    names = registered_field_types()
    wrong = [
        place(path, node)
        for path in modules(package)
        for node in type_comparisons(ast.parse(path.read_text(encoding="utf-8")), names)
    ]
    assert wrong == []


def test_templates_never_compare_a_type_name() -> None:
    names = "|".join(map(re.escape, sorted(registered_field_types()))) or "(?!)"
    comparison = re.compile(rf"\.(?:{'|'.join(TYPE_NAMES)})(?:\.name)?\s*(?:==|!=|in\b)[^%}}]*[\"'](?:{names})[\"']")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "ui" / "templates").rglob("*.html"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if comparison.search(line)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        'if field.type == "text": pass',
        'if "text" != field.type.name: pass',
        'x = field.type in ("date", "text")',
        'if field["type"] == "text": pass',
        'match field.type:\n    case "text": pass',
    ],
)
def test_a_comparison_is_recognised(source: str) -> None:
    assert len(list(type_comparisons(ast.parse(source), {"text"}))) == 1


@pytest.mark.parametrize(
    "source", ['if schema["type"] == "text": pass', 'if field.type == "other": pass', 'f(type="text")']
)
def test_what_is_no_comparison_is_left_alone(source: str) -> None:
    assert list(type_comparisons(ast.parse(source), {"text"})) == []

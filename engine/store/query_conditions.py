"""Conditions that screens build without a formula, and the search box. Opens no connection.

Text is found without regard to the case of the letters A to Z; `%` and `_` stand for themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from engine.contracts.field import Parse
from engine.errors import BadInput, BadValue, InputProblem
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.query_paths import Target
from metadata.model import Object

__all__ = [
    "OPERATORS", "ascii_lower", "clean_text", "condition", "condition_values", "contains", "folded", "in_list",
    "padded", "search", "search_fields", "tree_at",
]  # fmt: skip

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in", "contains", "begins", "blank", "filled", "under")
"""`=` of a field with several choices: it has this one; `in`: one of these. A blank value with `=` is `blank`.
`under`: a reference to a tree, or the id of a record of one, leads to this record or to one below it."""

MAX_OPTIONS = 500
WITHOUT_VALUE = ("blank", "filled")

Column = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


def condition(column: Column, operator: str, names: Sequence[str], dialect: str) -> Condition:
    """One condition on a column; its values are bound under `names`."""
    if operator == "blank" or (operator == "=" and not names):
        return column.is_(None)
    if operator == "filled" or (operator == "!=" and not names):
        return column.is_not(None)
    if operator in ("contains", "begins"):
        place = position(dialect)(folded(as_text(column)), sa.bindparam(names[0], type_=types.Text()))
        found_at: Condition = place > 0 if operator == "contains" else place == 1
        return found_at
    if isinstance(column.type, types.TextList):
        has = [contains(column, sa.bindparam(name, type_=types.Text()), dialect) for name in names]
        found = sa.or_(*has)
        return sa.or_(sa.not_(found), column.is_(None)) if operator == "!=" else found
    if operator == "in":
        return in_list(column, names)
    value = sa.bindparam(names[0], type_=column.type)
    if operator == "!=":
        return column.is_distinct_from(value)
    return column.op(operator, is_comparison=True)(value)


def condition_values(snapshot: Snapshot, target: Target, operator: str, value: object) -> list[Any]:
    """What is bound for a condition. Raises BadInput for an operator or a value that the field does not take."""
    path = ".".join(target.steps)
    if operator not in OPERATORS:
        raise _bad(path, "query.operator", f"no operator '{operator}'", f"write one of {' '.join(OPERATORS)}")
    if operator in WITHOUT_VALUE:
        return []
    if operator in ("contains", "begins"):
        return [ascii_lower(clean_text(value, path))]
    if operator == "under" and not tree_at(snapshot, target):
        raise _bad(path, "query.operator", f"'{path}' leads to no tree", "use '='")
    kind = snapshot.plugins.fields[target.field.type]
    parse = kind.parser(target.field)
    sent = list(value) if isinstance(value, list | tuple) else [value]
    sent = [one for one in sent if one is not None and one != ""]
    if len(sent) > MAX_OPTIONS:
        raise _bad(path, "query.options.limit", f"more than {MAX_OPTIONS} values", "name fewer")
    if operator in ("in", "under") and not sent:
        raise _bad(path, "query.value", f"'{operator}' takes at least one value", "name one")
    is_list = isinstance(snapshot.physical.value_type(target.object, target.field.name), types.TextList)
    return [_element(parse, one, path) if is_list else _parsed(parse, one, path) for one in sent]


def tree_at(snapshot: Snapshot, target: Target) -> str:
    """The tree whose records a path leads to, by a reference or by their id; "" where there is none."""
    name = target.object if target.field.name == "id" else target.field.target
    return name if name and snapshot.definitions.objects[name].tree else ""


def _parsed(parse: Parse, value: object, path: str) -> object:
    try:
        stored = parse(value)
    except BadValue as bad:
        raise _bad(path, bad.code, bad.message, bad.fix) from bad
    if stored is None:
        raise _bad(path, "query.value", "this value is blank", "use the operator 'blank'")
    return stored


def _element(parse: Parse, value: object, path: str) -> str:
    found: Any = _parsed(parse, [value], path)
    return types.TextList.element(found[0])


def _bad(path: str, code: str, message: str, fix: str) -> BadInput:
    problem = InputProblem(path, code, message, fix)
    return BadInput(f"{path}: {message}", code=code, fix=fix, problems=[problem])


def search(columns: Sequence[Column], dialect: str) -> Condition:
    """The text bound as `search` is found in one of these columns."""
    text = sa.bindparam("search", type_=types.Text())
    return sa.or_(sa.false(), *(found_in(column, text, dialect) for column in columns))


def found_in(column: Column, text: Column, dialect: str) -> Condition:
    """Whether the column holds the text, which has small letters; of a JSON value, one of the texts in it."""
    find, value = position(dialect), column
    if not isinstance(column.type, types.Json):
        found: Condition = find(folded(as_text(column)), text) > 0
        return found
    if dialect == "sqlite":
        inside = sa.func.json_tree(column).table_valued("value", "type")
        is_text, value = inside.c.type == sa.literal_column("'text'"), inside.c.value
    else:
        whole, everything = sa.cast(column, JSONB()), sa.cast(sa.literal_column("'$.**'"), JSONPATH())
        inside = sa.func.jsonb_path_query(whole, everything).table_valued("value").render_derived()
        is_text = sa.func.jsonb_typeof(inside.c.value, type_=sa.Text()) == sa.literal_column("'string'")
        value = inside.c.value.op("#>>", return_type=sa.Text())(sa.literal_column("'{}'"))
    return sa.exists().select_from(inside).where(is_text, find(folded(value), text) > 0)


def as_text(column: Column) -> Column:
    return column if isinstance(column.type, types.Text) else sa.cast(column, types.Text())


def search_fields(definition: Object, readable: Mapping[str, Any]) -> list[str]:
    """The fields that the search box reads and this person may read."""
    return [
        name for name in dict.fromkeys((definition.title, *definition.search))
        if name in readable and not readable[name].is_masked
    ]  # fmt: skip


def clean_text(value: object, path: str) -> str:
    """Text that both databases can be asked for: PostgreSQL has no U+0000, UTF-8 no half of a surrogate pair."""
    text = value if isinstance(value, str) else str(value)
    if "\x00" in text:
        raise _bad(path, "value.text.nul", "the text has the character U+0000", "leave it out")
    if not text.isascii() and not text.isprintable():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _bad(path, "value.text.surrogate", "the text is not valid Unicode", "send it as UTF-8") from error
    return text


UPPER_TO_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def ascii_lower(text: str) -> str:
    """What lower() makes of it on both databases."""
    return text.translate(UPPER_TO_LOWER)


def folded(column: Column) -> Column:
    return sa.func.lower(column, type_=types.Text())


def contains(column: Column, element: Column, dialect: str) -> Condition:
    """Whether the list in `column` holds the JSON text `element`. Blank where the list is."""
    is_there: Condition = position(dialect)(column, element) > 0
    return is_there


def position(dialect: str) -> Any:
    """f(text, part) -> the place of the part from 1, or 0."""
    name = "instr" if dialect == "sqlite" else "strpos"
    return lambda text, part: getattr(sa.func, name)(text, part, type_=types.Integer())


def in_list(column: Column, names: Sequence[str]) -> Condition:
    """`column` is one of the values bound under `names`: so many parameters, not a list, as the SQL text is kept."""
    values = [sa.bindparam(name, type_=column.type) for name in names]
    if len(values) == 1:
        return column == values[0]
    return column.in_(values)


def padded(values: Sequence[Any]) -> list[Any]:
    """The values, the last repeated until there are 1, 2, 4, 8, …: keeps the number of statements small."""
    size = 1 << max(0, len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (size - len(values))]

"""The words of mails and notifications, made of a template and a record."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.runtime import LoopContext
from jinja2.sandbox import SandboxedEnvironment

from engine.context import Context
from engine.errors import BadInput, NotFound
from engine.formats import Formats, formats_for
from engine.process.notice_words import value_in
from engine.rules.messages import HIDDEN, shown_as
from engine.service_lists import listed
from engine.snapshot import Snapshot
from engine.store.database import Connection
from engine.store.query import Query, find
from metadata.model import SYSTEM_FIELDS, Field, say
from metadata.processes import Template as Definition
from metadata.template_text import FILTERS, LOOP, TemplateText, read_template

__all__ = ["MOST_CHARACTERS", "MOST_LINES", "Rendered", "render"]

MOST_CHARACTERS = 200_000  # of what comes out
MOST_LINES = 200  # that a loop goes through
TAG, BREAK = re.compile(r"<[^>]*>"), re.compile(r"(?i)<(br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>")
HEAD = re.compile(r"(?is)<(style|script|head)\b.*?</\1\s*>")


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str = ""


class Values(dict[str, Any]):
    """What a template may look into. Nothing else has attributes."""


class Given(Values):
    """What the caller handed in: a name that it left out is blank."""


class Lines:
    """Lines of the record: gone through by a loop, counted by `length`, and by themselves their number."""

    __slots__ = ("lines", "text")

    def __init__(self, lines: Sequence[Values], text: str) -> None:
        self.lines, self.text = lines, text

    def __iter__(self) -> Iterator[Values]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __str__(self) -> str:
        return self.text


class Sandbox(SandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Values) and argument in obj:
            return obj[argument]
        if isinstance(obj, LoopContext) and argument in LOOP:
            return getattr(obj, argument)
        return "" if isinstance(obj, Given) else self.undefined(name=str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        return False


def sandbox(*, is_html: bool) -> Sandbox:
    made = Sandbox(autoescape=is_html, undefined=StrictUndefined, keep_trailing_newline=False)
    made.globals.clear()
    made.tests.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    return made


PLAIN, HTML = sandbox(is_html=False), sandbox(is_html=True)


def render(
    ctx: Context, connection: Connection, template: str, object_name: str, record: str, reader: Context,
    values: Mapping[str, Any] | None = None,
) -> Rendered:  # fmt: skip
    """Of the template of that name, in the reader's language and zone. What the reader may not see of the record is "…"
    in it, and what is masked to the reader is masked. `values` are the caller's; `link` among them is the link.

    Raises NotFound for a template that there is not, BadInput for one that is about another object, or comes out too
    long.
    """
    definition = ctx.snapshot.definitions.processes.templates.get(template)
    if definition is None:
        raise NotFound(f"there is no template '{template}'", code="template.unknown")
    if definition.object and definition.object != object_name:
        message = f"the template '{template}' is about '{definition.object}', not about '{object_name}'"
        raise BadInput(message, code="template.object")
    subject, body = say(definition.subject, reader.language), say(definition.body, reader.language)
    texts = (read_template(subject), read_template(body))
    paths = tuple(dict.fromkeys(path for text in texts for path in text.paths))
    given = dict(values or {})
    shown, raw = read_record(reader, connection, object_name, record, paths)
    for name, wanted in wanted_of_lines(ctx.snapshot, object_name, texts).items():
        lines = read_lines(reader, connection, object_name, record, name, wanted)
        shown[name] = raw[name] = lines
    known = {
        "record": shown, "raw": raw, "link": value_in(given.pop("link", ""), reader.language),
        "user": Values(name=reader.actor.name, username=reader.actor.username),
        "values": Given({name: value_in(value, reader.language) for name, value in given.items()}),
    }  # fmt: skip
    made = filled(ctx.snapshot, PLAIN, definition, subject, known)
    first = " ".join(made.split())
    if not definition.is_html:
        return Rendered(first, filled(ctx.snapshot, PLAIN, definition, body, known))
    html = filled(ctx.snapshot, HTML, definition, body, known)
    return Rendered(first, text_of(html), html)


def read_record(
    reader: Context, connection: Connection, object_name: str, record: str, paths: tuple[str, ...]
) -> tuple[Values, Values]:  # fmt: skip
    """As it is shown, and as it is, each by path."""
    wanted: dict[str, tuple[str, Field]] = {}
    for path in paths:
        if (found := readable(reader, object_name, path)) is not None:
            wanted[path] = found
    row: Mapping[str, Any] = {}
    if wanted and record:
        fields = tuple(dict.fromkeys(full for full, _ in wanted.values()))
        answer = find(reader, connection, Query(object_name, fields, ids=(record,), limit=1))
        row = answer.reader.row(answer.rows[0]) if answer.rows else {}
    shown, raw = Values(), Values()
    formats = formats_for(reader.language, reader.time_zone)
    for path in paths:
        put_value(reader, formats, shown, raw, path, wanted.get(path) if row else None, row)
    return shown, raw


def put_value(
    reader: Context, formats: Formats, shown: Values, raw: Values, path: str, place: tuple[str, Field] | None,
    row: Mapping[str, Any],
) -> None:  # fmt: skip
    """`place`: the whole path in the row and its field; None where the reader may not see it."""
    if place is None:
        put(shown, path, HIDDEN)
        put(raw, path, HIDDEN)
        return
    full, field = place
    value = row.get(full)
    text = shown_as(reader, formats, field, field.value, value)
    put(shown, path, text)
    is_plain = isinstance(value, bool | int | str) or hasattr(value, "is_signed")
    put(raw, path, value if is_plain else "" if value is None else text)


def wanted_of_lines(
    snapshot: Snapshot, object_name: str, texts: Sequence[TemplateText]
) -> dict[str, dict[str, None]]:  # fmt: skip
    """Field of lines -> paths that are read of each line; none where they are counted only."""
    fields = snapshot.definitions.objects[object_name].fields if object_name else {}
    named = (path for text in texts for path in (*text.paths, *(loop.field for loop in text.loops)))
    found: dict[str, dict[str, None]] = {
        name: {} for name in named if name in fields and fields[name].source == "lines"
    }
    for text in texts:
        for loop in text.loops:
            if loop.field in found:
                found[loop.field] |= dict.fromkeys(loop.paths)
    return found


def read_lines(
    reader: Context, connection: Connection, object_name: str, record: str, name: str, paths: Iterable[str]
) -> Lines:
    """Those that the reader may see, in their order, each as a record is; none where the field is hidden."""
    field = reader.scope.readable(object_name).get(name)
    if field is None or not record or not reader.scope.can("read", field.of):
        return Lines((), HIDDEN)
    if not find(reader, connection, Query(object_name, ("id",), ids=(record,), limit=1)).rows:
        return Lines((), HIDDEN)
    wanted = {path: place for path in paths if (place := readable(reader, field.of, path)) is not None}
    fields = tuple(dict.fromkeys(full for full, _ in wanted.values())) or ("id",)
    found = listed(reader, connection, object_name, field, [record], MOST_LINES, fields)[record]
    formats = formats_for(reader.language, reader.time_zone)
    lines = []
    for row in map(found.reader.row, found.rows):
        line, raw = Values(), Values()
        for path in paths:
            put_value(reader, formats, line, raw, path, wanted.get(path), row)
        line["raw"] = raw
        lines.append(line)
    return Lines(tuple(lines), f"{formats.number(len(lines))}{'+' if found.is_truncated else ''}")


def readable(reader: Context, object_name: str, path: str) -> tuple[str, Field] | None:
    """The whole path, to the title where it leads to a record, and its field; None where the reader may not."""
    here, field = object_name, None
    steps = path.split(".")
    for number, step in enumerate(steps):
        if not reader.scope.can("read", here):
            return None
        field = reader.scope.readable(here).get(step)
        if field is None or field.is_list_of_records or (field.is_masked and number < len(steps) - 1):
            return None
        here = field.target
    if field is not None and here:
        if not reader.scope.can("read", here):
            return None
        title = reader.scope.title(here)
        last = reader.scope.readable(here).get(title) or SYSTEM_FIELDS.get(title)
        return None if last is None else (f"{path}.{title}", last)
    return None if field is None else (path, field)


def put(values: Values, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    at = values
    for step in steps:
        inner = at.get(step)
        if not isinstance(inner, Values):
            inner = at[step] = Whole(inner) if inner is not None else Values()
        at = inner
    if isinstance(found := at.get(last), Values):
        at[last] = Whole(value, found)
    else:
        at[last] = value


class Whole(Values):
    """A record that is shown by its title, and of which values are read, too."""

    def __init__(self, value: Any, inner: Mapping[str, Any] | None = None) -> None:
        super().__init__(inner or {})
        self.value = value

    def __str__(self) -> str:
        return str(self.value)

    def __html__(self) -> str:
        return HTML.filters["escape"](str(self.value))  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == other)

    __hash__ = None  # type: ignore[assignment]


def filled(
    snapshot: Snapshot, sandbox: Sandbox, definition: Definition, text: str, known: Mapping[str, Any]
) -> str:  # fmt: skip
    key = ("template", sandbox is HTML, text)
    compiled: Template | None = snapshot.cache.get(key)
    if compiled is None:
        read_template(text)
        compiled = snapshot.cache[key] = sandbox.from_string(text)
    parts, size = [], 0
    try:
        for part in compiled.generate(known):
            size += len(part)
            if size > MOST_CHARACTERS:
                message = f"the template '{definition.name}' gives more than {MOST_CHARACTERS:,} characters"
                raise BadInput(message, code="template.long")
            parts.append(part)
    except (JinjaError, TypeError, ValueError, ArithmeticError) as error:
        message = f"the template '{definition.name}' cannot be filled in: {error}"
        raise BadInput(message, code="template.failed") from error
    return "".join(parts)


def text_of(html: str) -> str:
    """What a program shows that shows no HTML."""
    plain = unescape(TAG.sub("", BREAK.sub("\n", HEAD.sub("", html))))
    lines = [" ".join(line.split()) for line in plain.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"

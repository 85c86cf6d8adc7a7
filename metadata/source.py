"""Turn a YAML 1.2 or JSON text into documents with the place of every key and value. Opens no file."""

import json
import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]

from metadata.document import Document, Map, Seq, Source, show
from metadata.problem import Place, Problem

__all__ = ["MAX_DEPTH", "MAX_NODES", "read_text"]

MAX_DEPTH = 50
MAX_NODES = 200_000  # values of one file, aliases counted as often as they are used


def read_text(text: str, file: str) -> Source:
    """The documents of one file. What is wrong with it stands in `problems`; nothing is raised."""
    source = Source()
    is_json = file.lower().endswith(".json")
    try:
        _Reader(_joined_surrogates(text) if is_json else text, file, source).run()
        if is_json:
            _must_be_json(text, file, source)
    except _StopError as stop:
        source.problems.append(stop.problem)
    except yaml.MarkedYAMLError as error:
        source.problems.append(_syntax(error, text, file))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"character {_code_point(error.character)} is not allowed"
        source.problems.append(Problem(Place(file, line), "source.encoding", message))
    except UnicodeEncodeError:
        source.problems.append(Problem(Place(file), "source.encoding", "the text is not valid Unicode"))
    return source


class _StopError(Exception):
    """Nothing more of this file can be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


WORDS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# YAML 1.2.2, 10.3.2: the core schema. Everything else that is not quoted is text: on, yes, 1:30, 2026-01-01.
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
NUMBER_STARTS = frozenset("+-.0123456789")


@dataclass(slots=True)
class _Open:
    """A list or map that is being read."""

    data: Any
    anchor: str
    before: int  # nodes of the file that came before
    awaits_key: bool
    height: int = 0
    key: tuple[str, int, int] | None = None

    def put(self, value: Any, line: int, column: int) -> None:
        if self.key is None:
            self.data.append(value)
            self.data.marks.append((line, column))
            return
        key, key_line, key_column = self.key
        self.key, self.awaits_key = None, True
        if key not in self.data:  # of two equal keys the first stays
            self.data[key] = value
            self.data.marks[key] = (key_line, key_column, line, column)


class _Reader:
    """Builds data from the parser's events, without recursion, counting what aliases stand for."""

    def __init__(self, text: str, file: str, source: Source) -> None:
        self.parser: Any = CParser(text)
        self.file, self.source = file, source
        self.anchors: dict[str, tuple[Any, int, int]] = {}  # name -> value, its size in nodes, its height
        self.stack: list[_Open] = []
        self.nodes = 0

    def run(self) -> None:
        take = self.parser.get_event
        while True:
            event = take()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors.clear()
                event = take()
                line, column = event.start_mark.line + 1, event.start_mark.column + 1
                self._keep(self._value(event), line, column)

    def _keep(self, data: Any, line: int, column: int) -> None:
        if isinstance(data, Map) and data:
            self.source.documents.append(Document(self.file, data))
        elif data is not None:
            message = f"a document is a map whose first key names its kind, not {show(data)}"
            self._say(line, column, "document.kind.unknown", message)

    def _value(self, event: Any) -> Any:
        """The value that starts with `event`, read to its end."""
        stack = self.stack
        stack.clear()
        while True:
            mark = event.start_mark
            line, column = mark.line + 1, mark.column + 1
            if isinstance(event, yaml.ScalarEvent):
                if stack and stack[-1].awaits_key:
                    stack[-1].key = self._key(event, stack[-1].data, line, column)
                    stack[-1].awaits_key = False
                    event = self.parser.get_event()
                    continue
                done = self._leaf(event, line, column)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._open(event, line, column)
                event = self.parser.get_event()
                continue
            elif isinstance(event, yaml.AliasEvent):
                done = self._alias(event.anchor or "", line, column)
            else:
                done = self._close()
                line, column = done.line, done.column
            if not stack:
                return done
            stack[-1].put(done, line, column)
            event = self.parser.get_event()

    def _leaf(self, event: Any, line: int, column: int) -> Any:
        self._count(1, line, column)
        value = self._scalar(event, line, column)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1, 0)
        return value

    def _open(self, event: Any, line: int, column: int) -> None:
        if self.stack and self.stack[-1].awaits_key:
            self._stop(line, column, "source.key", "a key is a text, not a list or a map")
        self._tag(event, line, column)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(line, column, "source.depth", f"nested more than {MAX_DEPTH} levels deep")
        data = Map(line, column) if isinstance(event, yaml.MappingStartEvent) else Seq(line, column)
        self.stack.append(_Open(data, event.anchor or "", self.nodes, isinstance(data, Map)))
        self._count(1, line, column)

    def _close(self) -> Any:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.data, self.nodes - done.before, done.height + 1)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, done.height + 1)
        return done.data

    def _alias(self, name: str, line: int, column: int) -> Any:
        if self.stack and self.stack[-1].awaits_key:
            self._stop(line, column, "source.key", f"a key is a text, not the alias '*{name}'")
        if name not in self.anchors:
            self._stop(line, column, "source.alias", f"no anchor '&{name}' stands before '*{name}'")
        value, size, height = self.anchors[name]
        if len(self.stack) + height > MAX_DEPTH:
            self._stop(line, column, "source.depth", f"nested more than {MAX_DEPTH} levels deep")
        self._count(size, line, column)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, height)
        return value

    def _key(self, event: Any, holder: Map, line: int, column: int) -> tuple[str, int, int]:
        key: str = event.value
        is_plain = event.implicit[0]
        if is_plain and key == "<<":
            message = "merge keys ('<<') are not part of YAML 1.2: write the keys out"
            self._say(line, column, "source.merge", message)
        elif is_plain and (key in WORDS or key[0] in NUMBER_STARTS) and not isinstance(self._plain(key), str):
            read = "nothing" if self._plain(key) is None else f"the {type_word(self._plain(key))} {key}"
            self._say(line, column, "source.key", f"a key is a text, but this is {read}", f'write "{key}"')
        if key in holder:
            first = holder.marks[key]
            message = f"key '{key}' is here twice, first on line {first[0]}"
            self._say(line, column, "source.key.duplicate", message, "keep one of the two")
        return key, line, column

    def _scalar(self, event: Any, line: int, column: int) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            if event.tag and event.tag not in ("!", "tag:yaml.org,2002:str"):
                self._tag(event, line, column)
                return self._number(text, line, column)
            return text
        if text in WORDS:
            return WORDS[text]
        return self._number(text, line, column) if text[0] in NUMBER_STARTS else text

    def _number(self, text: str, line: int, column: int) -> Any:
        value = self._plain(text)
        if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
            self._say(line, column, "source.number", f"{show(text)} is too large for a number", "write it in quotes")
            return text
        if isinstance(value, float):
            digits = re.sub(r"[eE].*|[-+.]", "", text).strip("0")
            if len(digits) > 15 or value in (float("inf"), float("-inf")):
                message = f"{show(text)} has more digits than a number keeps"
                self._say(line, column, "source.number", message, f'write "{text[:60]}"')
                return text
        if value is NOT_FINITE:
            self._say(line, column, "source.number", f"'{text}' is not a number that can be kept")
            return None
        return value

    @staticmethod
    def _plain(text: str) -> Any:
        """What an unquoted text means in the core schema."""
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            if len(text) > 40:
                return 2**63
            return int(text[2:], 8) if text.startswith("0o") else int(text, 16 if text.startswith("0x") else 10)
        if FLOAT.fullmatch(text):
            return float(text)
        return NOT_FINITE if NOT_FINITE.fullmatch(text) else text

    def _tag(self, event: Any, line: int, column: int) -> None:
        if event.tag and event.tag != "!" and event.tag not in CORE_TAGS:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._say(line, column, "source.tag", f"the tag {show(tag)} means nothing here", "leave the tag out")

    def _count(self, more: int, line: int, column: int) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            message = f"more than {MAX_NODES:,} values in one file, counting what aliases repeat"
            self._stop(line, column, "source.size", message)

    def _say(self, line: int, column: int, code: str, message: str, fix: str = "") -> None:
        self.source.problems.append(Problem(Place(self.file, line, column), code, message, fix))

    def _stop(self, line: int, column: int, code: str, message: str) -> None:
        raise _StopError(Problem(Place(self.file, line, column), code, message))


def type_word(value: object) -> str:
    match value:
        case bool():
            return "truth value"
        case int() | float():
            return "number"
        case str():
            return "text"
        case dict():
            return "map"
        case list():
            return "list"
    return "blank"


def _syntax(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    said = error.problem or "cannot be read"
    if mark and "cannot start any token" in said and text.split("\n")[mark.line][mark.column : mark.column + 1] == "\t":
        return Problem(place, "source.tab", "a tab cannot indent here", "use spaces")
    about = f"{error.context}, " if error.context else ""
    hint = _other_sign(error, text)
    if hint:
        pass
    elif "mapping values are not allowed" in said:
        hint = "a text that holds ': ' needs quotes"
    elif "cannot start any token" in said:
        hint = "a text that begins with this character needs quotes"
    elif "',' or '}'" in said or "',' or ']'" in said:
        hint = "a comma is missing or a bracket is not closed; a text that holds , [ ] { } needs quotes"
    elif "did not find expected key" in said:
        hint = "indent this line as those beside it"
    elif "scanning an alias" in about:
        hint = """a text that begins with '*' needs quotes: "*\""""
    return Problem(place, "source.syntax", f"not YAML: {about}{said}", hint)


SIGNS = {"：": ":", "，": ",", "｛": "{", "｝": "}", "［": "[", "］": "]", "【": "[", "】": "]", "“": '"', "”": '"'}


def _other_sign(error: yaml.MarkedYAMLError, text: str) -> str:
    """Where the lines that cannot be read hold punctuation of Chinese texts, which looks like that of YAML."""
    marks = [mark for mark in (error.context_mark, error.problem_mark) if mark]
    if not marks:
        return ""
    lines = text.split("\n")[marks[0].line : marks[-1].line + 1]
    found = next((sign for line in lines for sign in line if sign in SIGNS), "")
    after = " and a space" if SIGNS.get(found) == ":" else ""
    return f"write '{SIGNS[found]}'{after} instead of '{found}'" if found else ""


SURROGATES = re.compile(r"\\\\|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE)


def _joined_surrogates(text: str) -> str:
    """JSON escapes a character beyond 16 bits as two; YAML knows no such pairs."""

    def joined(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return chr(0x10000 + ((int(found[1], 16) - 0xD800) << 10) + int(found[2], 16) - 0xDC00)

    return SURROGATES.sub(joined, text) if "\\u" in text else text


def _must_be_json(text: str, file: str, source: Source) -> None:
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg[0].lower()}{error.msg[1:]}"
        source.problems.append(Problem(Place(file, error.lineno, error.colno), "source.syntax", message))
    except (ValueError, RecursionError) as error:
        source.problems.append(Problem(Place(file), "source.syntax", f"not JSON: {str(error)[:80]}"))


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _code_point(character: str | int | bytes) -> str:
    number = character if isinstance(character, int) else ord(character[:1])
    return f"U+{number:04X}"

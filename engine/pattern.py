"""A safe subset of regular expressions: matched in time that grows with the text only, whatever pattern and text are.

Python's `re` tries ways one after another, and "(a+)+b" on thirty letters takes minutes. Here all ways are followed
at once (Glushkov's automaton, its states the bits of one number), so no pattern is refused for being slow. Refused
is what reads differently in JavaScript, where the same pattern stands in the published schema, and what is too large.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

__all__ = ["Pattern", "PatternError"]

LENGTH_MAX = 200
REPEATS_MAX = 200
POSITIONS_MAX = 256  # characters of the pattern with its repetitions written out
DEPTH_MAX = 10
KEPT_STEPS = 2_000

SETS = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\r\\f\\v"}
RANGES = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 13), (32, 32)),
}
LITERAL_ESCAPES = {"t": 9, "n": 10, "r": 13, "f": 12, "v": 11}
END = 0x110000
HEX = re.compile(r"[0-9A-Fa-f]{4}")

Ranges = tuple[tuple[int, int], ...]


class PatternError(ValueError):
    """Why a pattern is refused, and where in it (from 1)."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message, self.column = message, column


@dataclass(frozen=True, slots=True)
class Part:
    """What Glushkov's construction knows of a piece: its first and last positions, and if it may be empty."""

    first: int = 0  # bits
    last: int = 0
    may_be_empty: bool = True


@dataclass(slots=True)
class Automaton:
    sets: list[Ranges] = field(default_factory=list)  # by position
    follow: list[int] = field(default_factory=list)  # by position, bits

    def add(self, ranges: Ranges, column: int) -> Part:
        if len(self.sets) >= POSITIONS_MAX:
            raise PatternError(f"with its repetitions it is longer than {POSITIONS_MAX} characters", column)
        self.sets.append(ranges)
        self.follow.append(0)
        bit = 1 << (len(self.sets) - 1)
        return Part(bit, bit, False)

    def link(self, last: int, first: int) -> None:
        for position in bits(last):
            self.follow[position] |= first

    def join(self, a: Part, b: Part) -> Part:
        self.link(a.last, b.first)
        return Part(
            a.first | (b.first if a.may_be_empty else 0),
            b.last | (a.last if b.may_be_empty else 0),
            a.may_be_empty and b.may_be_empty,
        )


def bits(number: int) -> list[int]:
    return [position for position in range(number.bit_length()) if number >> position & 1]


class Pattern:
    """A compiled pattern. `matches` looks at the whole text; `ecma` is the same pattern for a JSON Schema, `postgres`
    for PostgreSQL's `~`."""

    def __init__(self, source: str) -> None:
        reader = Reader(source)
        whole = reader.read()
        self.source, self.ecma = source, f"^(?:{reader.written()})$"
        self.postgres = f"^(?:{reader.for_postgres()})$"
        machine = reader.machine
        self._start, self._accept, self._may_be_empty = whole.first, whole.last, whole.may_be_empty
        self._by_byte = by_byte(machine.follow)
        self._follow = machine.follow
        self._bounds, self._masks = character_classes(machine.sets)
        self._step = lru_cache(maxsize=KEPT_STEPS)(self._after)

    def matches(self, text: str) -> bool:
        if not text:
            return self._may_be_empty
        bounds, masks, step = self._bounds, self._masks, self._step
        ways = self._start
        state = 0
        for character in text:
            state = ways & masks[bisect_right(bounds, ord(character)) - 1]
            if not state:
                return False
            ways = step(state)
        return bool(state & self._accept)

    @property
    def tables(self) -> dict[str, object]:
        """What `matches` follows, as JSON: bits of positions as hexadecimal texts."""
        return {
            "start": f"{self._start:x}", "accept": f"{self._accept:x}", "empty": self._may_be_empty,
            "follow": [f"{bits_:x}" for bits_ in self._follow], "bounds": self._bounds,
            "masks": [f"{mask:x}" for mask in self._masks],
        }  # fmt: skip

    def _after(self, state: int) -> int:
        """Eight positions at a time: 10,000 states, each a new one, take 25 ms and not 90."""
        ways = 0
        for row, byte in zip(self._by_byte, state.to_bytes(len(self._by_byte), "little"), strict=True):
            if byte:
                ways |= row[byte]
        return ways


def by_byte(follow: list[int]) -> list[list[int]]:
    """For each eight positions: what follows every combination of them."""
    table = []
    for start in range(0, len(follow), 8):
        row = [0] * 256
        for combination in range(1, 1 << min(8, len(follow) - start)):
            lowest = combination & -combination
            row[combination] = row[combination ^ lowest] | follow[start + lowest.bit_length() - 1]
        table.append(row)
    return table


def character_classes(sets: list[Ranges]) -> tuple[list[int], list[int]]:
    """Code points cut where any set begins or ends, and for each piece the bits of the positions that take it."""
    by_set: dict[Ranges, int] = {}
    for position, ranges in enumerate(sets):
        by_set[ranges] = by_set.get(ranges, 0) | 1 << position
    bounds = sorted({0, *(edge for ranges in by_set for low, high in ranges for edge in (low, high + 1))})
    masks = [0] * len(bounds)
    for ranges, positions in by_set.items():
        for low, high in ranges:
            for index in range(bisect_right(bounds, low) - 1, bisect_right(bounds, high)):
                masks[index] |= positions
    return bounds, masks


def normal(ranges: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def bracket(ranges: Ranges) -> str:
    """The same characters for PostgreSQL, whose texts have neither U+0000 nor halves of surrogate pairs."""
    found = []
    for low, high in ranges:
        for start, end in ((max(low, 1), min(high, 0xD7FF)), (max(low, 0xE000), high)):
            if start <= end:
                found.append(f"\\U{start:08X}" + (f"-\\U{end:08X}" if end > start else ""))
    return f"[{''.join(found)}]" if found else "[^\\U00000001-\\U0010FFFF]"


def outside(ranges: Ranges) -> Ranges:
    found, low = [], 0
    for start, stop in ranges:
        if low < start:
            found.append((low, start - 1))
        low = stop + 1
    return (*found, (low, END - 1)) if low < END else tuple(found)


class Reader:
    """Recursive descent over the pattern. A repeated piece is read again for every copy: positions are never shared."""

    def __init__(self, source: str) -> None:
        self.source, self.at, self.depth = source, 0, 0
        self.machine = Automaton()
        self._written: dict[int, str] = {}  # offset -> what stands there for ECMA, where it differs
        self._characters: dict[int, tuple[int, Ranges]] = {}  # offset of a set -> where it ends, what it takes

    def read(self) -> Part:
        if len(self.source) > LENGTH_MAX:
            raise PatternError(f"it is longer than {LENGTH_MAX} characters", LENGTH_MAX + 1)
        start, end = 0, len(self.source)
        if self.source.startswith("^"):
            start = 1
        if self.source.endswith("$") and not escaped(self.source, end - 1) and end > start:
            end -= 1
        self.at, self.start, self.end = start, start, end
        whole = self.either()
        if self.at < self.end:
            self.refuse("')' closes nothing")
        return whole

    def written(self) -> str:
        """The pattern for ECMA 262 and Python alike: \\d, \\w and \\s mean ASCII in both when they are written out."""
        return "".join(
            self._written.get(offset, self.source[offset])
            for offset in range(self.start, self.end)
            if self._written.get(offset, " ")
        )

    def for_postgres(self) -> str:
        """What takes a character is written out: PostgreSQL has other escapes and another `.`."""
        found, at = [], self.start
        while at < self.end:
            after, ranges = self._characters.get(at, (at + 1, None))
            found.append(self.source[at] if ranges is None else bracket(ranges))
            at = after
        return "".join(found)

    def either(self) -> Part:
        found = self.sequence()
        while self.peek() == "|":
            self.at += 1
            other = self.sequence()
            found = Part(found.first | other.first, found.last | other.last, found.may_be_empty or other.may_be_empty)
        return found

    def sequence(self) -> Part:
        found = Part()
        while self.peek() not in ("", "|", ")"):
            found = self.machine.join(found, self.repeated())
        return found

    def repeated(self) -> Part:
        start = self.at
        piece = self.piece()
        after = self.at
        least, most = self.quantifier()
        resume = self.at
        if (least, most) == (1, 1):
            return piece
        if most == 0:
            self.refuse("a piece that occurs 0 times says nothing", after)
        copies = [piece]
        for _ in range(1, max(least, most or 1)):
            self.at = start
            copies.append(self.piece())
        self.at = resume
        if most is None:  # the last copy goes round
            self.machine.link(copies[-1].last, copies[-1].first)
        found = Part()
        for index, copy in enumerate(copies):
            if index >= least:
                copy = Part(copy.first, copy.last, True)
            found = self.machine.join(found, copy)
        return found

    def quantifier(self) -> tuple[int, int | None]:
        at = self.at
        mark = self.peek()
        bounds: tuple[int, int | None] = (1, 1)
        if mark in ("*", "+", "?"):
            self.at += 1
            bounds = {"*": (0, None), "+": (1, None), "?": (0, 1)}[mark]
        elif mark == "{":
            bounds = self.counts()
        if self.at > at and self.peek() in ("*", "+", "?", "{"):
            self.refuse(f"'{self.peek()}' follows another repetition")
        return bounds

    def counts(self) -> tuple[int, int | None]:
        close = self.source.find("}", self.at, self.end)
        inside = self.source[self.at + 1 : close] if close > 0 else ""
        least, comma, most = inside.partition(",")
        if not (least.isascii() and least.isdigit() and (most == "" or (most.isascii() and most.isdigit()))):
            self.refuse("'{' needs counts, such as {2} or {2,5}; write '\\{' for the character")
        low, high = int(least[:9]), int(most[:9]) if most else None if comma else int(least[:9])
        if max(low, high or 0) > REPEATS_MAX:
            self.refuse(f"more than {REPEATS_MAX} repetitions")
        if high is not None and high < low:
            self.refuse(f"{{{inside}}} ends before it begins")
        self.at = close + 1
        return low, high

    def piece(self) -> Part:
        at, mark = self.at, self.peek()
        self.at += 1
        if mark == "(":
            return self.group(at)
        ranges = self.characters(at, mark)
        self._characters[at] = self.at, ranges
        return self.machine.add(ranges, at + 1)

    def characters(self, at: int, mark: str) -> Ranges:
        """What a piece takes that is no group."""
        if mark == "[":
            return self.bracket()
        if mark == "\\":
            return self.escape(in_brackets=False)
        if mark == ".":
            return outside(((10, 10), (13, 13), (0x2028, 0x2029)))
        if mark in "*+?{":
            self.refuse(f"'{mark}' repeats nothing", at)
        if mark in "^$":
            self.refuse(f"'{mark}' may stand at the {'start' if mark == '^' else 'end'} only", at)
        if mark in "]}":
            self.refuse(f"write '\\{mark}' for the character", at)
        return ((ord(mark), ord(mark)),)

    def group(self, at: int) -> Part:
        if self.peek() == "?":
            if self.source[self.at : self.at + 2] != "?:":
                self.refuse("only plain groups are taken: no look-around, names or flags", at)
            self.at += 2
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.refuse(f"groups lie more than {DEPTH_MAX} deep", at)
        found = self.either()
        if self.peek() != ")":
            self.refuse("'(' is not closed", at)
        self.at += 1
        self.depth -= 1
        return found

    def bracket(self) -> Ranges:
        at = self.at - 1
        negated = self.peek() == "^"
        self.at += negated
        found: list[tuple[int, int]] = []
        while self.peek() != "]":
            low = self.member(at)
            if self.peek() == "-" and self.source[self.at + 1 : self.at + 2] != "]":
                dash = self.at
                self.at += 1
                high = self.member(at)
                if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] < low[0][0]:
                    self.refuse("the range does not go from a lower to a higher character", dash)
                low = ((low[0][0], high[0][1]),)
            found.extend(low)
        self.at += 1
        if not found:
            self.refuse("'[]' holds no character", at)
        return outside(normal(found)) if negated else normal(found)

    def member(self, at: int) -> Ranges:
        mark = self.peek()
        if mark == "":
            self.refuse("'[' is not closed", at)
        self.at += 1
        if mark == "\\":
            return self.escape(in_brackets=True)
        if (mark in "[&~|-" and self.peek() == mark) or mark == "[":  # set operations, in newer dialects
            self._written[self.at - 1] = "\\" + mark
        return ((ord(mark), ord(mark)),)

    def escape(self, *, in_brackets: bool) -> Ranges:
        at, mark = self.at - 1, self.peek()
        self.at += 1
        kind = mark.lower()
        if mark and kind in SETS:
            if mark != kind and in_brackets:
                self.refuse(f"'\\{mark}' is not taken inside brackets", at)
            self._written[at] = SETS[kind] if in_brackets else f"[{'^' if mark != kind else ''}{SETS[kind]}]"
            self._written[at + 1] = ""
            return RANGES[kind] if mark == kind else outside(RANGES[kind])
        if mark and mark in LITERAL_ESCAPES:
            return ((LITERAL_ESCAPES[mark], LITERAL_ESCAPES[mark]),)
        if mark == "u" and HEX.fullmatch(code := self.source[self.at : min(self.at + 4, self.end)]):
            self.at += 4
            return ((int(code, 16), int(code, 16)),)
        if not mark or mark.isalnum() or not mark.isascii() or mark in "_<>":
            self.refuse(f"'\\{mark}' is not taken: no back-references, word edges or codes", at)
        return ((ord(mark), ord(mark)),)

    def peek(self) -> str:
        return self.source[self.at] if self.at < self.end else ""

    def refuse(self, message: str, offset: int | None = None) -> NoReturn:
        raise PatternError(message, (self.at if offset is None else offset) + 1)


def escaped(source: str, offset: int) -> bool:
    backslashes = 0
    while offset - backslashes > 0 and source[offset - backslashes - 1] == "\\":
        backslashes += 1
    return backslashes % 2 == 1

"""Sample data in CSV as the same document that YAML would give, with the place of every cell."""

import re
from pathlib import PurePosixPath

from metadata.document import Document, Map, Seq, Source
from metadata.problem import Place, Problem

__all__ = ["read_sheet"]

# RFC 4180: a cell is quoted (with "" for a quote) or plain, and ends at a comma, a line's end or the text's end.
CELL = re.compile(r'("(?:[^"]|"")*"|[^,\r\n"][^,\r\n]*|)(,|\r\n|\n|\r|\Z)')


def read_sheet(text: str, file: str) -> Source:
    """data/account.csv -> `data: account` with its records; a blank cell is left out. All values are text."""
    source = Source()
    rows = _rows(text, file, source)
    data = Map()
    data["data"] = PurePosixPath(file).stem
    data.marks["data"] = (1, 1, 1, 1)
    records = Seq()
    data["records"] = records
    data.marks["records"] = (1, 1, 1, 1)
    source.documents.append(Document(file, data))
    if not rows:
        source.problems.append(Problem(Place(file), "data.csv", "the file has no row of field names"))
        return source
    header = _header(rows[0], file, source)
    for row in rows[1:]:
        if any(value for value, _, _ in row):
            records.append(_record(row, header, file, source))
            records.marks.append((row[0][1], row[0][2]))
    return source


Cell = tuple[str, int, int]  # text, line, column


def _rows(text: str, file: str, source: Source) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    row: list[Cell] = []
    at, line, line_start = 0, 1, 0
    while at < len(text) or row:
        found = CELL.match(text, at)
        column = at - line_start + 1
        if not found:
            message = "a quote is not closed, or stands inside a cell without quotes"
            source.problems.append(Problem(Place(file, line, column), "data.csv", message, 'write "" for a quote'))
            break
        raw, end = found[1], found[2]
        value = raw[1:-1].replace('""', '"') if raw.startswith('"') else raw.strip()
        row.append((value, line, column))
        breaks = raw.count("\n")
        if breaks:
            line += breaks
            line_start = at + raw.rfind("\n") + 1
        at = found.end()
        if end != ",":
            rows.append(row)
            row = []
            line, line_start = line + 1, at
            if not end:
                break
    return rows


def _header(row: list[Cell], file: str, source: Source) -> list[str]:
    names: list[str] = []
    for number, (name, line, column) in enumerate(row, start=1):
        place = Place(file, line, column)
        if not name:
            source.problems.append(Problem(place, "data.csv", f"column {number} has no field name"))
        elif name in names:
            source.problems.append(Problem(place, "data.csv", f"column '{name}' is here twice"))
            name = ""
        names.append(name)
    if len(row) == 1 and re.search(r"[;\t]", row[0][0]):
        message = "cells are separated by commas; this row has none"
        source.problems.append(Problem(Place(file), "data.csv", message, "save it as CSV with commas"))
    return names


def _record(row: list[Cell], header: list[str], file: str, source: Source) -> Map:
    record = Map(row[0][1], row[0][2])
    for name, (value, line, column) in zip(header, row, strict=False):
        if name and value:
            record[name] = value
            record.marks[name] = (line, column, line, column)
    extra = [cell for cell in row[len(header) :] if cell[0]]
    if extra:
        value, line, column = extra[0]
        message = f"'{value[:40]}' stands beyond the last of {len(header)} columns"
        fix = "quote a cell that holds a comma"
        source.problems.append(Problem(Place(file, line, column), "data.csv", message, fix))
    return record

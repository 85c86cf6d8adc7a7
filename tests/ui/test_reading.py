"""Does the browser read what a form holds, and show what a formula gives, as the server does?"""

import datetime as dt
import html
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.contracts.field import FieldType
from metadata.model import Field
from tests.fields.cases import PLUGINS, field_of
from tests.formulas.backends import plain
from ui.cells import Shown, cell_for
from ui.columns import as_text
from ui.fields import reading_of, showing_of, words_of
from ui.formats import formats_for
from ui.rows import without_tags

SOURCES = Path(__file__).parents[2] / "ui/frontend/src"
ZONE = ZoneInfo("Europe/Berlin")


def in_node(folder: Path, script: str, data: object) -> Any:
    for name in ("reading", "showing"):
        shutil.copy(SOURCES / f"{name}.js", folder / f"{name}.mjs")
    head = 'import * as reading from "./reading.mjs";\nimport * as showing from "./showing.mjs";\n'
    file = folder / "run.mjs"
    file.write_text(f"{head}const data = {json.dumps(data)};\n{script}", encoding="utf-8")
    done = subprocess.run(["node", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def stored(kind: FieldType, field: Field, sent: Sequence[str]) -> Any:
    """What the server makes of a form's texts; None where it refuses them."""
    try:
        value = kind.from_form(field, sent, ZONE)
        return None if value is None else plain(kind.parser(field)(value))
    except ValueError:
        return None


def typed(type_name: str, *texts: str, **options: object) -> list[tuple[FieldType, Field, list[str]]]:
    kind = PLUGINS.fields[type_name]
    return [(kind, field_of(kind, options), [text]) for text in texts]


CASES = [
    *typed("integer", "１,２３４", " 12 ", "-0", "\u22125", "007", "1,23", "12,x", "1.0", ""),
    *typed("decimal", "1,234.5", "0.50", "-0.0", "1e3", ".5", "１２．５", "--1", "12.00001"),
    *typed("currency", "¥1,234.50", "$ 12", "12€", "-12.5", "− 3"),
    *typed("percent", "12.5 %", "%", "100%"),
    *typed("boolean", "on", "是", "No", "maybe", ""),
    *typed("date", "2026-02-29", "2024-02-29", "0026-01-01", "2026-1-1", "2026-11-22 "),
    *typed("time", "8:30", "08:30", "23:59:59", "24:00"),
    # Berlin's clocks skip 02:30 on 29 March, and show it twice on 25 October.
    *typed("datetime", "2026-03-29T02:30", "2026-10-25T02:30", "2026-07-01T12:00:30", "2026-11-22", "1900-01-01T00:00"),
    *typed("duration", "1h 30m", "90m", "1.5h", "1:30", "01:30:00", "1小时30分", "2 days", "90", "0.001h", "h"),
    *typed("color", "1A7F37", "#abc", "red", "＃abc"),
    *typed("url", "example.com/shop", "http://a.example", "例子.中国"),
    *typed("text", "  Ada ", ""),
    *typed("reference", "0199F2C4-5D1E-7A3B-8C4D-5E6F708192A3", "acme"),
]  # fmt: skip


def test_what_people_type_is_read_as_the_server_reads_it(tmp_path: Path) -> None:
    data = [[reading_of(kind, field), sent] for kind, field, sent in CASES]
    script = f'console.log(JSON.stringify(data.map(([field, sent]) => reading.read(field, sent, "{ZONE.key}"))))'
    found = in_node(tmp_path, script, data)
    wanted = [stored(kind, field, sent) for kind, field, sent in CASES]
    # Limits of size and scale are the server's: a form that shows a number is not wrong because it has too many digits.
    lenient = {("decimal", "12.00001"): "12.00001", ("integer", "1.0"): "1"}
    for (kind, _, sent), one, other in zip(CASES, found, wanted, strict=True):
        assert one == lenient.get((kind.name, sent[0]), other), (kind.name, sent)


def goods() -> list[tuple[FieldType, Field, Any]]:
    """Every registered type's own good values, as stored."""
    found = []
    for kind in PLUGINS.fields.values():
        for given, json_value in kind.good if kind.source == "value" else ():
            field = field_of(kind, given)
            if (value := kind.parser(field)(json_value)) is not None:
                found.append((kind, field, value))
    return found


# Several controls make one value, or none that a formula of a form may see.
SERVER_ALONE = ("address", "file", "geolocation", "image", "secret")


def test_every_good_value_comes_back_from_its_control(tmp_path: Path) -> None:
    cases = []
    for kind, field, value in goods():
        if kind.name in SERVER_ALONE:
            continue
        shown = kind.to_form(field, value, ZONE)
        sent = shown if isinstance(shown, list) else [shown]
        if isinstance(value, dt.datetime):
            sent = [plain(value), *sent]
        cases.append((kind, reading_of(kind, field), sent, stored(kind, field, sent), shown, plain(value)))
    script = f"""console.log(JSON.stringify(data.map(([field, sent, value]) =>
      [reading.read(field, sent, "{ZONE.key}"), reading.written(field, value, "{ZONE.key}")])))"""
    found = in_node(tmp_path, script, [[field, sent, value] for _, field, sent, _, _, value in cases])
    assert len(found) > 60
    # Their text in a control is the server's alone: the browser never makes one.
    unread, unwritten = ("phone", "json", "richtext"), ("phone", "json", "multi_reference")
    for (kind, _, sent, wanted, shown, _), (one, text) in zip(cases, found, strict=True):
        assert kind.name in unread or one == wanted, (kind.name, sent)
        assert kind.name in unwritten or text == shown, (kind.name, sent)


VALUES: Mapping[str, list[tuple[Mapping[str, object], object]]] = {
    "integer": [({}, 0), ({}, -1234567), ({}, 9223372036854775807)],
    "decimal": [({}, "1234567.5"), ({"scale": 2}, "-0.05"), ({}, "12"),
                ({"precision": 18, "scale": 18}, "0.123456789012345678")],
    "currency": [({}, "1234.5"), ({}, "-1200"), ({"currency": "EUR"}, "0.1"), ({"currency": "JPY", "scale": 0}, "5"),
                 ({"currency": "CHF"}, "9999999999999999.99")],
    "percent": [({}, "12.5"), ({}, "-0.25"), ({}, "100")],
    "boolean": [({}, True), ({}, False)],
    "date": [({}, "2026-12-24"), ({}, "1000-01-02"), ({}, "9999-12-31")],
    "datetime": [({}, "2026-11-22T02:15:00Z"), ({}, "2026-07-01T22:05:00Z"), ({}, "2026-12-31T23:30:00Z")],
    "time": [({}, "08:30"), ({}, "00:00"), ({}, "23:59:59")],
    "duration": [({}, 0), ({}, 5400), ({}, 3600 * 1500 + 61), ({}, 59)],
    "text": [({}, "<b> & 'x'")],
    "choice": [({"choices": ("a", "b")}, "b")],
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_values_are_shown_as_on_the_servers_pages(tmp_path: Path, language: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    formats = formats_for(language, zone)
    data, wanted = [], []
    for name, examples in VALUES.items():
        kind = PLUGINS.fields[name]
        for options, json_value in examples:
            field = field_of(kind, options)
            value = kind.parser(field)(json_value)
            shown = Shown(field, 0, formats, language, kind.cell, -1, as_text(kind, field, formats), is_full=True)
            wanted.append(without_tags(cell_for(shown)([value])))
            data.append([showing_of(kind, field, formats, language), plain(value)])
    where = {"language": language, "zone": zone.key, "words": words_of(formats)}
    script = f"""const where = {json.dumps(where)};
      console.log(JSON.stringify(data.map(([field, value]) => showing.show(field, value, where))))"""
    # `striptags` makes every space a plain one.
    found = [text.replace("\u00a0", " ") for text in in_node(tmp_path, script, data)]
    assert found == [html.unescape(text) for text in wanted]

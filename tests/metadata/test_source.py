"""Is YAML 1.2 core read as it says, with every place, and nothing but problems for what is wrong?"""

import pytest

from metadata.source import read_text


def codes(text: str, file: str = "a.yaml") -> list[str]:
    return [problem.code for problem in read_text(text, file).problems]


def data(text: str, file: str = "a.yaml") -> dict[str, object]:
    source = read_text(text, file)
    assert source.problems == []
    return source.documents[0].data


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("0o17", 15),
        ("0x1F", 31),
        ("017", 17),
        ("1e3", 1000.0),
        ("-1.5", -1.5),
        ("1_000", "1_000"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("'null'", "null"),
        ('"1"', "1"),
        ("=", "="),
    ],
)
def test_plain_words_mean_what_the_core_schema_says(written: str, meant: object) -> None:
    value = data(f"object: {written}\nx: 1")["object"]
    assert (value, type(value)) == (meant, type(meant))


def test_keys_on_and_no_are_texts() -> None:
    assert data("object: a\non: 1\nno: 2") == {"object": "a", "on": 1, "no": 2}


def test_every_key_and_value_knows_its_place() -> None:
    document = read_text("object: a\nfields:\n  x: {type: text}\n  y: [a, {b: 1}]\n", "f.yaml").documents[0]
    key, value = document.key("fields", "x"), document.at("fields", "x", "type")
    assert (key.line, key.column, key.path) == (3, 3, "fields.x")
    assert (value.line, value.column, value.path) == (3, 13, "fields.x.type")
    inner = document.at("fields", "y", 1, "b")
    assert (inner.line, inner.column, inner.path) == (4, 14, "fields.y[1].b")


def test_a_path_that_leads_nowhere_gives_the_nearest_place_on_the_way() -> None:
    document = read_text("object: a\nfields:\n  x: {type: text}\n", "f.yaml").documents[0]
    place = document.at("fields", "x", "missing", "deep")
    assert (place.line, place.column) == (3, 6)


def test_columns_count_characters_not_bytes() -> None:
    document = read_text("object: a\nlabel: {zh: 线索, en: Lead}\n", "f.yaml").documents[0]
    assert document.at("label", "en").column == 21


def test_several_documents_of_one_file_are_read() -> None:
    source = read_text("object: a\n---\nview: b\n---\n", "f.yaml")
    assert [(d.kind, d.name) for d in source.documents] == [("object", "a"), ("view", "b")]


def test_duplicate_keys_name_the_first_line() -> None:
    problem = read_text("a: 1\nb: 2\na: 3\n", "f.yaml").problems[0]
    assert (problem.code, problem.place.line, problem.message) == (
        "source.key.duplicate", 3, "key 'a' is here twice, first on line 1",
    )  # fmt: skip


def test_aliases_within_the_limit_are_read() -> None:
    assert data("object: a\nx: &t {type: text}\ny: *t")["y"] == {"type": "text"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &x [*x]", "source.alias"),
        ("a: *nothing", "source.alias"),
        ("? [a]\n: b", "source.key"),
        ("? *x\n: b", "source.key"),
        ("a: {<<: {b: 1}}", "source.merge"),
        ("a:\n\tb: 1", "source.tab"),
        ("a: !python/object x", "source.tag"),
        ("a: " + "[" * 51 + "]" * 51, "source.depth"),
        ("a: \x07", "source.encoding"),
        ("a: \ud800", "source.encoding"),
        ("a: .nan", "source.number"),
        ("a: 123456789012345678901234567890", "source.number"),
        ("a: 1.23456789012345678", "source.number"),
        ("a: 'x", "source.syntax"),
        ("text", "document.kind.unknown"),
    ],
)
def test_what_is_wrong_is_a_problem(text: str, code: str) -> None:
    assert code in codes(text)


def test_an_alias_bomb_stops_at_the_limit() -> None:
    lines = ["x0: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"x{i}: &{chr(97 + i)} [{', '.join(['*' + chr(96 + i)] * 9)}]" for i in range(1, 17)]
    assert codes("\n".join(lines)) == ["source.size"]


def test_aliases_cannot_be_stacked_past_the_depth() -> None:
    lines = ["x0: &a0 [1]"] + [f"x{i}: &a{i} [*a{i - 1}]" for i in range(1, 60)]
    assert codes("\n".join(lines)) == ["source.depth"]


def test_json_is_read_with_tabs_and_escapes() -> None:
    text = '{\n\t"object": "a",\n\t"label": "\\ud83d\\ude00 \\u00e9\\/",\n\t"x": [1, 2.5e3, null, true]\n}'
    assert data(text, "a.json") == {"object": "a", "label": "😀 é/", "x": [1, 2500.0, None, True]}


@pytest.mark.parametrize("text", ["{object: a}", '{"a": NaN}', '{"a": 1} {"b": 2}', '{"a": 1,}', "{'a': 1}"])
def test_json_is_held_to_json(text: str) -> None:
    assert codes(text, "a.json") == ["source.syntax"]


def test_json_refuses_duplicate_keys() -> None:
    assert codes('{"a": 1, "a": 2}', "a.json") == ["source.key.duplicate"]

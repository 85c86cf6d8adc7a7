"""Whatever stands in a package: load answers with problems, soon, and never raises."""

import json
import random
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.registry import Plugins
from metadata.codec import digest, dump, parse
from metadata.model import Loaded
from metadata.package import load
from tests.depth import at_depth

CRM = Path(__file__).parents[2] / "examples" / "crm"
MANIFEST = "package: shop\nversion: 1.0.0\n"
relaxed = settings(max_examples=at_depth(25, 1000))


def loaded(plugins: Plugins, files: dict[str, str | bytes]) -> Loaded:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {"package.yaml": MANIFEST, **files}.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
        found = load([Path(folder)], plugins.kinds(), plugins.functions)
    assert digest(parse(dump(found.definitions))) == digest(found.definitions)
    for problem in found.problems:
        assert problem.message
        assert str(problem)
    return found


@relaxed
@given(content=st.binary(max_size=300))
def test_bytes(plugins: Plugins, content: bytes) -> None:
    loaded(plugins, {"a.yaml": content, "b.json": content, "data/c.csv": content})


@relaxed
@given(text=st.text(alphabet="object: fields\n-{}[],&*!|>'\"#%@?\t ~0on.text", max_size=200))
def test_texts_like_yaml(plugins: Plugins, text: str) -> None:
    loaded(plugins, {"a.yaml": text, "data/a.csv": text})


words = st.sampled_from(
    ["text", "integer", "reference", "choice", "multi_choice", "autonumber", "date", "datetime", "currency", "a", "b",
     "name", "owner", "user", "x.y", "a.name", "status", "", " ", "*", "read", "create", "today", "now-3h", "blue",
     "zh-CN", "en", "name == 'x'", "1", "金额（元）", "__class__", "id", "(a+)+$", "-name,b"]
)  # fmt: skip
keys = st.sampled_from(
    ["object", "fields", "label", "type", "to", "on_delete", "required", "unique", "default", "choices", "was", "title",
     "search", "indexes", "layout", "tabs", "sections", "related", "field", "columns", "view", "filter", "sort", "can",
     "quick_filters", "menu", "items", "role", "objects", "rows", "translation", "texts", "data", "records", "_key",
     "name", "package", "version", "requires", "languages", "demo", "users", "username", "roles", "time_zone", "length",
     "min", "max", "scale", "precision", "pattern", "format", "region", "currency", "a", "b", "status", "highlights",
     "path", "icon", "color", "en", "help", "read_only", "index", "user", "*", "span", "limit", "plural", "retired"]
)  # fmt: skip
values = st.recursive(
    st.one_of(words, st.none(), st.booleans(), st.integers(-3, 10**20), st.floats()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
kinds = st.sampled_from(["object", "field", "layout", "view", "menu", "role", "translation", "data", "package"])


@relaxed
@given(documents=st.lists(st.tuples(kinds, words, st.dictionaries(keys, values, max_size=6)), max_size=4))
def test_structures(plugins: Plugins, documents: list[tuple[str, str, dict[str, Any]]]) -> None:
    files = {
        f"{number}.yaml": json.dumps({kind: name} | {key: value for key, value in more.items() if key != kind})
        for number, (kind, name, more) in enumerate(documents)
    }
    loaded(plugins, dict(files))


def test_the_example_with_a_part_of_it_torn_out(plugins: Plugins) -> None:
    texts: dict[str, str | bytes] = {
        path.relative_to(CRM).as_posix(): path.read_text("utf-8")
        for path in CRM.rglob("*")
        if path.suffix in (".yaml", ".csv")
    }
    chance = random.Random(7)
    for _ in range(12):
        torn = dict(texts)
        for _ in range(3):
            name = chance.choice(sorted(torn))
            text = str(torn[name])
            at = chance.randrange(len(text))
            instead = chance.choice(["", ": ", "x", "\n", '"', "[", "5"])
            torn[name] = text[:at] + instead + text[at + chance.randrange(30) :]
        loaded(plugins, torn)


def test_tens_of_thousands_of_mistakes_cost_little(plugins: Plugins) -> None:
    names = [f"name_{number}" for number in range(at_depth(4_000, 12_000))]
    files: dict[str, str | bytes] = {
        "a.yaml": "object: a\nfields: {name: {type: text}, a: {type: reference, to: a}}\n",
        "keys.yaml": "object: b\nfields: {name: {type: text}}\n" + "\n".join(f"{name}: 1" for name in names),
        "view.yaml": f"view: v\nobject: a\ncolumns: [{', '.join(names)}]\n",
        "role.yaml": "role: r\nobjects:\n" + "\n".join(f"  {name}: [read]" for name in names),
        "data/a.csv": "_key,name,a\n" + "\n".join(f"{name},x,{name}_" for name in names),
        "long.yaml": f"object: {'x' * 900_000}\nfields: {{name: {{type: {'y' * 100_000}}}}}",
    }
    began = time.process_time()
    found = loaded(plugins, files)
    used_s = time.process_time() - began
    assert len(found.problems) > 3 * len(names)
    assert max(len(str(problem)) for problem in found.problems) < 2_000
    assert used_s < 40


def test_bombs_cost_little(plugins: Plugins) -> None:
    lines = ["object: a", "fields: {name: {type: text}}", "x0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"x{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 17)]
    maps = ["object: b", "fields: {name: {type: text}}", "y0: &b0 {k: 1}"]
    maps += [f"y{i}: &b{i} {{l: *b{i - 1}, r: *b{i - 1}}}" for i in range(1, 40)]
    files: dict[str, str | bytes] = {
        "alias.yaml": "\n".join(lines), "maps.yaml": "\n".join(maps), "open.yaml": "[" * 500_000,
        "keys.yaml": "? " * 300_000, "quotes.yaml": "object: '" + "''" * 400_000, "data/q.csv": '"' * 900_000,
        "commas.yaml": "object: [" + "," * 500_000, "deep.json": '{"a":' * 100_000,
    }  # fmt: skip
    tracemalloc.start()
    began = time.process_time()
    found = loaded(plugins, files)
    used_s, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.has_errors
    assert used_s < 20
    assert peak < 300 << 20

"""Does docs/approvals.md say what there is, and does its example work?"""

import json
import re
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

from engine.registry import Plugins
from metadata.package import load

DOCS = (Path(__file__).parents[2] / "docs" / "approvals.md").read_text(encoding="utf-8")
OBJECTS = """
object: quote
fields:
  name: {type: text}
  amount: {type: integer}
  discount: {type: integer}
  cost: {type: integer}
  reason: {type: text}
  note: {type: text}
  stage: {type: choice, choices: {draft: Draft, approved: Approved}}
""" + "".join(f"---\nrole: {name}\nobjects: {{quote: [read]}}\n" for name in ("sales", "finance", "sales_ops"))


def test_example_has_no_problem(write: Callable[[Mapping[str, str]], Path], plugins: Plugins) -> None:
    found = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert found is not None
    folder = write({"quote.yaml": OBJECTS, "approval.yaml": found[1]})
    loaded = load([folder], plugins.kinds(), plugins.functions, plugins.parts(), has_lint=True)
    assert [str(one) for one in loaded.problems if one.place.file == "approval.yaml"] == []
    assert list(loaded.definitions.processes.approvals) == ["quote_discount"]


def test_every_source_has_a_row_and_no_other(plugins: Plugins) -> None:
    table = DOCS.split("## Who is asked")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(listed) == sorted(plugins.approvers)
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]* \|([^\n]*)\|$", table, re.MULTILINE))
    for name, source in plugins.approvers.items():
        if not source.is_chosen:
            options = set(source.schema["properties"])  # type: ignore[call-overload]
            assert options <= set(re.findall(r"`(\w+)(?:: \w+)?`", rows[name])), name


def test_every_key_is_described() -> None:
    schema = json.loads(resources.files("metadata").joinpath("schema", "approval.json").read_text("utf-8"))
    said = set(re.findall(r"`(\w+)(?:: [^`]*)?`", DOCS))
    keys = set(schema["properties"]) | set(schema["$defs"]["approval_approve"]["properties"])
    assert keys - said - {"approval", "label", "description"} == set()
    types = {one["if"]["required"][0] for one in schema["$defs"]["approval_node"]["allOf"]}
    assert types - said == set()


def test_lone_value_is_the_first_option_of_the_table(plugins: Plugins) -> None:
    table = DOCS.split("## Who is asked")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]* \|([^\n]*)\|$", table, re.MULTILINE))
    for name, source in plugins.approvers.items():
        first = re.search(r"`(\w+)", rows[name])
        assert source.short in ("", first[1] if first else ""), name

"""Do docs/automation.md and docs/workflows.md say what there is?"""

import json
import re
from importlib import resources
from pathlib import Path

from engine.registry import Plugins

ROOT = Path(__file__).parents[2] / "docs"
DOCS = {name: (ROOT / f"{name}.md").read_text(encoding="utf-8") for name in ("automation", "workflows")}


def test_every_action_has_a_row_with_its_options_and_no_other(plugins: Plugins) -> None:
    table = DOCS["automation"].split("## Actions")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]* \|([^\n]*)\|$", table, re.MULTILINE))
    assert sorted(rows) == sorted(plugins.actions)
    for name, action in plugins.actions.items():
        options = set(action.schema.get("properties", {})) - {"most"}  # type: ignore[call-overload]
        assert options <= set(re.findall(r"`(\w+)`", rows[name])), name


def test_every_key_is_described() -> None:
    for name, docs in (("automation", "automation"), ("workflow", "workflows")):
        schema = json.loads(resources.files("metadata").joinpath("schema", f"{name}.json").read_text("utf-8"))
        said = set(re.findall(r"`\"?(\w+)\"?(?:: [^`]*)?`", DOCS[docs]))
        assert set(schema["properties"]) - said - {"workflow", "label"} == set(), name
        inner = [schema["properties"][one]["items"]["properties"] for one in ("states", "transitions")
                 if one in schema["properties"]]  # fmt: skip
        assert {key for one in inner for key in one} - said == set(), name

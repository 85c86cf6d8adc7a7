"""Do definitions come back from bytes as they went in, and does their hash stand for their meaning alone?"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.registry import Plugins
from metadata.codec import digest, dump, parse
from metadata.model import Definitions, DuplicateRule, Loaded, Match
from metadata.package import load
from metadata.problem import Place

Load = Callable[[Mapping[str, str]], Loaded]
CRM = Path(__file__).parents[2] / "examples" / "crm"


def without_places(thing: Any) -> Any:
    if hasattr(thing, "fields") and hasattr(thing, "title"):
        thing = replace(thing, fields={name: without_places(field) for name, field in thing.fields.items()})
    return replace(thing, place=Place(""))


def test_the_example_comes_back_as_it_was(plugins: Plugins) -> None:
    before = load([CRM], plugins.kinds(), plugins.functions).definitions
    after = parse(dump(before))
    for part in ("objects", "layouts", "views", "roles"):
        own = {name: without_places(thing) for name, thing in getattr(before, part).items()}
        assert own == dict(getattr(after, part))
    assert [without_places(menu) for menu in before.menus] == list(after.menus)
    assert before.languages == after.languages
    assert list(before.objects) == list(after.objects)
    assert digest(before) == digest(after)
    assert (after.data, after.packages["crm"].files, after.packages["crm"].demo_users) == ((), {}, ())


def test_objects_are_parsed_when_asked_for_and_kept(plugins: Plugins) -> None:
    definitions = parse(dump(load([CRM], plugins.kinds(), plugins.functions).definitions))
    assert "lead" in definitions.objects
    assert definitions.objects["lead"] is definitions.objects["lead"]
    assert "nothing" not in definitions.objects
    assert definitions.objects.get("nothing") is None
    assert definitions.objects == dict(definitions.objects)
    assert definitions.objects != {}


def defined(loaded: Load, lead: str, file: str = "lead.yaml") -> Definitions:
    return loaded({file: lead}).definitions


def test_the_hash_is_of_the_meaning_not_of_the_text(loaded: Load, tmp_path: Path) -> None:
    one = digest(defined(loaded, "object: lead\nfields:\n  name: {type: text, length: 80}\n  no: {type: integer}\n"))
    two = digest(
        defined(
            loaded,
            "# a comment\n\nobject: lead\nfields: {name: {length: 80, type: text}, no: {type: integer}}\n",
        )
    )
    assert one == two


def test_the_hash_changes_with_the_order_of_fields_and_with_a_label(loaded: Load) -> None:
    texts = (
        "object: lead\nfields: {name: {type: text}, no: {type: integer}}",
        "object: lead\nfields: {no: {type: integer}, name: {type: text}}",
        "object: lead\nfields: {name: {type: text, label: Nom}, no: {type: integer}}",
        "object: lead\nfields: {name: {type: text, default: ''}, no: {type: integer, default: 0}}",
        "object: lead\nfields: {name: {type: text}, no: {type: integer, default: 0}}",
    )
    assert len({digest(defined(loaded, text)) for text in texts}) == 5


def test_defaults_that_are_false_or_zero_survive(loaded: Load) -> None:
    text = "object: a\nfields: {name: {type: text}, b: {type: boolean, default: false}, n: {type: integer, default: 0}}"
    fields = parse(dump(defined(loaded, text))).objects["a"].fields
    assert (fields["b"].default, fields["n"].default, fields["name"].default) == (False, 0, None)


def test_what_is_empty_where_its_default_is_not_survives(loaded: Load) -> None:
    text = (
        "object: a\nhierarchy: []\nfields: {name: {type: text}}\n---\n"
        "approval: x\nobject: a\nlock: {unlock_on: []}\n"
        "flow: [{approve: boss, approvers: owner, may_return_to: [], actions: []}]\n"
    )
    before = defined(loaded, text)
    after = parse(dump(before))
    approval = after.processes.approvals["x"]
    assert (after.objects["a"].hierarchy, approval.unlock) == ((), ())
    assert (approval.flow[0].may_return_to, approval.flow[0].actions) == ((), ())
    assert digest(after) == digest(before)
    assert digest(before) != digest(defined(loaded, text.replace("hierarchy: []\n", "")))


def test_duplicate_rules_come_back_and_count_as_meaning(loaded: Load) -> None:
    text = (
        "object: a\nfields: {name: {type: text}}\nduplicates:\n"
        "  - {rule: same, match: {name: {how: fuzzy, threshold: 90}}, filter: \"name != 'x'\", message: Twice?}\n"
        "  - {rule: other, match: {name: exact}, action: block}\n"
    )
    rules = parse(dump(defined(loaded, text))).objects["a"].duplicates
    assert rules == (
        DuplicateRule("same", (Match("name", "fuzzy", 90),), "warn", {"en": "Twice?"}, "name != 'x'"),
        DuplicateRule("other", (Match("name", "exact"),), "block"),
    )
    digests = {
        digest(defined(loaded, changed)) for changed in (text, text.replace("90", "91"), text.replace("block", "warn"))
    }
    assert len(digests) == 3

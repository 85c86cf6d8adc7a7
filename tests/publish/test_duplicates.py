"""Duplicate rules come, change and go: the plan says what, and records that were there before are found."""

import pytest

from engine.context import context_of
from engine.errors import Conflict
from engine.service import Records
from tests.publish.stage import Stage

FIRM = """
object: firm
label: Firm
fields:
  name: {type: text, label: Name}
  phone: {type: text, label: Phone}
"""
BLOCK = """
duplicates:
  - {rule: same_firm, match: {name: company}, action: block}
"""


def keys(stage: Stage) -> int:
    with stage.tenant.database.read() as connection:
        return int(connection.rows("SELECT count(*) FROM fs_duplicate_key")[0][0])


def create(stage: Stage, **values: str) -> str:
    made: str = Records(context_of(stage.tenant)).create("firm", values)["id"]
    return made


def test_a_new_rule_finds_records_that_were_there_before(stage: Stage) -> None:
    stage.publish(FIRM)
    stage.insert("firm", {"name": "Acme Ltd"}, {"name": None}, {"name": "Widgets"})
    assert stage.publish(FIRM + BLOCK) == ["~ object firm: duplicate rule same_firm (name by company): block"]
    assert keys(stage) == 2
    with pytest.raises(Conflict, match="'Acme Ltd'"):
        create(stage, name="ACME")


def test_the_plan_says_what_changes_and_stored_keys_stay_where_they_may(stage: Stage) -> None:
    stage.publish(FIRM + BLOCK)
    create(stage, name="Acme")
    warn = BLOCK.replace("action: block", "action: warn, message: Twice?, filter: \"name != 'x'\"")
    rule = "duplicate rule same_firm"
    assert stage.publish(FIRM + warn) == [f"~ object firm: {rule}: block -> warn; {rule}: filter; {rule}: message"]
    fuzzy = BLOCK.replace("name: company", "name: {how: fuzzy, threshold: 90}, phone: phone")
    compared = "name by company -> name by fuzzy 90, phone by phone"
    (step,) = stage.publish(FIRM + fuzzy)
    assert step == f"~ object firm: {rule}: {compared}; {rule}: warn -> block; {rule}: filter; {rule}: message"
    assert keys(stage) == 0  # no record has a telephone number
    assert stage.publish(FIRM) == ["~ object firm: no longer duplicate rule same_firm"]
    create(stage, name="Acme")
    assert keys(stage) == 0


def test_a_rule_that_goes_takes_its_keys_and_no_others(stage: Stage) -> None:
    both = BLOCK + "  - {rule: same_name, match: {name: exact}}\n"
    stage.publish(FIRM + both)
    create(stage, name="Acme")
    assert keys(stage) == 2
    stage.publish(FIRM + BLOCK)
    assert keys(stage) == 1
    with pytest.raises(Conflict):
        create(stage, name="Acme Ltd")
    stage.publish("object: other\nfields: {name: {type: text}}\n")
    assert keys(stage) == 0


def test_a_renamed_field_and_object_keep_their_keys(stage: Stage) -> None:
    stage.publish(FIRM + BLOCK)
    create(stage, name="Acme")
    renamed = (
        (FIRM + BLOCK)
        .replace("object: firm", "object: company\nwas: firm")
        .replace("  name: {", "  title: {was: name, ")
    )
    renamed = renamed.replace("{name: company}", "{title: company}")
    assert stage.publish(renamed) == [
        "~ object company: renamed from firm", "~ field company.title: renamed from name",
    ]  # fmt: skip
    assert keys(stage) == 1
    with pytest.raises(Conflict):
        Records(context_of(stage.tenant)).create("company", {"title": "Acme Ltd"})


def test_values_that_are_converted_are_found_as_they_are_now(stage: Stage) -> None:
    rule = BLOCK.replace("name: company", "phone: exact")
    stage.publish(FIRM + rule)
    create(stage, phone="13800138000")
    stage.publish(FIRM.replace("phone: {type: text", "phone: {type: phone") + rule)
    assert stage.values("firm", "phone") == ["+8613800138000"]
    with pytest.raises(Conflict):
        create(stage, phone="138 0013 8000")
    assert keys(stage) == 1


def test_a_database_of_an_earlier_release_gets_the_tables(stage: Stage) -> None:
    stage.publish(FIRM)
    with stage.tenant.database.write() as connection:
        connection.run("DROP TABLE fs_duplicate_key")
        connection.run("DROP TABLE fs_merge")
        connection.run("UPDATE fs_state SET layout = 1")
    stage.publish(FIRM + BLOCK)
    create(stage, name="Acme")
    assert keys(stage) == 1

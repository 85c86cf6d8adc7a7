"""Files that nothing holds go; what is held stays; damage is told."""

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.errors import BadInput, Conflict
from engine.files import catalogue
from engine.files.upkeep import Collected, collect, verify
from engine.rules.uniqueness import as_conflicts
from engine.store import rows_files, system
from engine.testing import Running
from tests.files.conftest import NOW, WORKSHOP

LATER = NOW + timedelta(days=2)


def upload(site: Running, content: bytes, name: str = "a.txt", username: str = "ann") -> str:
    return catalogue.add(site.context(username), name, io.BytesIO(content)).id


def kept(site: Running) -> list[str]:
    with site.tenant.database.read() as connection:
        return list(connection.sa.scalars(sa.select(system.file.c.name).order_by(system.file.c.name)))


def test_what_no_record_holds_goes_after_a_day(workshop: Running) -> None:
    held, trashed = upload(workshop, b"held", "held.txt"), upload(workshop, b"trashed", "trashed.txt")
    upload(workshop, b"loose", "loose.txt")
    records = workshop.records("ann")
    records.create("machine", {"manual": held})
    records.delete("machine", records.create("machine", {"manual": trashed})["id"])
    assert collect(workshop.tenant, NOW + timedelta(hours=23)) == Collected(0, 0)
    assert collect(workshop.tenant, LATER) == Collected(1, 1)
    assert kept(workshop) == ["held.txt", "trashed.txt"]
    assert len(list(workshop.tenant.files.hashes())) == 2


def test_a_content_stays_while_one_file_has_it(workshop: Running) -> None:
    held = upload(workshop, b"same")
    upload(workshop, b"same")
    workshop.records("ann").create("machine", {"manual": held})
    assert collect(workshop.tenant, LATER) == Collected(1, 0)
    assert list(verify(workshop.tenant)) == []


def test_a_content_without_a_file_goes(workshop: Running) -> None:
    workshop.tenant.files.put(io.BytesIO(b"of an upload that was broken off"))
    assert collect(workshop.tenant, NOW) == Collected(0, 1)


def test_a_field_that_is_removed_lets_its_files_go(workshop: Running) -> None:
    held, paper = upload(workshop, b"held", "held.txt"), upload(workshop, b"paper", "paper.txt")
    workshop.records("ann").create("machine", {"manual": held, "papers": [paper]})
    workshop.publish("\n".join(line for line in WORKSHOP.split("\n") if "papers:" not in line))
    assert collect(workshop.tenant, LATER) == Collected(1, 1)
    assert kept(workshop) == ["held.txt"]


def test_a_field_takes_several_files_from_one_on_and_they_stay(workshop: Running) -> None:
    held = upload(workshop, b"held", "held.txt")
    made = workshop.records("ann").create("machine", {"manual": held})
    several = WORKSHOP.replace("type: file, label: Manual", "type: file, label: Manual, multiple: true")
    workshop.publish(several)
    assert [one["id"] for one in workshop.records("ann").get("machine", made["id"])["manual"]] == [held]
    assert collect(workshop.tenant, LATER) == Collected(0, 0)
    workshop.publish(WORKSHOP)
    assert workshop.records("ann").get("machine", made["id"])["manual"]["id"] == held


def test_a_text_never_becomes_a_file(workshop: Running) -> None:
    file = upload(workshop, b"of bob", username="bob")
    workshop.records("ann").create("note", {"code": file})
    with pytest.raises(BadInput) as refused:
        workshop.publish(WORKSHOP.replace("code: {type: text", "code: {type: file"))
    assert "no value of the old type is one of the new" in refused.value.problems[0].message


def test_a_file_is_not_taken_up_after_it_went(workshop: Running) -> None:
    file = upload(workshop, b"late")
    context = workshop.context("ann")
    with workshop.tenant.database.write() as connection:
        rows_files.forget(connection, rows_files.unused(connection, LATER, 10))
    field = context.snapshot.definitions.objects["machine"].fields["manual"]
    value = context.snapshot.plugins.fields[field.type].parser(field)(file)
    writing, telling = workshop.tenant.database.write(), as_conflicts(context.snapshot, "machine")
    with pytest.raises(Conflict) as refused, writing as connection, telling:
        # As if the look at the file had come before it went.
        rows_files.note(context, connection, "machine", [(context.actor.id, {"manual": value})], is_new=True)
    assert refused.value.code == "reference.gone"


def test_damage_is_told(small_workshop: Running) -> None:
    site = small_workshop
    whole, lost, changed = (upload(site, name.encode(), f"{name}.txt") for name in ("whole", "lost", "changed"))
    site.records("ann").create("machine", {"papers": [whole, lost, changed]})
    with site.tenant.database.read() as connection:
        files = rows_files.find(connection, site.tenant.snapshot(), [lost, changed])
    site.tenant.files.delete(files[lost].hash)
    next(site.folder.rglob(files[changed].hash)).write_bytes(b"other")
    assert sorted((one.name, one.kind) for one in verify(site.tenant)) == [
        ("changed.txt", "changed"), ("lost.txt", "missing"),
    ]  # fmt: skip

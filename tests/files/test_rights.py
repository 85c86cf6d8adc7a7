"""Who may have which file: what a record that they read holds, or what they have just uploaded."""

import io
from datetime import timedelta

import pytest

from engine.errors import BadInput, Conflict, Forbidden, NotFound
from engine.files import catalogue
from engine.files.upkeep import collect
from engine.store import rows_files
from engine.testing import Running
from tests.files.conftest import PNG, WORKSHOP

PDF = b"%PDF-1.7 manual"


def upload(site: Running, username: str, content: bytes = PDF, name: str = "manual.pdf") -> str:
    return catalogue.add(site.context(username), name, io.BytesIO(content)).id


def may_read(site: Running, username: str, file: str) -> bool:
    try:
        return catalogue.get(site.context(username), file).id == file
    except NotFound:
        return False


def readers(site: Running, file: str) -> str:
    return " ".join(name for name in ("ann", "bob", "cid", "gus", "boss") if may_read(site, name, file))


def uses(site: Running) -> list[tuple[str, str]]:
    with site.tenant.database.read() as connection:
        found = connection.rows('SELECT "file", "field" FROM fs_file_use ORDER BY "field", "file"')
    return [(file, field) for file, field in found]


def test_an_upload_is_its_uploaders_alone_and_for_a_day(workshop: Running) -> None:
    file = upload(workshop, "ann")
    assert readers(workshop, file) == "ann"
    workshop.fixed_now = workshop.now + timedelta(hours=23, minutes=59)
    assert readers(workshop, file) == "ann"
    workshop.fixed_now = workshop.now + timedelta(minutes=1)
    assert readers(workshop, file) == ""


def test_a_file_is_read_by_who_reads_a_record_that_holds_it(workshop: Running) -> None:
    file = upload(workshop, "ann")
    made = workshop.records("ann").create("machine", {"name": "Lathe", "manual": file})
    assert made["manual"] == {"id": file, "name": "manual.pdf", "type": "application/pdf", "size": 15}
    workshop.fixed_now = workshop.now + timedelta(days=400)
    assert readers(workshop, file) == "ann cid boss"
    workshop.records("boss").update("machine", made["id"], {"owner": workshop.user("bob")})
    assert readers(workshop, file) == "bob cid boss"


def test_a_file_goes_with_its_record_into_the_trash_and_comes_back(workshop: Running) -> None:
    file = upload(workshop, "ann")
    records = workshop.records("ann")
    made = records.create("machine", {"manual": file})
    records.delete("machine", made["id"])
    assert readers(workshop, file) == ""
    records.restore("machine", made["id"])
    assert readers(workshop, file) == "ann cid boss"


def test_a_file_that_a_record_let_go_is_nobodys_until_it_is_collected(workshop: Running) -> None:
    first, second = upload(workshop, "ann"), upload(workshop, "ann", name="other.pdf")
    records = workshop.records("ann")
    made = records.create("machine", {"manual": first})
    changed = records.update("machine", made["id"], {"manual": second})
    assert changed["manual"] == {"id": second, "name": "other.pdf", "type": "application/pdf", "size": 15}
    assert (readers(workshop, first), readers(workshop, second)) == ("ann", "ann cid boss")
    workshop.fixed_now = workshop.now + timedelta(days=2)
    assert readers(workshop, first) == ""
    assert uses(workshop) == [(second, "manual")]


def test_what_is_held_is_known_after_every_kind_of_change(workshop: Running) -> None:
    a, b, c = (upload(workshop, "ann", name=f"{letter}.pdf") for letter in "abc")
    records = workshop.records("ann")
    one = records.batch("machine", [{"action": "create", "values": {"papers": [a, b]}},
                                    {"action": "create", "values": {"manual": c}}])  # fmt: skip
    assert sorted(uses(workshop)) == sorted([(a, "papers"), (b, "papers"), (c, "manual")])
    records.update("machine", one[0].id, {"papers": [b, c], "name": "Drill"})
    records.update("machine", one[1].id, {"manual": None})
    assert sorted(uses(workshop)) == sorted([(b, "papers"), (c, "papers")])
    workshop.publish(WORKSHOP.replace("  papers: {", "  documents: {was: papers, "))
    assert readers(workshop, b) == "ann cid boss"
    workshop.records("ann").update("machine", one[0].id, {"documents": None})
    assert uses(workshop) == []


@pytest.mark.parametrize("values", [{"manual": "{}"}, {"manual": {"id": "{}", "name": "x.pdf"}}, {"papers": ["{}"]}])
def test_what_one_may_not_have_cannot_be_put_into_a_record(workshop: Running, values: dict[str, object]) -> None:
    """The answer is the same as for a file that does not exist."""
    foreign, nothing = upload(workshop, "bob"), "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
    field = next(iter(values))
    for file in (foreign, nothing):
        sent = {field: filled(values[field], file)}
        with pytest.raises(BadInput) as refused:
            workshop.records("ann").create("machine", sent)
        problem = refused.value.problems[0]
        assert (problem.path, problem.code) == (field, "value.file.unknown")
        assert problem.message == f"'{field}': no file has the id '{file}'"
    assert uses(workshop) == []


def filled(value: object, file: str) -> object:
    if isinstance(value, list):
        return [file]
    return {**value, "id": file} if isinstance(value, dict) else file


def test_a_file_that_one_reads_may_be_put_into_another_record(workshop: Running) -> None:
    file = upload(workshop, "ann")
    workshop.records("ann").create("machine", {"manual": file})
    mine = workshop.records("boss").create("machine", {"name": "Copy", "manual": file, "owner": workshop.user("boss")})
    workshop.records("boss").update("machine", mine["id"], {"papers": [file]})
    assert [field for _, field in uses(workshop)] == ["manual", "manual", "papers"]


def test_names_and_sizes_that_a_client_makes_up_do_not_count(workshop: Running) -> None:
    file = upload(workshop, "ann")
    lie = {"id": file, "name": "virus.txt", "type": "text/html", "size": 1}
    made = workshop.records("ann").create("machine", {"papers": [lie]})
    assert made["papers"] == [{"id": file, "name": "manual.pdf", "type": "application/pdf", "size": 15}]


def test_the_limits_of_a_field_hold_for_the_file_that_is_meant(workshop: Running) -> None:
    large = upload(workshop, "ann", b"%PDF-" + b"x" * 996)
    picture = upload(workshop, "ann", PNG, "a.png")
    drawing = upload(workshop, "ann", b"<svg onload='alert(1)'/>", "a.svg")
    small = {"name": "x.pdf", "type": "application/pdf", "size": 1}
    for values, code in (
        ({"manual": large}, "value.file.size"),
        ({"manual": {"id": large, **small}}, "value.file.size"),
        ({"manual": picture}, "value.file.type"),
        ({"photo": drawing}, "value.file.type"),
        ({"photo": {"id": drawing, "name": "a.png", "type": "image/png", "size": 1}}, "value.file.type"),
    ):
        with pytest.raises(BadInput) as refused:
            workshop.records("ann").create("machine", values)
        assert [problem.code for problem in refused.value.problems] == [code]
    assert workshop.records("ann").create("machine", {"photo": picture})["photo"]["type"] == "image/png"


def test_all_that_is_wrong_with_a_batch_of_files_is_found_by_few_statements(workshop: Running) -> None:
    good = [upload(workshop, "ann", name=f"{number}.pdf") for number in range(20)]
    records = workshop.records("ann")
    asked: list[str] = []
    with workshop.tenant.database.write() as connection:
        kind = type(connection)
        plain = kind.rows

        def counted(self: object, sql: str, params: object = ()) -> object:
            asked.append(sql)
            return plain(self, sql, params)

        kind.rows = counted  # type: ignore[method-assign]
    try:
        records.batch("machine", [{"action": "create", "values": {"manual": one}} for one in good])
    finally:
        kind.rows = plain  # type: ignore[method-assign]
    assert len([sql for sql in asked if "fs_file" in sql]) == 2


def test_what_is_sent_back_as_it_was_answered_changes_nothing(workshop: Running) -> None:
    file = upload(workshop, "ann")
    records = workshop.records("ann")
    made = records.create("machine", {"manual": file, "papers": [file]})
    again = records.update("machine", made["id"], {"manual": made["manual"], "papers": [file]})
    assert again["version"] == 1
    records.update("machine", made["id"], {"manual": {"id": file}, "papers": [{"id": file.upper()}]})
    assert records.get("machine", made["id"])["version"] == 1


def test_the_history_names_files(workshop: Running) -> None:
    file = upload(workshop, "ann")
    records = workshop.records("ann")
    made = records.create("machine", {"manual": file})
    records.update("machine", made["id"], {"manual": None})
    view = {"id": file, "name": "manual.pdf", "type": "application/pdf", "size": 15}
    assert records.history("machine", made["id"])[0].changes == {"manual": (view, None)}


def test_only_who_can_put_a_file_somewhere_uploads_and_not_without_end(workshop: Running) -> None:
    with pytest.raises(Forbidden) as refused:
        catalogue.need_upload(workshop.context("gus"))
    assert refused.value.code == "file.upload.forbidden"
    assert catalogue.need_upload(workshop.context("ann")) is None
    context = workshop.context("ann")
    with workshop.tenant.database.write() as connection:
        for number in range(catalogue.MOST_UNUSED):
            one = rows_files.StoredFile(
                f"00000000-0000-7000-8000-{number:012}", "0" * 64, "a", "text/plain", 1, context.now, context.actor.id
            )
            rows_files.add(connection, context.snapshot, one)
    with pytest.raises(Conflict) as limit:
        catalogue.need_upload(context)
    assert limit.value.code == "file.unused.limit"
    assert catalogue.need_upload(workshop.context("bob")) is None


def test_an_object_without_files_pays_nothing(workshop: Running) -> None:
    workshop.records("ann").create("note", {"name": "x"})
    assert rows_files.attachments(workshop.tenant.snapshot(), "note") == {}
    assert uses(workshop) == []


def test_a_merge_takes_files_over_and_gives_them_back(workshop: Running) -> None:
    first, second = upload(workshop, "ann", name="first.pdf"), upload(workshop, "ann", name="second.pdf")
    records = workshop.records("ann")
    kept = records.create("machine", {"name": "Lathe", "manual": first})["id"]
    other = records.create("machine", {"name": "lathe", "manual": second})["id"]
    merged = records.merge("machine", kept, [other], {"manual": other})
    assert merged.record["manual"]["name"] == "second.pdf"
    assert (readers(workshop, first), readers(workshop, second)) == ("ann", "ann cid boss")
    assert records.unmerge("machine", kept).record["manual"]["name"] == "first.pdf"
    assert readers(workshop, first) == "ann cid boss"


def test_a_merge_is_taken_back_where_a_file_has_gone(workshop: Running) -> None:
    first, second = upload(workshop, "ann", name="first.pdf"), upload(workshop, "ann", name="second.pdf")
    records = workshop.records("ann")
    kept = records.create("machine", {"name": "Lathe", "manual": first})["id"]
    other = records.create("machine", {"name": "lathe", "manual": second})["id"]
    records.merge("machine", kept, [other], {"manual": other, "name": other})
    collect(workshop.tenant, workshop.now + timedelta(days=2))
    back = records.unmerge("machine", kept)
    assert (back.record["name"], back.record["manual"]["name"]) == ("Lathe", "second.pdf")
    assert [place.field for place in back.kept] == ["manual"]

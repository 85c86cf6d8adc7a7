from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import BadInput, Conflict, EngineError, Forbidden, NotFound, Stale
from engine.service import Query
from engine.testing import Running
from tests.records.state import refused

ABSENT = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"


def creating(*values: dict[str, object]) -> list[dict[str, object]]:
    return [{"action": "create", "values": one} for one in values]


def test_bulk_records_are_like_records_made_one_by_one(firm: Running) -> None:
    boss = firm.records("boss")
    alone = boss.create("deal", {"name": "a", "amount": "1.5"})
    many = boss.batch("deal", creating({"name": "a", "amount": "1.5"}, {"name": "b"}))
    assert [result.record["number"] for result in many if result.record] == ["D-2026-0002", "D-2026-0003"]
    record = many[0].record
    assert record is not None
    assert {**record, "id": 0, "number": 0} == {**alone, "id": 0, "number": 0}
    assert (
        boss.history("deal", str(many[0].id))[0].changes.keys() == boss.history("deal", alone["id"])[0].changes.keys()
    )
    assert [(result.index, result.action, result.created) for result in many] == [
        (0, "create", True),
        (1, "create", True),
    ]


def test_atomic_batch_is_refused_whole_with_the_place_of_the_fault(firm: Running) -> None:
    boss = firm.records("boss")
    boss.create("account", {"name": "x", "code": "A"})
    for values, kind, path in (
        ({"nmae": "x"}, BadInput, "operations.1.values.nmae"),
        ({"name": "x", "parent": ABSENT}, BadInput, "operations.1.values.parent"),
        ({"name": "x", "code": "A"}, Conflict, "operations.1.values.code"),
    ):
        with refused(firm, kind) as refusal:
            boss.batch("account", creating({"name": "ok"}, values, {"name": "ok too"}))
        assert refusal.value.problems[0].path == path
    with refused(firm, Conflict) as refusal:
        boss.batch("account", creating({"name": "a", "code": "same"}, {"name": "b", "code": "same"}))
    assert refusal.value.problems[0].path == "operations.1.values.code"


def test_each_row_of_a_batch_that_is_not_atomic_has_its_own_result(firm: Running) -> None:
    boss = firm.records("boss")
    made = boss.create("account", {"name": "old", "code": "A"})
    results = boss.batch(
        "account",
        [
            *creating({"name": "a"}, {}, {"name": "b", "code": "A"}),
            {"action": "update", "id": made["id"], "values": {"name": "new"}, "if_version": 1},
            {"action": "update", "id": made["id"], "values": {"name": "newer"}, "if_version": 1},
            {"action": "upsert", "field": "code", "value": "A", "values": {"name": "newest"}},
            {"action": "delete", "id": made["id"]},
            {"action": "restore", "id": made["id"]},
            {"action": "delete", "id": ABSENT},
        ],
        atomic=False,
    )
    assert [type(result.error).__name__ for result in results] == [
        "NoneType", "BadInput", "Conflict", "NoneType", "Stale", "NoneType", "NoneType", "NoneType", "NotFound",
    ]  # fmt: skip
    assert [row["name"] for row in boss.list(Query("account", ("name",))).records] == ["newest", "a"]
    assert results[5].created is False
    assert results[7].record is not None
    assert results[7].record["version"] == 5


def test_later_operations_see_earlier_ones(firm: Running) -> None:
    results = firm.records("boss").batch(
        "account",
        [
            {"action": "upsert", "field": "code", "value": "Z", "values": {"name": "one"}},
            {"action": "upsert", "field": "code", "value": "Z", "values": {"name": "two"}},
        ],
    )
    assert [(result.created, result.record and result.record["version"]) for result in results] == [
        (True, 1),
        (False, 2),
    ]


def test_batch_obeys_row_rules_and_rights(firm: Running) -> None:
    lin, sam = firm.records("lin"), firm.user("sam")
    with refused(firm, Forbidden):
        lin.batch("deal", creating({"name": "a"}, {"name": "b", "owner": sam}))
    with refused(firm, EngineError):
        firm.records("ann").batch("deal", creating({"name": "a"}))
    results = lin.batch("deal", creating({"name": "a"}, {"name": "b", "owner": sam}), atomic=False)
    assert [type(result.error).__name__ for result in results] == ["NoneType", "Forbidden"]
    theirs = firm.records("sam").create("deal", {"name": "c"})
    with refused(firm, NotFound):
        lin.batch("deal", [{"action": "update", "id": theirs["id"], "values": {"name": "x"}}])
    with refused(firm, Stale):
        firm.records("sam").batch("deal", [{"action": "delete", "id": theirs["id"], "if_version": 9}])


@pytest.mark.parametrize("size", [0, 1001])
def test_batch_has_bounds(firm: Running, size: int) -> None:
    with refused(firm, BadInput):
        firm.records("boss").batch("deal", creating({"name": "a"}) * size)


def test_many_writers_get_different_numbers_and_lose_no_change(firm: Running) -> None:
    boss = firm.records("boss")
    deal = boss.create("deal", {"name": "d", "count": 0})

    def work(number: int) -> str:
        records = firm.records("boss")
        records.update("deal", deal["id"], {"name": f"d{number}"})
        return str(records.create("deal", {"name": f"n{number}"})["number"])

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(work, range(24)))
    assert sorted(numbers) == [f"D-2026-{number:04}" for number in range(2, 26)]
    assert boss.get("deal", deal["id"])["version"] == 25
    assert len(boss.history("deal", deal["id"])) == 25


def test_two_upserts_at_once_make_one_record(firm: Running) -> None:
    def work(number: int) -> bool:
        return firm.records("boss").upsert("account", "code", "A", {"name": f"n{number}"})[1]

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(8))) == [False] * 7 + [True]
    assert len(firm.records("boss").list(Query("account")).records) == 1

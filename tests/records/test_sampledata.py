from zoneinfo import ZoneInfo

from engine.errors import BadInput
from engine.sampledata import load
from engine.service import Query, SortKey
from engine.testing import Running
from metadata.model import Data, Place, Record
from tests.records.state import refused, state

SHANGHAI = ZoneInfo("Asia/Shanghai")


def data(object_name: str, *records: dict[str, object]) -> Data:
    made = tuple(
        Record(str(values.pop("_key", "")), values, Place(f"data/{object_name}.yaml", line))
        for line, values in enumerate(map(dict, records), 2)
    )
    return Data(object_name, made, "firm", Place(f"data/{object_name}.yaml"))


SAMPLES = [
    data("deal", {"_key": "d", "name": "Deal", "account": "acme", "owner": "lin", "close_date": "today-14",
                  "called_at": "now-3h", "_created_at": "now-400d"}, {"name": "Other", "called_at": "today+1T03:30Z"}),
    data("account", {"_key": "acme", "name": "Acme", "parent": "root"},
    {"_key": "root", "name": "Root", "parent": "acme"}),
]  # fmt: skip


def test_records_refer_to_each_other_by_key_and_to_people_by_name(firm: Running) -> None:
    assert load(firm.tenant, SAMPLES, firm.now, SHANGHAI) == {"deal": 2, "account": 2}
    boss = firm.records("boss")
    fields = ("name", "account.name", "account.parent.name", "account.parent.parent.name", "owner.username",
    "close_date",
              "called_at", "created_at", "number")  # fmt: skip
    other, deal = boss.list(Query("deal", fields, sort=(SortKey("name", True),))).records
    assert (deal["account.name"], deal["account.parent.name"], deal["account.parent.parent.name"]) == (
        "Acme",
        "Root",
        "Acme",
    )
    assert deal["owner.username"] == "lin"
    assert str(deal["close_date"]) == "2026-11-08"
    assert deal["called_at"] == "2026-11-21T23:15:00.123Z"
    assert other["called_at"] == "2026-11-23T03:30:00.000Z"
    assert deal["created_at"] == "2025-10-18T02:15:00.123Z"
    assert (deal["number"], other["number"]) == ("D-2025-0001", "D-2026-0001")
    assert "2026-08-2" < other["created_at"] < "2026-11-22"
    assert [change.action for change in boss.history("deal", deal["id"])] == ["create"]


def test_loading_twice_changes_nothing(firm: Running) -> None:
    load(firm.tenant, SAMPLES, firm.now)
    boss = firm.records("boss")
    deal = boss.list(Query("deal", filter="name == 'Deal'")).records[0]
    boss.update("deal", deal["id"], {"name": "Changed"})
    boss.delete("deal", deal["id"])
    before = state(firm)
    assert load(firm.tenant, SAMPLES, firm.now) == {"deal": 0, "account": 0}
    assert state(firm) == before


def test_what_is_wrong_is_told_with_its_place_and_nothing_is_loaded(firm: Running) -> None:
    wrong = [
        data("account", {"_key": "a", "name": "a"}, {"name": "b", "parent": "nosuch", "credit": "much"}),
        data("deal", {"stage": "new"}, {"name": "x", "owner": "nobody at all"}),
    ]
    with refused(firm, BadInput) as refusal:
        load(firm.tenant, wrong, firm.now)
    assert [(problem.path, problem.code) for problem in refusal.value.problems] == [
        ("data/account.yaml:3 parent", "data.reference"),
        ("data/account.yaml:3 credit", "value.number"),
        ("data/deal.yaml:2 name", "value.required"),
        ("data/deal.yaml:3 owner", "data.reference"),
    ]

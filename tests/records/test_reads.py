import base64
from datetime import UTC, date, datetime, time
from decimal import Decimal

import orjson
import pytest

from engine.errors import BadInput, NotFound
from engine.service import Query, Records, SortKey
from engine.testing import Running

ORDERS = [
    ("amount",), ("-amount",), ("count", "-amount"), ("-count", "amount"), ("-close_date", "name"),
    ("stage", "-created_at"),
    ("account.name", "-count"), ("-account.name",), ("is_hot", "-opens_at"), ("id",), ("-id",), (),
    ("-called_at", "rate"), ("account.parent.code", "-account.credit", "name"),
]  # fmt: skip


def keys(*names: str) -> tuple[SortKey, ...]:
    return tuple(SortKey(name.removeprefix("-"), name.startswith("-")) for name in names)


def names(records: Records, **query: object) -> list[str]:
    return [row["name"] for row in records.list(Query("deal", ("name",), **query)).records]  # type: ignore[arg-type]


def some_deals(firm: Running, size: int = 40) -> Records:
    """Deals with many ties and blanks."""
    boss = firm.records("boss")
    root = boss.create("account", {"name": "Root", "code": "root"})
    accounts = [
        boss.create("account", {"name": name, "parent": root["id"] if name != "b" else None, "credit": credit})["id"]
        for name, credit in (("b", "1.5"), ("B2", None), ("a", "0.0001"))
    ]
    operations = []
    for i in range(size):
        values = {
            "name": f"deal {i:02}", "amount": None if i % 5 == 0 else str(i % 4 * 10),
            "count": None if i % 3 == 0 else i % 2,
            "close_date": None if i % 4 == 0 else f"2026-12-{i % 5 + 1:02}", "is_hot": [None, True, False][i % 3],
            "stage": ["new", "won", "lost"][i % 3], "account": None if i % 6 == 0 else accounts[i % 3],
            "opens_at": None if i % 7 == 0 else f"0{i % 9}:30", "rate": str(i % 3),
            "called_at": None if i % 2 else f"2026-11-0{i % 9 + 1}T08:00:00.{i % 3}Z",
        }  # fmt: skip
        operations.append({"action": "create", "values": values})
    boss.batch("deal", operations)
    return boss


def test_pages_hold_each_record_once_and_in_the_order_of_one_long_page(firm: Running) -> None:
    records = some_deals(firm)
    for order in ORDERS:
        whole = names(records, sort=keys(*order), limit=100)
        assert len(set(whole)) == 40, order
        paged: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            found = records.list(Query("deal", ("name",), sort=keys(*order), limit=3, cursor=cursor))
            paged += [row["name"] for row in found.records]
            cursor = found.next
        assert paged == whole, order


def test_blanks_come_last_ascending_and_first_descending(firm: Running) -> None:
    boss = firm.records("boss")
    for name, amount in (("a", "2"), ("b", None), ("c", "1")):
        boss.create("deal", {"name": name, "amount": amount})
    assert names(boss, sort=keys("amount")) == ["c", "a", "b"]
    assert names(boss, sort=keys("-amount")) == ["b", "a", "c"]


def test_text_is_sorted_without_regard_to_case_unless_an_index_serves(firm: Running) -> None:
    boss = firm.records("boss")
    for name in ("b", "A", "a", "B", "é", "中"):
        boss.create("deal", {"name": name})
        boss.create("note", {"name": name})
    assert [name.lower() for name in names(boss, sort=keys("name"))] == ["a", "a", "b", "b", "é", "中"]
    found = boss.list(Query("note", ("name",), sort=keys("name"))).records
    assert [row["name"] for row in found] == ["A", "B", "a", "b", "é", "中"]


def test_values_are_python_for_screens_and_json_for_the_api(firm: Running) -> None:
    boss = firm.records("boss")
    account = boss.create("account", {"name": "Acme", "credit": "12.3456"})
    values = {"name": "a", "amount": "1234567890123456.78", "count": -3, "close_date": "2026-12-01", "is_hot": True,
              "called_at": "2026-12-01T10:00:00.5+08:00", "opens_at": "08:30", "tags": ["vip", "it's"],
              "account": account["id"]}  # fmt: skip
    made = boss.create("deal", values)
    paths = (
        "name",
        "amount",
        "count",
        "close_date",
        "is_hot",
        "called_at",
        "opens_at",
        "tags",
        "account.credit",
        "owner.name",
    )
    page = boss.page(Query("deal", paths))
    assert page.rows == [(
        "a", Decimal("1234567890123456.78"), -3, date(2026, 12, 1), True, datetime(2026, 12, 1, 2, 0, 0, 500000, UTC),
        time(8, 30), ["vip", "it's"], Decimal("12.3456"), "The Boss",
    )]  # fmt: skip
    assert page.ids == [made["id"]]
    assert [(column.path, column.object, column.field.name) for column in page.columns][-2:] == [
        ("account.credit", "account", "credit"), ("owner.name", "user", "name"),
    ]  # fmt: skip
    row = boss.get_row("deal", made["id"], ("opens_at", "version"))
    assert row == {"id": made["id"], "version": 1, "opens_at": time(8, 30)}
    record = boss.list(Query("deal", paths)).records[0]
    assert list(record)[:3] == ["id", "version", "name"]
    assert (record["called_at"], str(record["close_date"]), record["is_hot"]) == (
        "2026-12-01T02:00:00.500Z",
        "2026-12-01",
        True,
    )
    assert (record["tags"], record["account.credit"]) == (["vip", "it's"], 12.3456)
    assert orjson.dumps(record["amount"]) == b"1234567890123456.78"
    assert boss.get("deal", made["id"], paths).keys() == record.keys()


def test_count_stops_at_its_cap(firm: Running) -> None:
    boss = firm.records("boss")
    boss.batch("note", [{"action": "create", "values": {"name": f"{i}"}} for i in range(1000)])
    found = boss.list(Query("note", limit=1, count="capped"))
    assert (found.count, found.count_is_capped) == (1000, False)
    boss.create("note", {"name": "x"})
    found = boss.list(Query("note", limit=1, count="capped"))
    assert (found.count, found.count_is_capped) == (1000, True)
    assert boss.list(Query("note", limit=1, count="exact", filter="name == 'x'")).count == 1
    assert boss.list(Query("note", limit=1)).count is None


def test_rows_and_joined_records_follow_the_row_rules(firm: Running) -> None:
    boss, lin, ann = firm.records("boss"), firm.records("lin"), firm.records("ann")
    lin_id = firm.user("lin")
    root = boss.create("account", {"name": "Root", "code": "root"})
    secret = boss.create("account", {"name": "Secret", "parent": root["id"]})
    open_ = boss.create("account", {"name": "Open", "code": "open"})
    boss.create("deal", {"name": "one", "owner": lin_id, "account": secret["id"]})
    boss.create("deal", {"name": "two", "owner": lin_id, "account": open_["id"]})
    boss.create("deal", {"name": "three", "amount": "1000.01"})
    found = lin.list(Query("deal", ("name", "account.name"), sort=keys("name"), count="exact"))
    assert [(row["name"], row["account.name"]) for row in found.records] == [("one", None), ("two", "Open")]
    assert found.count == 2
    assert names(lin, filter="account.name == 'Secret'") == []
    assert names(lin, filter="account.name == null", sort=keys("name")) == ["one"]
    assert names(lin, conditions=(("account.name", "contains", "secret"),)) == []
    assert names(ann, sort=keys("name")) == ["one", "three"]
    assert ann.list(Query("deal", count="capped")).count == 2


def clauses(path: str) -> list[Query]:
    return [
        Query("deal", (path,)), Query("deal", sort=(SortKey(path),)), Query("deal", conditions=((path, "=", "1"),)),
        Query("deal", filter=f"{path} == '1'"), Query("deal", filter=f"not (ISBLANK({path}))"),
    ]  # fmt: skip


def test_hidden_and_missing_give_the_same_answer_in_every_clause(firm: Running) -> None:
    """Ann may not read users: what lies behind `owner` is no more there than what does not exist."""
    ann = firm.records("ann")
    for hidden, missing in zip(clauses("owner.name"), clauses("owner.zzzz"), strict=True):
        answers = []
        for query, path in ((hidden, "name"), (missing, "zzzz")):
            with pytest.raises(BadInput) as refusal:
                ann.list(query)
            answers.append((refusal.value.code, str(refusal.value).replace(path, "…"), refusal.value.fix))
        assert answers[0] == answers[1]


def test_object_that_may_not_be_read_is_as_if_it_did_not_exist(firm: Running) -> None:
    lin = firm.records("lin")
    for call in (
        lambda name: lin.list(Query(name)),
        lambda name: lin.get(name, "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"),
        lambda name: lin.history(name, "x"),
        lambda name: lin.options(name),
        lambda name: lin.batch(name, [{"action": "create", "values": {}}]),
    ):
        answers = []
        for name in ("vault", "nosuch"):
            with pytest.raises(NotFound) as refusal:
                call(name)
            answers.append((refusal.value.code, str(refusal.value).replace(name, "…"), refusal.value.fix))
        assert answers[0] == answers[1] == ("object.unknown", "no object '…'", "")
    assert lin.titles("vault", ["x"]) == {}
    assert "vault" not in lin.ctx.scope.objects()
    assert firm.records("nobody").ctx.scope.objects() == ()


def test_hidden_field_is_left_out_unless_it_is_named(firm: Running) -> None:
    boss = firm.records("boss")
    made = boss.create("account", {"name": "a", "secret": "s"})
    assert "secret" not in made
    assert "secret" not in boss.get("account", made["id"])
    assert boss.get("account", made["id"], ("secret",))["secret"] == "s"


def test_cursor_of_another_query_or_a_changed_one_is_refused(firm: Running) -> None:
    records = some_deals(firm, 10)
    query = Query("deal", ("name",), sort=keys("amount"), limit=3)
    cursor = records.list(query).next
    assert cursor is not None
    assert len(records.list(Query("deal", ("name", "stage"), sort=keys("amount"), limit=5, cursor=cursor)).records) == 5
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    other = b"8" if raw[-3:-2] == b"9" else b"9"  # a digit of the record's id
    flipped = base64.urlsafe_b64encode(raw[:-3] + other + raw[-2:]).decode().rstrip("=")
    bad = [
        Query("deal", sort=keys("-amount"), cursor=cursor), Query("deal", sort=keys("name"), cursor=cursor),
        Query("account", cursor=cursor), Query("deal", sort=keys("amount"), filter="count == 1", cursor=cursor),
        *(Query("deal", sort=keys("amount"), cursor=text) for text in (
            flipped, cursor[:-2], cursor + "AA", "x", "===", "中文", "A" * 3000, "null", "' OR 1=1", "\x00", "\ud800",
        )),
    ]  # fmt: skip
    for query in bad:
        with pytest.raises(BadInput) as refusal:
            records.list(query)
        assert refusal.value.code == "cursor.bad"


NOT_TO_BE_ASKED: list[dict[str, object]] = [
    {"limit": 0}, {"limit": 1001}, {"limit": -1}, {"count": "all"}, {"search": "x" * 201},
    {"sort": keys(*["name"] * 7)},
    {"fields": ("name",) * 201}, {"conditions": (("name", "like", "x"),)}, {"conditions": (("amount", "=", "x"),)},
    {"conditions": (("name", "contains", "\x00"),)}, {"search": "\ud800"}, {"search": "a\x00"},
    {"fields": ("account.name.x",)}, {"fields": ("",)}, {"fields": ("name.",)}, {"fields": ("deleted_at",)},
    {"fields": (".".join(["account", *["parent"] * 6]),)}, {"sort": (SortKey("name; DROP TABLE deal"),)},
    {"filter": "("}, {"filter": "name = 1"}, {"filter": "nosuch == 1"}, {"filter": "x" * 3000}, {"filter": "amount"},
    {"filter": "(" * 200 + ")" * 200}, {"filter": "not " * 60 + "is_hot"}, {"filter": "name == '\x00'"},
    {"filter": "__import__('os')"}, {"filter": "name.upper() == 'X'"}, {"filter": "deleted_at == null"},
]  # fmt: skip


def test_what_cannot_be_asked_is_refused(firm: Running) -> None:
    for query in NOT_TO_BE_ASKED:
        with pytest.raises(BadInput) as refusal:
            firm.records("boss").list(Query("deal", **query))  # type: ignore[arg-type]
        assert refusal.value.problems, query
        assert refusal.value.code, query


def test_more_than_fifty_joins_are_refused(firm: Running) -> None:
    people = ("owner", "created_by", "modified_by")
    paths = tuple(f"{a}.{b}.{c}.{d}.name" for a in people for b in people for c in people for d in people)
    with pytest.raises(BadInput) as refusal:
        firm.records("boss").list(Query("deal", paths))
    assert refusal.value.code == "query.joins.limit"


def test_search_finds_parts_in_the_search_fields_only(firm: Running) -> None:
    boss = firm.records("boss")
    boss.create("deal", {"name": "Pumps 100%", "notes": "for ACME\nand more"})
    boss.create("deal", {"name": "Valves", "notes": None})
    assert names(boss, search="100%") == ["Pumps 100%"]
    assert names(boss, search="10_%") == []
    assert names(boss, search=" acme ") == ["Pumps 100%"]
    assert names(boss, search="new") == []  # a stage
    assert sorted(names(boss, search="")) == ["Pumps 100%", "Valves"]
    boss.create("note", {"name": None})
    assert len(boss.list(Query("note", search="  ")).records) == 1


CONDITIONS: list[tuple[tuple[str, str, object], list[str]]] = [
    (("amount", "=", "10"), ["b"]), (("amount", "!=", "10"), ["a", "c"]), (("amount", ">=", 10), ["b", "c"]),
    (("amount", "blank", None), ["a"]), (("amount", "filled", None), ["b", "c"]), (("amount", "=", None), ["a"]),
    (("stage", "in", ["new", "won"]), ["a", "b"]), (("tags", "=", "vip"), ["a", "b"]), (("tags", "in", ["it's"]),
    ["b"]),
    (("tags", "!=", "vip"), ["c"]), (("name", "begins", "B"), ["b"]), (("name", "contains", "C"), ["c"]),
    (("close_date", "<", "2026-12-02"), ["a"]), (("is_hot", "=", True), ["b"]),
    (("called_at", ">", "2026-12-01T00:00:00Z"), ["c"]),
]  # fmt: skip


def test_conditions_of_screens(firm: Running) -> None:
    boss = firm.records("boss")
    boss.create("deal", {"name": "a", "close_date": "2026-12-01", "tags": ["vip"]})
    boss.create("deal", {"name": "b", "amount": 10, "stage": "won", "tags": ["vip", "it's"], "is_hot": True})
    boss.create("deal", {"name": "c", "amount": "10.01", "stage": "lost", "called_at": "2026-12-01T00:00:00.001Z"})
    for condition, expected in CONDITIONS:
        assert names(boss, conditions=(condition,), sort=keys("name")) == expected, condition


def test_lookup_offers_titles_and_tells_records_apart(firm: Running) -> None:
    boss = firm.records("boss")
    made = [
        boss.create("account", {"name": name, "code": code})["id"] for name, code in (("Beta", "b1"), ("alpha", None))
    ]
    assert [(title, subtitle) for _, title, subtitle in boss.options("account")] == [("alpha", ""), ("Beta", "b1")]
    assert boss.options("account", "B1")[0][0] == made[0]
    assert boss.titles("account", [*made, "x", made[0]]) == {made[0]: "Beta", made[1]: "alpha"}
    assert firm.records("lin").titles("account", made) == {}


def test_statements_of_one_shape_are_compiled_once(firm: Running) -> None:
    boss = firm.records("boss")
    cache = boss.ctx.snapshot.cache
    boss.list(Query("deal", filter="amount > 1 and name == 'a'"))
    plans = len(cache["kept", "plans"])
    for number in range(2, 40):
        boss.list(Query("deal", filter=f"amount > {number} and name == 'b{number}'", limit=number))
    assert len(cache["kept", "plans"]) == plans

"""Two databases that differ only in what a person may not see must answer that person alike, whatever is asked."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.errors import EngineError
from engine.service import Query, SortKey
from engine.testing import Running, running
from tests.records.conftest import COMPANY, NOW

IDS = ("id", "account", "deal", "about")
FIELDS = [
    "name",
    "amount",
    "stage",
    "notes",
    "account",
    "account.name",
    "account.code",
    "account.credit",
    "account.parent.name",
    "account.owner.name",
    "owner.name",
    "created_by.username",
    "version",
]
LEAVES = [
    "account.name == 'Hidden'",
    "account.name != null",
    "account.credit > 5",
    "CONTAINS(account.name, 'h')",
    "amount > 5",
    "account.parent.name == 'Hidden'",
    "ISBLANK(account.code)",
    "account.code in ['open', 'h2']",
    "stage == 'new'",
    "account.owner == user.id",
    "account.parent.code < 'z'",
    "account.credit + 1 > amount",
]


CHILDREN = """
---
object: entry
label: Entry
fields:
  text: {type: text}
  deal: {type: reference, to: deal, master: true}
---
object: remark
label: Remark
fields:
  text: {type: text}
  about: {type: polymorphic_reference, to: [deal, account], master: true}
---
object: mention
label: Mention
fields:
  text: {type: text}
  entry: {type: reference, to: entry, master: true}
"""
BELOW = {
    "entry": ["text", "deal", "deal.name", "deal.amount", "deal.account.name", "owner.name"],
    "remark": ["text", "about", "created_by.username", "owner.name"],
    "mention": ["text", "entry.text", "entry.deal.name", "entry.deal.account.code"],
}
LEAVES_BELOW = {
    "entry": ["deal.amount > 5", "text != 'a1'", "deal.account.name == 'Hidden'", "deal.owner == user.id"],
    "remark": ["ISBLANK(about)", "text > 'd'", "owner == user.id"],
    "mention": ["entry.deal.account.credit > 5", "entry.deal.name != null", "text < 'z'", "entry.owner == user.id"],
}


@contextmanager
def two_firms(folder: Path) -> Iterator[tuple[Running, Running]]:
    with (
        running(f"sqlite:///{folder / 'a.db'}", [COMPANY + CHILDREN], now=NOW) as one,
        running(f"sqlite:///{folder / 'b.db'}", [COMPANY + CHILDREN], now=NOW) as two,
    ):
        for site, hidden in ((one, ("Hidden", "h1", "1")), (two, ("Other", "h2", "9"))):
            people = {
                name: site.user(name, role) for name, role in (("boss", "admin"), ("lin", "seller"), ("sam", "seller"))
            }
            boss = site.records("boss")
            name, code, credit = hidden
            secret = boss.create("account", {"name": name, "code": code, "credit": credit})["id"]
            shown = boss.create("account", {"name": "Open", "code": "open", "parent": secret, "credit": 6})["id"]
            for i in range(12):
                values = {"name": f"d{i}", "amount": i, "account": [secret, shown, None][i % 3], "owner": people["lin"]}
                boss.create("deal", values)
            for i in range(int(credit)):
                boss.create("deal", {"name": f"s{i}", "amount": i, "account": secret, "owner": people["sam"]})
                boss.create("vault", {"name": name, "account": shown})
            for deal in boss.list(Query("deal", ("name",), sort=(SortKey("name"),), limit=100)).records:
                entry = boss.create("entry", {"text": f"e{deal['name']}", "deal": deal["id"]})["id"]
                boss.create("mention", {"text": f"m{deal['name']}", "entry": entry})
                boss.create("remark", {"text": f"r{deal['name']}", "about": f"deal/{deal['id']}"})
            for account, text in ((secret, "rh"), (shown, "ro")):
                boss.create("remark", {"text": text, "about": f"account/{account}"})
        yield one, two


def formula(chance: random.Random, depth: int = 3, leaves: Sequence[str] = LEAVES) -> str:
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(leaves)
    kind = chance.choice(["and", "or", "not"])
    if kind == "not":
        return f"not ({formula(chance, depth - 1, leaves)})"
    return f"({formula(chance, depth - 1, leaves)} {kind} {formula(chance, depth - 1, leaves)})"


def answer(site: Running, query: Query) -> object:
    """All that can be seen of the answer; ids differ between the two, so records are told apart by their names."""
    try:
        found = site.records("lin").list(query)
    except EngineError as error:
        return (error.code, str(error), error.fix)
    records = [{k: v for k, v in row.items() if k not in IDS} for row in found.records]
    return records, found.count, found.next is None


def test_what_is_hidden_changes_no_answer(tmp_path: Path) -> None:
    chance = random.Random(7)
    with two_firms(tmp_path) as (one, two):
        for _ in range(250):
            query = Query(
                chance.choice(["deal", "deal", "deal", "account", "vault"]),
                tuple(chance.sample(FIELDS, 3)),
                filter=formula(chance) if chance.random() < 0.8 else "",
                sort=(SortKey(chance.choice(FIELDS[:4] + FIELDS[5:]), chance.random() < 0.5), SortKey("name")),
                count=chance.choice(["none", "capped", "exact"]),
                search=chance.choice(["", "", "d1", "Hid", "Other"]),
                limit=chance.choice([3, 50]),
            )
            assert answer(one, query) == answer(two, query), query
        for text in ("", "Hidden", "Other", "h"):
            assert [x[1] for x in one.records("lin").options("account", text)] == [
                x[1] for x in two.records("lin").options("account", text)
            ]


def test_what_belongs_to_something_hidden_changes_no_answer(tmp_path: Path) -> None:
    chance = random.Random(11)
    with two_firms(tmp_path) as (one, two):
        seen = 0
        for _ in range(120):
            name = chance.choice(["entry", "remark", "mention"])
            query = Query(
                name,
                tuple(chance.sample(BELOW[name], 2)),
                filter=formula(chance, 2, LEAVES_BELOW[name]) if chance.random() < 0.7 else "",
                sort=(SortKey("text", chance.random() < 0.5),),
                count=chance.choice(["none", "capped", "exact"]),
                search=chance.choice(["", "", "d1", "s0"]),
                limit=chance.choice([3, 50]),
            )
            assert answer(one, query) == answer(two, query), query
            seen += len(one.records("lin").list(query).records)
        assert seen > 300
        assert sorted(record["text"] for record in one.records("lin").list(Query("remark", ("text",))).records) == [
            "rd0", "rd1", "rd10", "rd11", "rd2", "rd3", "rd4", "rd5", "rd6", "rd7", "rd8", "rd9", "ro",
        ]  # fmt: skip

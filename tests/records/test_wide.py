"""Does an object with 500 fields work: published, listed, created, changed, on both databases?"""

from engine.service import Query, SortKey
from engine.testing import running
from tests.records.conftest import NOW

KINDS = (
    "text",
    "integer",
    "currency",
    "date",
    "boolean",
    "datetime",
    "{type: choice, choices: {a: A, b: B}}",
    "percent",
)


def wide(count: int, kinds: int = len(KINDS)) -> str:
    fields = []
    for number in range(count):
        kind = KINDS[number % kinds]
        fields.append(f"  f{number}: {kind if kind.startswith('{') else f'{{type: {kind}}}'}")
    return "package: w\nversion: 1.0.0\nlabel: W\n---\nobject: wide\nlabel: Wide\nfields:\n" + "\n".join(fields)


def test_five_hundred_fields(database_url: str) -> None:
    with running(database_url, [wide(400)], now=NOW) as site:
        site.user("boss", "admin")
        site.records("boss").create("wide", {"f0": "before"})
        site.publish(wide(500))
        boss = site.records("boss")
        values = {f"f{n}": str(n) if n % 8 == 0 else n for n in range(500) if n % 8 < 3}
        record = boss.create("wide", values)
        assert (len([name for name in record if name.startswith("f")]), record["f496"], record["f497"]) == (
            500,
            "496",
            497,
        )
        changed = boss.update(
            "wide", record["id"], {f"f{n}": n + 1 for n in range(500) if n % 8 == 1} | {"f499": "2026-11-22"}
        )
        assert (changed["f497"], str(changed["f499"]), changed["version"]) == (498, "2026-11-22", 2)
        assert len(boss.history("wide", record["id"])[0].changes) == 64
        many = boss.batch("wide", [{"action": "create", "values": values} for _ in range(200)])
        assert len(many) == 200
        page = boss.list(
            Query("wide", sort=(SortKey("f1", True),), filter="f497 >= 497 and f0 != 'x'", limit=100, count="exact")
        )
        assert (page.count, len(page.records), len(page.records[0])) == (201, 100, 507)
        assert boss.get("wide", record["id"])["f0"] == "0"
        assert (
            boss.list(Query("wide", tuple(f"f{n}" for n in range(190)), search="before")).records[0]["f0"] == "before"
        )
        boss.delete("wide", record["id"])
        assert boss.restore("wide", record["id"])["f497"] == 498


def test_screens_of_five_hundred_fields(sqlite_url: str) -> None:
    with running(sqlite_url, [wide(500)], now=NOW, ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        client = site.client("boss", by="session")
        assert client.get("/o/wide/new").status_code == 200
        record = site.records("boss").create("wide", {"f0": "first", "f499": "2026-11-22"})
        assert "2026" in client.get(f"/o/wide/{record['id']}").text
        assert client.get(f"/o/wide/{record['id']}/edit").status_code == 200
        form = {f"f{n}": "7" for n in range(500) if n % 8 < 3} | {"version": "1"}
        assert client.post(f"/o/wide/{record['id']}/edit", data=form).status_code in (200, 204, 303)
        assert site.records("boss").get("wide", record["id"], ("f497",))["f497"] == 7
        assert "first" not in client.get("/o/wide").text

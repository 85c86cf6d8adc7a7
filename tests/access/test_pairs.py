"""Two databases that differ only in what a person may not see answer that person byte for byte alike.

Hidden values, what a mask covers, records that are not shared, restricted or deleted, and another person's account
differ; ids are the same in both. The same random requests go over HTTP to both, and a planted leak must be found.
"""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

import engine.access.scope
import engine.store.database
from engine.access.scope import Scope
from engine.store.query_build import Builder
from engine.testing import Running, running
from tests.access.conftest import NOW
from tests.depth import at_depth

FIRM = """
package: firm
version: 1.0.0
label: Firm
---
object: lead
label: Lead
sharing: private
search: [name, phone, notes]
fields:
  name: {type: text, required: true, length: 80}
  phone: {type: text, length: 40, mask: phone}
  salary: {type: integer}
  badge: {type: text, length: 20}
  stage: {type: choice, default: new, choices: {new: New, won: Won}}
  notes: {type: text}
  parent: {type: reference, to: lead}
  tax: {type: formula, returns: integer, formula: salary * 2}
  calls: {type: table, of: call}
  tasks: {type: inverse, of: task, by: lead}
  cost: {type: rollup, of: call.lead, operation: sum, field: price, returns: integer}
duplicates:
  - {rule: rich, match: {name: company}, filter: "salary > 500"}
  - {rule: rung, match: {phone: phone}}
---
object: call
label: Call
kind: child
title: note
fields:
  note: {type: text}
  price: {type: integer}
  lead: {type: reference, to: lead, master: true}
---
object: task
label: Task
fields:
  name: {type: text, required: true}
  lead: {type: reference, to: lead}
  scan: {type: file}
---
role: seller
objects:
  lead:
    can: [create, read, update, delete, share]
    fields: {salary: hidden, badge: hidden, phone: {access: edit, mask: true}, cost: hidden}
  call: {can: [create, read, update, delete], fields: {price: hidden}}
  task: [create, read, update, delete]
---
restriction_rule: secret
object: lead
rows: name != 'VIP'
except: {roles: [admin]}
"""
COUNT = 6
NAMES = ["name", "phone", "salary", "badge", "stage", "notes", "parent", "tax", "cost", "parent.name", "parent.salary",
         "parent.phone", "owner", "created_at", "nosuch", "calls", "tasks", "version"]  # fmt: skip
LEAVES = ["name == 'l1'", "salary > 5", "phone == '13800001111'", "badge == null", "stage == 'new'", "tax > 3",
          "parent.name == 'Hidden'", "parent.salary > 5", "parent != null", "CONTAINS(notes, 'note')", "cost > 1",
          "parent.stage == 'won'", "nosuch == 1", "version > 1"]  # fmt: skip


class Ids:
    """The same ids in both databases, by order of making."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, now: Any = None) -> str:
        self.count += 1
        return f"019ab000-0000-7000-8000-{self.count:012x}"


def use_ids(patch: pytest.MonkeyPatch, ids: Ids) -> None:
    import sys

    original = ORIGINAL
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("engine") and getattr(module, "new_id", None) in (
            original,
            *GIVEN,
        ):
            patch.setattr(module, "new_id", ids)
    GIVEN.append(ids)


ORIGINAL = engine.store.database.new_id
GIVEN: list[Ids] = []


def fill(site: Running, secret: dict[str, Any]) -> None:
    """`secret` differs between the two; what sam may see does not."""
    for name, role in (("boss", "admin"), ("sam", "seller"), ("eve", "seller")):
        site.user(name, role, name=name.title())
    boss, sam, eve = site.records("boss"), site.user("sam"), site.user("eve")
    hidden = [
        boss.create("lead", {
            "name": name, "phone": secret["phone"], "salary": secret["salary"], "badge": secret["badge"],
            "notes": secret["badge"], "owner": owner, "stage": secret["stage"],
        })["id"]
        for name, owner in ((secret["name"], eve), ("VIP", sam))
    ]  # fmt: skip
    for i in range(COUNT):
        made = boss.create("lead", {
            "name": f"l{i % 3}", "phone": f"138{secret['phone'][3:7]}{i}000", "salary": secret["salary"] + i,
            "badge": f"{secret['badge']}{i}", "notes": f"note {i}", "owner": sam,
            "parent": hidden[0] if i % 2 else None,
        })["id"]  # fmt: skip
        boss.update("lead", made, {"salary": secret["salary"] * 2 + i})
        boss.create("call", {"note": f"c{i}", "price": secret["salary"] + i, "lead": made})
        boss.create("task", {"name": f"t{i}", "lead": hidden[0] if i % 2 else made})
    gone = boss.create("lead", {"name": secret["name"], "owner": eve})["id"]
    boss.delete("lead", gone)
    boss.create("call", {"note": secret["badge"], "price": 1, "lead": hidden[0]})


ONE = {"name": "Hidden", "phone": "13811112222", "salary": 3, "badge": "x", "stage": "new"}
TWO = {"name": "Other", "phone": "13833332222", "salary": 700, "badge": "zz", "stage": "won"}


@contextmanager
def pair(url: Callable[[str], str]) -> Iterator[list[Running]]:
    with pytest.MonkeyPatch.context() as patch, running(url("a"), [FIRM], now=NOW, ui="ui.pages:mount") as one, \
            running(url("b"), [FIRM], now=NOW, ui="ui.pages:mount") as two:  # fmt: skip
        for site, secret in ((one, ONE), (two, TWO)):
            use_ids(patch, Ids())
            fill(site, secret)
        yield [one, two]


class Asker:
    """Sends the same request to both, and keeps what they answered."""

    def __init__(self, sites: list[Running]) -> None:
        self.sites = sites
        self.clients: list[TestClient] = []
        self.pages: list[TestClient] = []
        with pytest.MonkeyPatch.context() as patch:
            for site in sites:
                use_ids(patch, Ids())
                self.clients.append(site.client("sam"))
                self.pages.append(site.client("sam", by="session"))
        self.count = 0

    def ask(self, method: str, path: str, *, screen: bool = False, **more: Any) -> list[str]:
        self.count += 1
        answers = []
        with pytest.MonkeyPatch.context() as patch:
            for site, client in zip(self.sites, self.pages if screen else self.clients, strict=True):
                ids = Ids()
                ids.count = 1_000_000 + self.count * 1000
                use_ids(patch, ids)
                answer = client.request(method, path, **more)
                headers = {name: answer.headers.get(name, "") for name in ("etag", "location", "content-type", "link")}
                csrf = client.headers.get("x-csrf-token") or "none"
                text = answer.text.replace(csrf, "CSRF").replace(str(site.folder), "")
                answers.append(f"{answer.status_code} {headers} {re.sub('nonce-?=?[^ >]+', '', text)}")
        return answers


def formula(chance: random.Random, depth: int = 2) -> str:
    if depth == 0 or chance.random() < 0.4:
        return chance.choice(LEAVES)
    if chance.random() < 0.25:
        return f"not ({formula(chance, depth - 1)})"
    return f"({formula(chance, depth - 1)} {chance.choice(['and', 'or'])} {formula(chance, depth - 1)})"


def ids_of(site: Running) -> dict[str, list[str]]:
    """Of records that sam sees, of those that he does not, and one that nothing has."""
    found: dict[str, list[str]] = {}
    for name in ("lead", "call", "task"):
        with site.tenant.database.read() as connection:
            table = site.tenant.snapshot().physical.table(name)
            found[name] = sorted(
                str(row[0]) for row in connection.sa.execute(table.select().with_only_columns(table.c.id))
            )
    return found


def request(chance: random.Random, known: dict[str, list[str]]) -> tuple[str, str, dict[str, Any]]:
    """(method, path, what else goes to the client)."""
    pick = chance.choice
    name = pick(["lead", "lead", "lead", "call", "task"])
    id_ = pick([*known[name], "019ab000-0000-7000-8000-ffffffffffff"])
    other = pick(known["lead"])
    record, field = f"/api/v1/records/{name}/{id_}", pick(NAMES)
    lists = {
        "fields": ",".join(chance.sample(NAMES, 2)), "sort": pick(["", "-"]) + pick(NAMES), "filter": formula(chance),
        "count": pick(["exact", "capped"]), "limit": str(pick([2, 50])), "search": pick(["l1", "Hid", "138", "Other"]),
    }  # fmt: skip
    query = {key: value for key, value in lists.items() if chance.random() < 0.4}
    value = pick(["l1", "new", "Hidden", 5, "138****2222", "13811112222", None])
    version = {"if-match": f'"{pick([1, 2, 9])}"'} if chance.random() < 0.3 else {}
    groups = {"group": pick(NAMES), "measures": f"{pick(['sum', 'count', 'max'])}({pick(NAMES)})"}
    if chance.random() < 0.4:
        groups["having"] = f"count({pick(NAMES)}) > 1"
    return pick([
        ("GET", f"/api/v1/records/{name}", {"params": query}), ("GET", f"/api/v1/records/{name}", {"params": query}),
        ("GET", f"/api/v1/records/{name}", {"params": {**query, "filter": formula(chance)}}),
        ("GET", record, {"params": {"fields": field} if chance.random() < 0.5 else {}}),
        ("GET", f"/api/v1/aggregate/{name}", {"params": groups}),
        ("PATCH", record, {"json": {field: value}, "headers": version}),
        ("POST", f"/api/v1/records/{name}", {"json": {"name": f"l{chance.randint(0, 9)}", field: value}}),
        ("POST", f"/api/v1/records/{name}", {"json": {"name": f"l{chance.randint(0, 4)}"}}),
        ("POST", f"/api/v1/records/{name}/batch", {"json": {"atomic": pick([True, False]), "operations": [
            {"action": "update", "id": id_, "values": {field: value}},
            {"action": "delete", "id": pick(known[name])}]}}),
        ("PUT", f"/api/v1/records/{name}/by/{field}/l1", {"json": {"name": "x"}}),
        ("GET", f"/api/v1/duplicates/{name}/{id_}", {}), ("GET", f"{record}/shares", {}),
        ("POST", f"/api/v1/records/{name}/{id_}/merge", {"json": {"others": [other], "values": {}}}),
        ("POST", f"{record}/restore", {}), ("DELETE", record, {}),
        ("POST", f"{record}/unmask", {"json": {"field": field}}),
        ("GET", f"/api/v1/objects/{name}", {}), ("GET", "/api/v1/openapi.json", {}),
        ("GET", f"/o/{name}", {"params": {"q": pick(["l1", "Hid", "138"]), "sort": field}}),
        ("GET", f"/o/{name}/{id_}", {}), ("GET", f"/o/{name}/{id_}/edit", {}),
        ("GET", f"/o/{name}/options", {"params": {"q": pick(["l", "Hid", "13"])}}),
        ("GET", "/search", {"params": {"q": pick(["l1", "Hidden", "138", "zz"])}}), ("GET", f"/o/{name}/deleted", {}),
        ("GET", "/", {}),
    ])  # fmt: skip


def compare(sites: list[Running], tries: int, seed: int) -> tuple[int, str]:
    """(how many requests were answered alike, the first that was not and both its answers)."""
    chance, asker, known = random.Random(seed), Asker(sites), ids_of(sites[0])
    assert known == ids_of(sites[1])
    for number in range(tries):
        method, path, more = request(chance, known)
        one, two = asker.ask(method, path, screen=not path.startswith("/api/"), **more)
        if one != two:
            at = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), 0)
            return (
                number,
                f"{method} {path} {more}\n{one[max(0, at - 200) : at + 80]}\n{two[max(0, at - 200) : at + 80]}",
            )
    return tries, ""


def test_what_is_hidden_changes_no_answer(tmp_path: Any) -> None:
    with pair(lambda name: f"sqlite:///{tmp_path / name}.db") as sites:
        tries = at_depth(80, 2000)
        assert compare(sites, tries, 5) == (tries, "")


def all_visible(builder: Builder, in_trash: bool) -> list[Any]:
    deleted_at = builder.joins.root.c.deleted_at
    return [deleted_at.is_not(None) if in_trash else deleted_at.is_(None)]


LEAKS: dict[str, tuple[Any, str, Any]] = {
    "rows": (Builder, "visible", all_visible),
    "joined rows": (Builder, "_row_rule", lambda *_: []),
    "fields": (Scope, "sees", lambda *_: 2),
    "worked out": (engine.access.scope, "reads_of", lambda *_: frozenset()),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_found(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, leak: str) -> None:
    with pair(lambda name: f"sqlite:///{tmp_path / name}.db") as sites:
        monkeypatch.setattr(*LEAKS[leak])
        for site in sites:
            site.tenant.snapshot().cache.clear()
        tries, told = compare(sites, 150, 5)
        assert told, f"not found within {tries}"

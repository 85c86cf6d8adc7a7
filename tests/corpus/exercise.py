"""Use every object of a running tenant as people and programs do, and list what went wrong.

Nothing here knows a particular package: values come from the field's definition.
"""

import json
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jsonschema_rs
from starlette.testclient import TestClient

from engine.errors import Conflict
from engine.service import Query, SortKey
from engine.testing import Running
from metadata.model import Field, Object
from tests.corpus.forms import form_values

__all__ = ["Exercise", "in_order"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
LONG = "Ünïcode 华东 <script>alert(1)</script> '\"; -- %s {{7*7}} "

VALUES: Mapping[str, Callable[[Field, int], object]] = {
    "text": lambda field, number: text(field, number),
    "longtext": lambda field, number: f"{LONG}{number}\nsecond line"[: length(field)],
    "richtext": lambda field, number: f"<p>rich {number}</p>"[: length(field)],
    "email": lambda field, number: f"person{number}@example.com",
    "url": lambda field, number: f"https://example.com/{number}?a=1&b=2",
    "phone": lambda field, number: f"+86 21 5555 01{number:02}",
    "integer": lambda field, number: number,
    "decimal": lambda field, number: number % 10 if room(field) else 0,
    "currency": lambda field, number: number % 10 if room(field) else 0,
    "percent": lambda field, number: number % 10 if room(field) else 0,
    "boolean": lambda field, number: number % 2 == 0,
    "date": lambda field, number: f"2026-11-{number % 28 + 1:02}",
    "datetime": lambda field, number: f"2026-11-{number % 28 + 1:02}T10:15:00Z",
    "time": lambda field, number: f"10:{number % 60:02}",
    "choice": lambda field, number: field.choices[number % len(field.choices)].value,
    "code": lambda field, number: f"if a < {number}:\n\tpass"[: length(field)],
    "markdown": lambda field, number: f"# Title {number}\n\n<script>alert(1)</script>"[: length(field)],
    "json": lambda field, number: {"number": number, "text": "<script>alert(1)</script>"},
    "color": lambda field, number: f"#0000{number % 256:02x}",
    "rating": lambda field, number: number % int(str(field.options.get("max", 5))) + 1,
    "duration": lambda field, number: number * 60,
    "multi_choice": lambda field, number: [field.choices[number % len(field.choices)].value],
}

UNSORTED = frozenset({"multi_choice", "longtext", "richtext", "code", "markdown", "json"})


def length(field: Field) -> int:
    return int(str(field.options.get("length", 255)))


def room(field: Field) -> bool:
    return int(str(field.options.get("precision", 18))) > int(str(field.options.get("scale", 0)))


def text(field: Field, number: int) -> str:
    return f"{number} {field.name} {LONG}"[: length(field)].strip()


def in_order(objects: Mapping[str, Object]) -> list[str]:
    """Objects after those that they must refer to; what remains of a circle comes last."""
    done: list[str] = []
    waiting = dict(objects)
    while waiting:
        ready = [
            name for name, one in waiting.items()
            if not any(f.is_required and f.target in waiting and f.target != name for f in one.fields.values())
        ]  # fmt: skip
        for name in ready or list(waiting):
            done.append(name)
            del waiting[name]
    return done


class Exercise:
    """Creates records of each object, takes them through every operation, and looks at their pages."""

    def __init__(self, site: Running, packages: Iterable[str] = ()) -> None:
        self.site = site
        definitions = site.tenant.snapshot().definitions
        wanted = set(packages)
        self.objects = {
            name: one for name, one in definitions.objects.items()
            if (one.package in wanted if wanted else one.package != "system")
        }  # fmt: skip
        self.user = site.user("ann", "admin", language="zh-CN", time_zone="Asia/Shanghai")
        self.ids: dict[str, list[str]] = {"user": [self.user]}
        self.records = site.records("ann")
        self.faults: list[str] = []
        self.counter = 0

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            problems = "; ".join(map(str, getattr(error, "problems", ()))) if hasattr(error, "problems") else ""
            frame = traceback.extract_tb(error.__traceback__)[-1]
            self.faults.append(f"{what}: {type(error).__name__}: {error} {problems} at {frame.filename}:{frame.lineno}")

    def expect(self, what: str, is_so: bool, found: object = "") -> None:
        if not is_so:
            self.faults.append(f"{what}: {found}")

    def run(self, *, pages: bool = True) -> list[str]:
        for name in in_order(self.objects):
            # A unique choice has no third value.
            fields = self.objects[name].fields
            groups = [*((field.name,) for field in fields.values() if field.is_unique), *self.objects[name].unique]
            few = any(all(part in fields and fields[part].choices for part in group) for group in groups)
            for _ in range(1 if few or self.objects[name].kind == "single" else 3):
                with self.step(f"create {name}"):
                    self.create(name)
        for name in self.objects:
            with self.step(f"use {name}"):
                self.use(name)
        if pages:
            self.look()
        return self.faults

    def values(self, one: Object, *, may_refer: bool = True) -> dict[str, Any]:
        self.counter += 1
        kinds = self.site.tenant.snapshot().plugins.fields
        found: dict[str, Any] = {}
        for field in one.fields.values():
            if field.is_read_only or not field.is_written or kinds[field.type].is_computed:
                continue
            if field.target:
                there = self.ids.get(field.target, [])
                if there and (may_refer or field.is_required):
                    found[field.name] = there[self.counter % len(there)]
            else:
                found[field.name] = VALUES[field.type](field, self.counter)
        return found

    def create(self, name: str) -> None:
        one = self.objects[name]
        values = self.values(one)
        needs_system = any(
            field.is_required and field.is_read_only and field.default is None for field in one.fields.values()
        )
        if needs_system:
            values |= {
                f.name: (self.ids[f.target][0] if f.target else VALUES[f.type](f, self.counter))
                for f in one.fields.values() if f.is_required and f.is_read_only and f.default is None
            }  # fmt: skip
        made = (self.site.records() if needs_system else self.records).create(name, values)
        self.ids.setdefault(name, []).append(made["id"])
        for field, sent in values.items():
            if field in made:
                self.expect(
                    f"create {name}.{field}",
                    same(made[field], sent, one.fields[field]),
                    f"{sent!r} became {made[field]!r}",
                )

    def use(self, name: str) -> None:
        one, records = self.objects[name], self.records
        ids = self.ids.get(name, [])
        if not ids:
            return
        visible = [field.name for field in one.fields.values() if not field.is_hidden and field.value != "lines"]
        visible = visible[:: max(1, len(visible) // 40)]  # a plan for each: a wide object would take minutes
        first, last = ids[0], ids[-1]
        got = records.get(name, first)
        self.expect(f"get {name}", got["id"] == first)
        listing = records.list(Query(name, limit=10, count="exact"))
        self.expect(f"list {name}", {record["id"] for record in listing.records} == set(ids), len(listing.records))
        for field in visible:
            with self.step(f"query {name}.{field}"):
                self.query(one, one.fields[field], {r["id"] for r in listing.records if r[field] is not None})
        values = {
            key: value for key, value in self.values(one, may_refer=False).items() if not one.fields[key].is_unique
        }
        changed = records.update(name, first, values)
        again = records.get(name, first)
        self.expect(f"update {name}", {k: again.get(k) for k in changed} == changed, (changed, again))
        records.history(name, first)
        records.options(name, "1", 5)
        records.titles(name, ids)
        try:
            records.delete(name, last)
        except Conflict as conflict:
            self.expect(f"delete {name}", conflict.code == "delete.restricted", conflict)
            return
        there = {record["id"] for record in records.list(Query(name, limit=10)).records}
        self.expect(f"delete {name}", last not in there, there)
        records.restore(name, last)
        there = {record["id"] for record in records.list(Query(name, limit=10)).records}
        self.expect(f"restore {name}", there == set(ids), there)

    def query(self, one: Object, field: Field, filled: set[str]) -> None:
        """By the field: found, shown and sorted. `this.` stands before names that are words of formulas."""
        sort = () if field.type in UNSORTED else (SortKey(field.name, is_descending=True),)
        paths = (f"{field.name}.id", f"{field.name}.created_at") if field.target else ()
        query = Query(one.name, ("id", field.name, *paths), filter=f"this.{field.name} != None", sort=sort, limit=5)
        found = {record["id"] for record in self.records.list(query).records}
        self.expect(f"filter {one.name}.{field.name}", found == filled, (found, filled))
        for choice in field.choices[:60:7] if field.type == "choice" else ():
            quoted = choice.value.replace("\\", "\\\\").replace("'", "\\'")
            self.records.list(Query(one.name, ("id",), filter=f"this.{field.name} == '{quoted}'", limit=1))

    def look(self) -> None:
        with self.site.client("ann", by="session") as browser, self.site.client("ann") as program:
            self.page(browser, "/")
            for name in self.objects:
                ids = self.ids.get(name, [])
                self.page(browser, f"/o/{name}")
                self.page(browser, f"/o/{name}/new")
                self.page(browser, f"/o/{name}/deleted")
                if ids:
                    self.page(browser, f"/o/{name}/{ids[0]}")
                    self.page(browser, f"/o/{name}/{ids[0]}/edit")
                    self.page(program, f"/api/v1/records/{name}/{ids[0]}")
                self.page(program, f"/api/v1/records/{name}?limit=2")
                self.page(program, f"/api/v1/objects/{name}")
                if ids:
                    self.save(browser, name, ids[0])
            self.openapi(program)

    def page(self, client: TestClient, path: str) -> str:
        with self.step(f"GET {path}"):
            answer = client.get(path)
            self.expect(f"GET {path}", answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}")
            self.expect(
                f"GET {path}",
                "<script>alert" not in answer.text or "json" in answer.headers["content-type"],
                "unescaped",
            )
            return answer.text
        return ""

    def save(self, browser: TestClient, name: str, record: str) -> None:
        """Send the edit form as it came: nothing may be wrong with it, and nothing may change."""
        before = self.records.get(name, record)
        path = f"/o/{name}/{record}/edit"
        with self.step(f"POST {path}"):
            sent = form_values(browser.get(path).text)
            answer = browser.post(path, data=sent)
            found = re.findall(r'class="invalid-feedback[^>]*>\s*([^<]+)', answer.text)
            self.expect(f"POST {path}", answer.status_code == 303, f"{answer.status_code} {found or answer.text[:200]}")
            after = self.records.get(name, record)
            changed = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
            self.expect(f"POST {path} changed", changed == {}, changed)
            self.change(browser, self.objects[name], record)

    def change(self, browser: TestClient, one: Object, record: str) -> None:
        """Each text field but unique ones gets another value by the form."""
        path = f"/o/{one.name}/{record}/edit"
        sent = form_values(browser.get(path).text)
        wanted = {f.name: "x" for f in one.fields.values() if f.name in sent and f.type == "text" and not f.is_unique}
        answer = browser.post(path, data=sent | wanted)
        self.expect(f"POST {path} with changes", answer.status_code == 303, answer.status_code)
        after = self.records.get(one.name, record, tuple(wanted))
        self.expect(f"POST {path} saved", {name: after[name] for name in wanted} == wanted, after)

    def openapi(self, program: TestClient) -> None:
        with self.step("openapi"):
            document = program.get("/api/v1/openapi.json").json()
            self.expect("openapi version", document["openapi"].startswith("3.1"))
            for name, schema in document["components"]["schemas"].items():
                self.expect(
                    f"openapi schema {name}",
                    jsonschema_rs.meta.is_valid({**schema, "$schema": DRAFT}),
                    str(schema)[:200],
                )
            references = set(re.findall(r'"\$ref":\s*"#/([^"]+)"', json.dumps(document)))
            for reference in references:
                with self.step(f"openapi $ref {reference}"):
                    place: Any = document
                    for part in reference.split("/"):
                        place = place[part.replace("~1", "/").replace("~0", "~")]
            ids = [
                one["operationId"]
                for path in document["paths"].values()
                for one in path.values()
                if "operationId" in one
            ]
            self.expect(
                "openapi operationId", len(ids) == len(set(ids)), sorted({x for x in ids if ids.count(x) > 1})[:5]
            )


def same(made: object, sent: object, field: Field) -> bool:
    if field.type in ("datetime", "phone", "time", "url", "longtext", "email", "richtext", "code", "markdown"):
        return bool(made)
    return made == sent or (field.type == "date" and str(made) == sent) or (sent == "" and made is None)

"""Use every object of a running tenant as people and programs do, and list what went wrong.

Nothing here knows a particular package: values come from the field's definition.
"""

import io
import json
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import jsonschema_rs
from starlette.testclient import TestClient

from engine.errors import BadInput, Conflict
from engine.files import catalogue
from engine.service import Query, SortKey
from engine.testing import Running
from metadata.model import Field, Object
from tests.corpus.forms import form_values
from tests.corpus.values import UNSORTED, UPLOADED, mended, same, value_of
from tests.depth import at_depth

__all__ = ["Exercise", "in_order"]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
Json = dict[str, Any]
MOST = 30  # records of one object that lines bring along, too


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


FIELDS = at_depth(5, 40)  # of an object, that are asked for
OBJECTS = at_depth(6, 10_000)  # whose pages are opened


def some(names: list[str], most: int) -> list[str]:
    """At most so many of them, from all over the list."""
    return names[:: max(1, -(-len(names) // most))]


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
        for kind, (name, content) in UPLOADED.items():
            self.ids[kind] = [catalogue.add(site.context("ann"), name, io.BytesIO(content)).id]
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

    def values(self, one: Object, *, may_refer: bool = True) -> Json:
        """Of what a person may write. Without references and lines, if so asked, unless they are required."""
        self.counter += 1
        kinds = self.site.tenant.snapshot().plugins.fields
        found: Json = {}
        for field in one.fields.values():
            if field.source == "lines" and may_refer and field.of in self.objects:
                found[field.name] = [self.line(self.objects[field.of])]
            if field.is_read_only or not field.is_written or kinds[field.type].is_computed:
                continue
            refers = bool(field.target or field.targets)
            if refers and not may_refer and not field.is_required:
                continue
            value = value_of(field, self.counter, self.ids)
            has_master = field.is_master and any(one.fields[name].is_master for name in found)
            if value is not None and not has_master:  # it belongs to one record, of several objects perhaps
                found[field.name] = value
        return found

    def line(self, one: Object) -> Json:
        """Its master is the record that it stands in."""
        return {key: value for key, value in self.values(one).items() if not one.fields[key].is_master}

    def written(self, one: Object, write: Callable[[Json], Json], values: Json) -> Json:
        """The answer to a write; what the object's rules refuse is mended, as a person would."""
        for _ in range(8):
            try:
                return write(values)
            except BadInput as error:
                self.counter += 1
                values = mended(one, values, error, self.counter, lambda field, now: self.chosen(one, field, now))
        return write(values)

    def chosen(self, one: Object, field: Field, values: Json) -> object:
        """A record that the reference's filter lets through; another one is made if there is none."""
        target = field.target or field.targets[0]
        for _ in range(4):
            sent = {key: value for key, value in values.items() if not isinstance(value, list)}
            found = self.records.options(target, "", 20, f"{one.name}.{field.name}", sent)
            if found or target not in self.objects:
                break
            self.create(target)
        return found[self.counter % len(found)][0] if found else None

    def create(self, name: str) -> None:
        one = self.objects[name]
        values = self.values(one)
        if one.kind == "single":  # its record is there already
            made = self.records.list(Query(name, ("id",))).records[0]["id"]
            self.ids[name] = [made]
            self.written(one, lambda values: self.records.update(name, made, values), values)
            return
        needs_system = any(
            field.is_required and field.is_read_only and field.default is None for field in one.fields.values()
        )
        if needs_system:
            values |= {
                f.name: value_of(f, self.counter, self.ids)
                for f in one.fields.values() if f.is_required and f.is_read_only and f.default is None
            }  # fmt: skip
        records = self.site.records() if needs_system else self.records
        sent: Json = {}

        def write(values: Json) -> Json:
            sent.clear()
            sent.update(values)
            return records.create(name, values)

        record = self.written(one, write, values)
        self.ids.setdefault(name, []).append(record["id"])
        for key, value in sent.items():
            if key in record and one.fields[key].is_written and not one.fields[key].fetch:
                is_kept = same(record[key], value, one.fields[key])
                self.expect(f"create {name}.{key}", is_kept, f"{value!r} became {record[key]!r}")

    def use(self, name: str) -> None:
        one, records = self.objects[name], self.records
        ids = self.ids.get(name, [])
        if not ids:
            return
        visible = [field.name for field in one.fields.values() if not field.is_hidden and field.value != "lines"]
        visible = some(visible, FIELDS)  # a plan for each: a wide object would take minutes
        first, last = ids[0], ids[-1]
        got = records.get(name, first)
        self.expect(f"get {name}", got["id"] == first)
        listing = records.list(Query(name, limit=MOST, count="exact"))
        is_whole = one.kind != "child"  # more lines came with the records that they belong to
        listed = {record["id"] for record in listing.records}
        self.expect(f"list {name}", listed == set(ids) or not is_whole, len(listing.records))
        for field in visible:
            with self.step(f"query {name}.{field}"):
                self.query(one, one.fields[field], {r["id"] for r in listing.records if r[field] is not None})
        values = {
            key: value for key, value in self.values(one, may_refer=False).items() if not one.fields[key].is_unique
        }
        changed = self.written(one, lambda values: records.update(name, first, values), values)
        again = records.get(name, first)
        self.expect(f"update {name}", {k: again.get(k) for k in changed} == changed, (changed, again))
        records.history(name, first)
        records.options(name, "1", 5)
        records.titles(name, ids)
        try:
            records.delete(name, last)
        except Conflict as conflict:
            is_expected = conflict.code == ("object.single" if one.kind == "single" else "delete.restricted")
            self.expect(f"delete {name}", is_expected, conflict)
            return
        there = {record["id"] for record in records.list(Query(name, limit=MOST)).records}
        self.expect(f"delete {name}", last not in there, there)
        records.restore(name, last)
        there = {record["id"] for record in records.list(Query(name, limit=MOST)).records}
        self.expect(f"restore {name}", there == set(ids) or not is_whole, there)

    def query(self, one: Object, field: Field, filled: set[str]) -> None:
        """By the field: found, shown and sorted. `this.` stands before names that are words of formulas."""
        sort = () if field.type in UNSORTED else (SortKey(field.name, is_descending=True),)
        paths = (f"{field.name}.id", f"{field.name}.created_at") if field.target else ()
        query = Query(one.name, ("id", field.name, *paths), filter=f"this.{field.name} != None", sort=sort, limit=MOST)
        found = {record["id"] for record in self.records.list(query).records}
        self.expect(f"filter {one.name}.{field.name}", found == filled, (found, filled))
        for choice in field.choices[:60:7] if field.type == "choice" else ():
            quoted = choice.value.replace("\\", "\\\\").replace("'", "\\'")
            self.records.list(Query(one.name, ("id",), filter=f"this.{field.name} == '{quoted}'", limit=1))

    def look(self) -> None:
        with self.site.client("ann", by="session") as browser, self.site.client("ann") as program:
            self.page(browser, "/")
            for name in some(list(self.objects), OBJECTS):
                ids = self.ids.get(name, [])
                if self.objects[name].kind != "single":  # that has one page, its record's
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
            lines = {field.name for field in self.objects[name].fields.values() if field.source == "lines"}
            # A line that was made on its own gets its position with the first save of its record.
            aside = {*lines, "version", "modified_at"} if lines else set()
            changed = {key: (before[key], after[key]) for key in before.keys() - aside if before[key] != after[key]}
            self.expect(f"POST {path} changed", changed == {}, changed)
            self.change(browser, self.objects[name], record)

    def change(self, browser: TestClient, one: Object, record: str) -> None:
        """Each text field but unique ones gets another value by the form."""
        path = f"/o/{one.name}/{record}/edit"
        sent = form_values(browser.get(path).text)
        wanted = {
            f.name: "x" for f in one.fields.values()
            if f.name in sent and f.type == "text" and not (f.is_unique or f.lock_if or f.is_set_once or f.fetch)
        }  # fmt: skip
        answer = browser.post(path, data=sent | wanted)
        if answer.status_code == 422 and one.validations:
            return  # another record changed since, and a rule that reads it refuses any change
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

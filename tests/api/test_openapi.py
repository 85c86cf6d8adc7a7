import time

import jsonschema
import orjson
import pytest

from engine.testing import Running, running
from tests.depth import at_depth


def document(site: Running, username: str) -> dict:
    answer = site.client(username).get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_document_shows_what_this_person_may_do(shop: Running) -> None:
    boss, ray = document(shop, "boss"), document(shop, "ray")
    assert set(boss["paths"]["/records/deal"]) == {"get", "post"}
    assert set(ray["paths"]["/records/deal"]) == {"get"}
    assert set(boss["paths"]["/records/account/by/code/{value}"]) == {"parameters", "put"}
    assert "/records/secret" in boss["paths"]
    assert "secret" not in orjson.dumps(ray).decode()


def test_schemas_say_what_a_value_must_be(shop: Running) -> None:
    schemas = document(shop, "boss")["components"]["schemas"]
    create = schemas["deal.create"]
    assert create["required"] == ["name"]
    assert create["additionalProperties"] is False
    assert create["properties"]["name"]["maxLength"] == 80
    assert "created_at" not in create["properties"]
    assert schemas["deal"]["required"] == ["id", "version"]
    assert schemas["deal"]["properties"]["is_hot"]["type"] == ["boolean", "null"]


def test_labels_are_in_the_language_of_the_person(shop: Running) -> None:
    assert document(shop, "lin")["paths"]["/records/deal"]["get"]["summary"] == "商机"


def test_every_reference_leads_somewhere(shop: Running) -> None:
    made = document(shop, "boss")
    text = orjson.dumps(made).decode()
    for reference in {part.split('"')[0] for part in text.split('"$ref":"')[1:]}:
        place = made
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]


def test_records_fit_their_schema(shop: Running) -> None:
    client, made = shop.client("boss"), document(shop, "boss")
    account = client.post("/api/v1/records/account", json={"name": "Acme", "credit": "99999999999999.99"}).json()
    values = {"name": "Pumps", "account": account["id"], "close_date": "2026-12-31", "is_hot": True}
    values["called_at"] = "2026-11-22T10:15:00+08:00"
    record = client.post("/api/v1/records/deal", json=values).json()
    jsonschema.validate(record, {**made["components"]["schemas"]["deal"], "components": made["components"]})
    assert record["called_at"] == "2026-11-22T02:15:00.000Z"


def test_document_is_made_once_per_version_roles_and_language(small_shop: Running) -> None:
    document(small_shop, "boss")
    kept = small_shop.tenant.snapshot().cache["api.openapi"]
    before = dict(kept)
    document(small_shop, "boss")
    assert list(kept) == [("admin", "en")]
    assert kept["admin", "en"] is before["admin", "en"]


def test_object_tells_its_fields_and_what_may_be_done(shop: Running) -> None:
    answer = shop.client("lin").get("/api/v1/objects/deal").json()
    assert (answer["label"], answer["actions"]) == ("商机", ["create", "read", "update", "delete"])
    stage = next(field for field in answer["fields"] if field["name"] == "stage")
    assert (stage["label"], stage["type"], stage["is_required"], stage["default"]) == ("阶段", "choice", True, "new")
    assert stage["choices"][0] == {"value": "new", "label": "新建", "color": "gray", "is_retired": False}
    account = next(field for field in answer["fields"] if field["name"] == "account")
    assert (account["to"], account["on_delete"]) == ("account", "restrict")


def test_objects_are_those_that_may_be_read(shop: Running) -> None:
    names = [each["name"] for each in shop.client("ray").get("/api/v1/objects").json()["objects"]]
    assert names == ["account", "deal"]
    assert shop.client("ray").get("/api/v1/objects/secret").status_code == 404
    fields = shop.client("ray").get("/api/v1/objects/deal").json()["fields"]
    assert "to" not in next(field for field in fields if field["name"] == "owner")  # of an object that ray cannot read


def test_chinese_names_are_served(sqlite_url: str) -> None:
    text = "package: p\nversion: 1.0.0\nlabel: P\n"
    text += "---\nobject: 合同\nlabel: 合同\nfields:\n  名称: {type: text, label: 名称}\n"
    with running(sqlite_url, [text]) as site:
        site.user("boss", "admin")
        client = site.client("boss")
        made = client.post("/api/v1/records/合同", json={"名称": "框架"})
        assert (made.status_code, made.json()["名称"]) == (201, "框架")
        assert client.get(made.headers["location"]).status_code == 200
        names = document(site, "boss")["components"]["schemas"]
        assert all(name.isascii() for name in names)


@pytest.mark.slow
def test_document_of_many_objects_is_made_in_reasonable_time(sqlite_url: str) -> None:
    count = at_depth(100, 500)
    fields = "".join(f"  f{n}: {{type: text, label: F{n}}}\n" for n in range(30))
    objects = "".join(f"---\nobject: o{n}\nlabel: O{n}\nfields:\n{fields}" for n in range(count))
    with running(sqlite_url, ["package: p\nversion: 1.0.0\nlabel: P\n" + objects]) as site:
        site.user("boss", "admin")
        client = site.client("boss")
        began = time.process_time()  # not the clock: other tests run beside it
        assert len(client.get("/api/v1/openapi.json").json()["paths"]) > 4 * count
        first = time.process_time() - began
        assert first < 5 + count / 50


RIGHTS = """
package: rights
version: 1.0.0
label: Rights
---
object: contact
label: Contact
data_subject: true
fields:
  name: {type: text, label: Name, required: true, privacy: {category: identity}}
  phone: {type: text, label: Phone, mask: phone}
---
role: seller
objects: {contact: [create, read, update, delete]}
---
role: lead
objects: {contact: {can: [read, update, share, unmask], fields: {phone: masked}}}
---
role: people
objects: {user: [create, read, update]}
system: [manage_users]
---
role: watch
system: [view_audit, manage_privacy]
"""
OWN = {"/sessions", "/sessions/{id}", "/tokens", "/tokens/{id}"}


def test_operations_on_rights_are_listed_for_who_may_use_them(sqlite_url: str) -> None:
    with running(sqlite_url, [RIGHTS]) as site:
        listed = {}
        for role in ("seller", "lead", "people", "watch"):
            site.user(role, role)
            made = document(site, role)
            listed[role] = {
                path for path in made["paths"]
                if path.endswith(("shares", "{share}", "unmask")) or path.startswith(("/users", "/audit", "/privacy"))
            }  # fmt: skip
            assert set(made["paths"]) >= OWN
            for path, operations in made["paths"].items():
                for method, operation in operations.items():
                    assert method == "parameters" or {"401", "429"} <= set(operation["responses"]), (path, method)
    contact = "/records/contact/{id}"
    assert listed == {
        "seller": set(),
        "lead": {f"{contact}/shares", f"{contact}/shares/{{share}}", f"{contact}/unmask"},
        "people": {"/users/{id}/handover", "/users/{id}/invite", "/users/{id}/sessions"},
        "watch": {
            "/audit",
            *(f"/privacy/{one}/{{id}}/{what}" for one in ("contact", "user") for what in ("export", "erase")),
        },
    }

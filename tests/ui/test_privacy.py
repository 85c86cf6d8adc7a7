"""The page about the personal data of one person: its export, and its erasure after it was confirmed."""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO

import pytest

from engine.testing import Running, running
from tests.state import state
from tests.ui.rights import page, send

PACKAGE = """
package: firm
version: 1.0.0
languages: [en, zh-CN]
label: Firm
---
object: contact
label: {en: Contact, zh-CN: 联系人}
plural: {en: Contacts, zh-CN: 联系人}
data_subject: true
fields:
  name: {type: text, label: {en: Name, zh-CN: 姓名}, required: true, length: 80, privacy: {category: identity}}
  phone: {type: text, label: {en: Phone, zh-CN: 电话}, length: 40, privacy: {category: contact}}
  level: {type: integer, label: {en: Level, zh-CN: 级别}, required: true, privacy: {category: other}}
  friend: {type: reference, to: contact, label: {en: Friend, zh-CN: 朋友}}
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name}
---
role: officer
label: Officer
system: [manage_privacy]
objects: {contact: [read], deal: [read], user: [read, update]}
---
role: blind
label: Blind
system: [manage_privacy]
---
role: seller
label: Seller
objects: {contact: [create, read, update, delete], deal: [create, read], user: [read]}
"""


@pytest.fixture
def site(screens_url: str) -> Iterator[Running]:
    with running(screens_url, [PACKAGE], ui="ui.pages:mount", fill=people) as found:
        yield found


def people(site: Running) -> None:
    for name, role in (("ona", "officer"), ("bo", "blind"), ("sam", "seller")):
        site.user(name, role, language="en", time_zone="UTC")


def contact(site: Running, name: str = "Ada  Lee", **more: object) -> str:
    return str(site.records("sam").create("contact", {"name": name, "phone": "555 0100", "level": 3, **more})["id"])


def test_who_has_the_right_is_led_there_from_the_record_of_a_person(site: Running) -> None:
    ada, deal = contact(site), site.records("sam").create("deal", {"name": "Pumps"})["id"]
    way = f'href="/o/contact/{ada}/privacy"'
    assert way in page(site, f"/o/contact/{ada}", "ona")
    assert way not in page(site, f"/o/contact/{ada}", "sam")
    assert "/privacy" not in page(site, f"/o/deal/{deal}", "ona")
    assert "/privacy" in page(site, f"/o/user/{site.user('sam')}", "ona")
    for who, path, status in (
        ("sam", f"contact/{ada}", 403), ("bo", f"contact/{ada}", 404), ("ona", f"deal/{deal}", 400),
        ("ona", "contact/019ab000-0000-7000-8000-000000000000", 404),
    ):  # fmt: skip
        assert site.client(who, by="session").get(f"/o/{path}/privacy").status_code == status, (who, path)
    send(site, f"/o/contact/{ada}/privacy/erase", "sam", 403, confirm="Ada Lee")
    send(site, f"/o/contact/{ada}/privacy/export", "sam", 403)
    send(site, f"/o/contact/{ada}/privacy/export", "bo", 404)


def test_the_page_says_what_goes_and_what_stays_and_changes_nothing(site: Running) -> None:
    ada = contact(site)
    contact(site, "Bob", friend=ada)
    client = site.client("ona", by="session")
    before = state(site)
    text = client.get(f"/o/contact/{ada}/privacy").text
    assert state(site) == before
    assert "<dt>Contacts · 1</dt><dd>Name, Phone</dd>" in text
    assert "<dt>Contact · Level</dt>" in text
    assert "It must have a value, and no text can stand in its place." in text
    assert "They refer to this person, and are about others." in text
    assert '<p class="privacy-name">Ada Lee</p>' in text


def test_the_export_is_downloaded_and_kept_by_nobody(site: Running) -> None:
    ada = contact(site)
    client = site.client("ona", by="session")
    answer = client.post(f"/o/contact/{ada}/privacy/export", data={"csrf": client.headers["x-csrf-token"]})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="person.zip"'
    assert answer.headers["cache-control"] == "no-store"
    data = json.loads(zipfile.ZipFile(BytesIO(answer.content)).read("data.json"))
    assert (data["object"], data["id"]) == ("contact", ada)


def test_it_is_erased_by_who_typed_the_name(site: Running) -> None:
    ada = contact(site)
    wrong = send(site, f"/o/contact/{ada}/privacy/erase", "ona", 422, confirm="Ada")
    assert "Type the name as it stands above." in wrong
    assert 'value="Ada"' in wrong
    assert site.records("sam").get("contact", ada)["phone"] == "555 0100"
    client = site.client("ona", by="session")
    sent = {"confirm": " Ada Lee ", "csrf": client.headers["x-csrf-token"]}
    answer = client.post(f"/o/contact/{ada}/privacy/erase", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/o/contact/{ada}")
    assert "The personal data was erased, in 1 records." in client.get(f"/o/contact/{ada}").text
    left = site.records("sam").get("contact", ada)
    assert (left["name"], left["phone"], left["level"]) == ("[erased]", None, 3)


def test_nobody_who_signs_in_is_erased(site: Running) -> None:
    sam = site.user("sam")
    text = page(site, f"/o/user/{sam}/privacy", "ona")
    assert "This person is active, and signs in. Deactivate them first." in text
    assert "privacy/erase" not in text
    name = site.records().get("user", sam)["name"]
    assert "this user is active" in send(site, f"/o/user/{sam}/privacy/erase", "ona", 409, confirm=name)
    assert site.records().get("user", sam)["name"] == name

"""Secrets in forms, lists and pages: typed once, shown as a mask, kept where the input is left empty."""

from collections.abc import Iterator

import pytest

from engine.sealed import Sealed
from engine.secrets import decrypt
from engine.testing import Running, running

PACKAGE = """\
package: vaults
version: 1.0.0
label: {en: Vaults, zh-CN: 保险箱}
languages: [en, zh-CN]
---
object: account
label: {en: Account, zh-CN: 账户}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  token: {type: secret, label: {en: Token, zh-CN: 令牌}, mask: last4}
---
role: clerk
label: Clerk
objects: {account: [create, read, update, delete], user: [read]}
"""
PLAIN = "a-very-secret-token-7788"


@pytest.fixture(scope="module")
def vault() -> Iterator[Running]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site:
        site.user("ann", "clerk", name="Ann Lee", language="en")
        site.user("ming", "clerk", name="王小明", language="zh-CN")
        yield site


def send(site: Running, path: str, **form: str) -> tuple[int, str]:
    client = site.client("ann", by="session")
    answer = client.post(path, data={**form, "_csrf": client.headers["x-csrf-token"]})
    return answer.status_code, answer.text


def kept(site: Running, record: str) -> str | None:
    stored = site.records("ann").get_row("account", record, ("token",))["token"]
    return decrypt(site.context(), "account", "token", stored) if isinstance(stored, Sealed) else None


def test_a_form_shows_the_mask_and_keeps_what_is_left_empty(vault: Running) -> None:
    record = vault.records("ann").create("account", {"name": "Acme", "token": PLAIN})["id"]
    page = vault.client("ann", by="session").get(f"/o/account/{record}/edit").text
    assert 'type="password" id="f-token" name="token" value="" placeholder="••••••7788"' in page
    assert "Leave empty to keep ••••••7788" in page
    assert send(vault, f"/o/account/{record}/edit", name="Acme Ltd", token="")[0] == 303
    assert kept(vault, record) == PLAIN
    assert send(vault, f"/o/account/{record}/edit", name="Acme Ltd", token="  other-token-1234 ")[0] == 303
    assert kept(vault, record) == "other-token-1234"
    assert send(vault, f"/o/account/{record}/edit", name="Acme Ltd", token="", **{"token._clear": "1"})[0] == 303
    assert kept(vault, record) is None


def test_a_form_that_comes_back_does_not_hold_what_was_typed(vault: Running) -> None:
    status, page = send(vault, "/o/account/new", name="", token=PLAIN)
    assert status == 422
    assert PLAIN not in page
    assert "Not kept by this form: type it again." in page


def test_lists_pages_and_histories_show_no_more(vault: Running) -> None:
    record = vault.records("ann").create("account", {"name": "Globex", "token": PLAIN})["id"]
    vault.records("ann").update("account", record, {"token": PLAIN + "9"})
    client = vault.client("ming", by="session")
    listed, page = client.get("/o/account").text, client.get(f"/o/account/{record}").text
    assert "••••••7889" in listed
    assert "修改了令牌" in page
    for text in (listed, page, client.get(f"/o/account/new?_like={record}").text):
        assert PLAIN not in text
        assert "s1." not in text


def test_no_filter_and_no_order_is_offered(vault: Running) -> None:
    client = vault.client("ann", by="session")
    page = client.get("/o/account").text
    assert '<option value="name">' in page
    assert '<option value="token">' not in page
    assert "sort=token" not in page
    assert client.get("/o/account?where=token~is~x").status_code == 200
    assert client.get("/o/account?where=token~filled~").status_code == 200
    assert f'value="{PLAIN}"' not in client.get(f"/o/account/new?token={PLAIN}").text

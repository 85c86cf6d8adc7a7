"""Calls from outside that are signed."""

import base64
import hmac
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from engine import secrets
from engine.cli import main
from engine.errors import Unauthenticated
from engine.keyring import Keyring
from engine.process.automation import hooks
from engine.process.automation.signatures import delivery_of
from engine.service import Query
from engine.store import system_runs
from engine.testing import Running
from metadata.processes import Signature
from tests.state import state

Made = Callable[..., Running]
NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def fits(signature: Signature, secret: str, body: bytes, at: int = 0, **headers: str) -> bool:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        return bool(delivery_of(signature, [secret], sent, body, datetime.fromtimestamp(at, UTC)))
    except Unauthenticated:
        return False


def test_signatures_as_their_makers_document_them() -> None:
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    github, secret = Signature("X-Hub-Signature-256"), "It's a Secret to Everybody"
    signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert fits(github, secret, b"Hello, World!", x_hub_signature_256=signed)
    assert not fits(github, secret, b"Hello, World?", x_hub_signature_256=signed)
    assert not fits(github, secret, b"Hello, World!")
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    standard = Signature("webhook-signature", timestamp="webhook-timestamp", id="webhook-id")
    secret, body = "whsec_plJ3nmyCDGBKInavdOK15jsl", b'{"event_type":"ping","data":{"success":true}}'
    headers = {"webhook_signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
               "webhook_timestamp": "1731705121", "webhook_id": "msg_loFOjxBNrRLzqYUf"}  # fmt: skip
    assert fits(standard, secret, body, 1731705121 + 299, **headers)
    assert not fits(standard, secret, body, 1731705121 + 301, **headers)
    assert not fits(standard, secret, body, 1731705121 - 301, **headers)
    for name, other in (("webhook_id", "msg_2"), ("webhook_timestamp", "1731705122"), ("webhook_timestamp", "now")):
        assert not fits(standard, secret, body, 1731705121, **{**headers, name: other})
    # https://docs.stripe.com/webhooks#verify-manually
    stripe, secret = Signature("Stripe-Signature", timestamp="Stripe-Signature"), "whsec_test_secret_of_stripe"
    made = hmac.digest(secret.encode(), b"1492774577.{}", "sha256").hex()
    assert fits(stripe, secret, b"{}", 1492774577, stripe_signature=f"t=1492774577,v1={'0' * 64},v1={made},v0=1")
    assert not fits(stripe, secret, b"{}", 1492774577, stripe_signature=f"t=1492774578,v1={made}")
    assert not fits(stripe, secret, b"{}", 1492774577, stripe_signature=f"v1={made}")


SIGNED = """
automation: lead_in
run_as: sam
webhook: {signature: {header: X-Signature, timestamp: X-Timestamp, tolerance: 10 minutes}}
do: [{create: {object: lead, values: {name: "{body.name}"}}}]
---
automation: open_in
webhook: true
do: [{create: {object: lead, values: {name: open}}}]
"""
KEYED = """
---
automation: keyed
webhook: {key: body.name}
do: [{create: {object: lead, values: {name: "{body.name}"}}}]
"""
PLACE = "/api/v1/hooks/lead_in/signed"
SECRET = "a secret of the sender"


def headers(body: bytes, secret: str = SECRET, stamp: str = STAMP) -> dict[str, str]:
    made = base64.b64encode(hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256")).decode()
    return {"x-signature": made, "x-timestamp": stamp, "content-type": "application/json"}


def test_a_signed_call_acts_as_whom_the_definition_names_and_counts_once(firm: Made) -> None:
    site = firm(SIGNED)
    client, boss, body = site.client(), site.client("boss"), b'{"name": "Ada"}'
    before = state(site)
    for sent in (headers(body), headers(body, ""), {"content-type": "application/json"}):
        assert client.post(PLACE, content=body, headers=sent).status_code == 401  # no secret is set yet
    assert state(site) == before
    secret = "/api/v1/automations/lead_in/secret"
    assert site.client("lin").post(secret, json={"secret": SECRET}).status_code == 403
    assert boss.post(secret, json={"secret": "short"}).json()["code"] == "automation.secret"
    assert boss.post("/api/v1/automations/open_in/secret", json={}).status_code == 404
    assert boss.post(secret, json={"secret": SECRET}).json() == {"secret": None}
    before = state(site)
    for sent in (headers(body, "another secret of it"), headers(b"{}"), headers(body, stamp=str(int(STAMP) - 601))):
        answer = client.post(PLACE, content=body, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (401, "automation.signature")
    assert client.post("/api/v1/hooks/open_in/signed", content=body, headers=headers(body)).status_code == 401
    unsigned = boss.post("/api/v1/hooks/lead_in", json={"name": "Ada"})
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "automation.signed")
    assert client.post(PLACE, content=b"{", headers=headers(b"{")).status_code == 400
    assert client.post(PLACE, content=b"1" * (hooks.BODY_BYTES + 1), headers=headers(b"")).status_code == 422
    assert state(site) == before
    early = headers(body, stamp=str(int(STAMP) - 599))
    first = client.post(PLACE, content=body, headers=early)
    again = client.post(PLACE, content=body, headers=early)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"run": first.json()["run"], "is_new": False}
    site.work()
    leads = site.records().list(Query("lead", ("name", "created_by"))).records
    assert [(one["name"], one["created_by"]) for one in leads] == [("Ada", site.user("sam"))]


def test_the_secret_before_may_be_used_for_as_long_as_it_is_said(firm: Made) -> None:
    site = firm(SIGNED)
    client, boss, path = site.client(), site.client("boss"), "/api/v1/automations/lead_in/secret"
    other = "another secret of it"

    def answers(name: str) -> list[int]:
        body = json.dumps({"name": name}).encode()
        stamp = str(int(site.now.timestamp()))
        return [client.post(PLACE, content=body, headers=headers(body, one, stamp)).status_code
                for one in (SECRET, other)]  # fmt: skip

    assert boss.post(path, json={"secret": SECRET, "former_hours": 1}).status_code == 200
    assert answers("a") == [202, 401]
    for hours in (-1, 169):
        bad = boss.post(path, json={"secret": other, "former_hours": hours})
        assert (bad.status_code, bad.json()["problems"][0]["path"]) == (422, "former_hours")
    assert boss.post(path, json={"secret": other, "former_hours": 1}).status_code == 200
    site.fixed_now = NOW + timedelta(minutes=59)
    assert answers("b") == [202, 202]
    site.fixed_now = NOW + timedelta(hours=1)
    assert answers("c") == [401, 202]
    assert boss.post(path, json={"secret": SECRET}).status_code == 200
    assert answers("d") == [202, 401]  # unless it is said, at once


@pytest.mark.parametrize("number", ["1.2345678901234567890123", "123456789012345678901234567890"])
def test_a_number_of_many_digits_keeps_them_all(firm: Made, number: str) -> None:
    site = firm(SIGNED + KEYED)
    client, boss, body = site.client(), site.client("boss"), f'{{"name": {number}}}'.encode()
    assert boss.post("/api/v1/automations/lead_in/secret", json={"secret": SECRET}).status_code == 200
    assert client.post(PLACE, content=body, headers=headers(body)).status_code == 202
    calls = [boss.post("/api/v1/hooks/keyed", content=body, headers={"content-type": "application/json"})
             for _ in range(2)]  # fmt: skip
    assert [(one.status_code, one.json()["is_new"]) for one in calls] == [(202, True), (200, False)]
    site.work()
    assert [one["name"] for one in site.records().list(Query("lead", ("name",))).records] == [number, number]


def test_secrets_are_kept_encrypted_and_go_over_to_a_new_key(
    firm: Made, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = firm(SIGNED)
    command = ["automation", "secret", "lead_in", "--database", site.config.database_url, "--data", str(site.folder)]
    for typed, code in (("", 1), ("short\n", 1), (f"{SECRET}\n", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert main(command) == code
    assert site.client().post(PLACE, content=b"{}", headers=headers(b"{}")).status_code == 202
    capsys.readouterr()
    assert main([*command, "--make", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)["secret"]
    old, new = b"o" * 32, b"n" * 32

    def stored() -> str:
        with site.tenant.database.read() as connection:
            return str(connection.sa.execute(sa.select(system_runs.hook.c.secret)).scalar_one())

    assert made.startswith("whsec_")
    assert made.removeprefix("whsec_") not in stored()
    monkeypatch.setitem(vars(site.tenant), "secrets", Keyring([old]))
    for secret in ("the one before it", SECRET):
        sent = {"secret": secret, "former_hours": 1}
        site.client("boss").post("/api/v1/automations/lead_in/secret", json=sent)
    monkeypatch.setitem(vars(site.tenant), "secrets", Keyring([new, old]))
    assert secrets.rotate(site.tenant) == 2
    monkeypatch.setitem(vars(site.tenant), "secrets", Keyring([new]))
    body = b'{"name": "Ada"}'
    assert site.client().post(PLACE, content=body, headers=headers(body)).status_code == 202

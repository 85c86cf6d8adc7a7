"""docs/api.md: its examples run, and give what they show."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from engine.api.errors import STATUSES
from engine.testing import Running, running

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/api.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```sh\n(curl .*?)```\n(?:```json (\d+)\n(.*?)```\n)?", re.DOTALL)


@pytest.fixture
def crm(database_url: str) -> Iterator[Running]:
    with running(database_url, [ROOT / "examples/crm"]) as site:
        site.user("ada", "admin")
        yield site


def test_examples_give_what_they_show(crm: Running) -> None:
    client, token, record_id, other_id, file_id = crm.client(), crm.token("ada"), "", "", ""
    blocks = BLOCK.findall(TEXT)
    assert len(blocks) == 21
    for command, status, shown in blocks:
        filled = command.replace("$URL", "/api/v1").replace("$TOKEN", token).replace("$ID", record_id)
        filled = filled.replace("$OTHER", other_id).replace("$FILE", file_id)
        method, address, headers, body = request_of(shlex.split(filled.replace("\\\n", " ")))
        answer = client.request(method, address, headers=headers, content=body)
        assert answer.status_code == int(status or 200), (command, answer.text)
        if shown.strip():
            assert_shown(json.loads(shown), answer.json(), command)
        if "--data-binary" in command:
            file_id = answer.json()["id"]
        elif answer.status_code == 201:
            other_id = answer.json()["id"]
            record_id = record_id or other_id


def request_of(words: list[str]) -> tuple[str, str, dict[str, str], bytes]:
    method, address, headers, body, query = "GET", "", {}, b"", []
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-s" | "-G" | "-OJ":
                pass
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest).encode()
            case "--data-binary":
                assert next(rest).startswith("@")
                body = b"%PDF-1.7 manual"
            case "--data-urlencode":
                name, _, value = next(rest).partition("=")
                query.append((name, value))
            case _:
                address = word
    return method, address + (f"?{urlencode(query)}" if query else ""), headers, body


def assert_shown(shown: object, real: object, command: str) -> None:
    """What is shown is there; "…" stands for anything, and an object may hold more."""
    match shown:
        case dict():
            for key, value in shown.items():
                assert key in real, (command, key, real)
                assert_shown(value, real[key], command)
        case list():
            assert len(shown) == len(real), (command, real)
            for one, other in zip(shown, real, strict=True):
                assert_shown(one, other, command)
        case "…":
            assert real
        case _:
            assert shown == real, command


def test_every_status_is_told() -> None:
    rows = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("|")]
    told = {int(number) for row in rows for number in re.findall(r"\b[45]\d\d\b", row)}
    assert set(STATUSES.values()) | {400, 405, 413, 415} <= told

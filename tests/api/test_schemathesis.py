"""Schemathesis against the generated OpenAPI: answers are as declared, and no refusal changes anything."""

from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.testing import Running
from tests.depth import at_depth
from tests.state import state

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = at_depth(1, 40)  # per operation, kind of data and role

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("username", ["boss", "lin", "nobody"])
def test_answers_are_as_declared(small_shop: Running, username: str) -> None:
    small_shop.config = replace(
        small_shop.config, hosts=("*",), requests_per_minute=0
    )  # Schemathesis calls by a name of its own
    small_shop.user("nobody")
    client = small_shop.client(username)
    ids = records_of(small_shop, username)
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", app=small_shop.app, headers={"authorization": client.headers["authorization"]}
    )
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > (5 if username == "nobody" else 10)
    for operation in operations[:: at_depth(2, 1)]:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            # Ids that nothing has would only ever be not found.
            known = [{"id": ids[name]} for name in ids if f"/{name}/{{id}}" in operation.path] or [None]
            for parameters in known:
                drive(small_shop, operation, mode, parameters, client.headers["authorization"])


def drive(site: Running, operation, mode: GenerationMode, parameters: dict | None, authorization: str) -> None:
    @given(case=operation.as_strategy(mode, path_parameters=parameters))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def run(case: schemathesis.Case) -> None:
        before = state(site)
        response = case.call(headers={"authorization": authorization})
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            assert state(site) == before, f"{operation.label} was refused and changed something"

    run()


def records_of(site: Running, username: str) -> dict[str, str]:
    """A record of each object, that the person may see."""
    boss, mine = site.client("boss"), site.user(username)
    account = boss.post("/api/v1/records/account", json={"name": "Acme", "code": "A1"}).json()["id"]
    deal = boss.post("/api/v1/records/deal", json={"name": "Pumps", "account": account, "owner": mine}).json()["id"]
    return {"account": account, "deal": deal}

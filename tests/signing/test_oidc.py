"""Signing in at a provider: panva's oidc-provider, started here. `make test-deps` installs it."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import orjson
import pytest
from starlette.testclient import TestClient

from engine.people import users
from engine.testing import Running, running
from tests.api.shop import SHOP
from tests.conftest import absent
from tests.signing.conftest import BASE

FOLDER = Path(__file__).parents[1] / "oidc"
BACK = f"{BASE}/login/with/corp/back"


@pytest.fixture(autouse=True, scope="module")
def provider_is_there() -> None:
    if shutil.which("node") is None or not (FOLDER / "node_modules").exists():
        absent("Node with tests/oidc/node_modules", "make test-deps")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def provider_on(port: int) -> Iterator[None]:
    """Each start makes new keys."""
    process = subprocess.Popen(
        [str(shutil.which("node")), "provider.mjs", str(port), BACK], cwd=FOLDER, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert any("ready" in line for line in process.stdout)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    found = free_port()
    with provider_on(found):
        yield found


@contextmanager
def office_at(port: int, url: str = "", **more: object) -> Iterator[Running]:
    one = {
        "issuer": f"http://127.0.0.1:{port}", "client_id": "fieldstone", "label": "Corp",
        "client_secret": "a secret that / both know", **more,
    }  # fmt: skip
    settings = {"oidc": orjson.dumps({"corp": one}).decode(), "outbound_allowed": ("127.0.0.1",)}
    with running(url, [SHOP], ui="ui.pages:mount", base_url=BASE, **settings) as site:
        site.user("kim", "seller", name="Kim Lee", email="kim@example.com")
        yield site


def browser(site: Running) -> TestClient:
    return TestClient(site.app, base_url=BASE, follow_redirects=False)


def at_provider(address: str, login: str) -> str:
    """What a person does there; the path and query that lead back here."""
    with httpx2.Client(follow_redirects=False, timeout=10) as client:
        answer = client.get(address)
        for _ in range(12):
            place = answer.headers.get("location")
            if place is None:
                form = "consent" if 'value="consent"' in answer.text else "login"
                answer = client.post(answer.url, data={"prompt": form, "login": login, "password": "any"})
                continue
            address = str(answer.url.join(place))
            if address.startswith(BASE):
                return address.removeprefix(BASE)
            answer = client.get(address)
    raise AssertionError("the provider leads nowhere")


def sign_in(client: TestClient, login: str) -> str:
    begun = client.get("/login/with/corp?next=/o/deal")
    back = at_provider(begun.headers["location"], login)
    return client.get(back).headers["location"]


def is_in(client: TestClient) -> bool:
    return client.get("/o/deal").status_code == 200


def test_a_person_with_a_verified_mail_comes_in_and_is_known_by_sub_from_then_on(port: int, database_url: str) -> None:
    with office_at(port, database_url) as site:
        client = browser(site)
        assert "Sign in with Corp" in client.get("/login").text
        assert (sign_in(client, "kim"), is_in(client)) == ("/o/deal", True)
        kim = users.find_user(site.tenant, "kim").id
        site.records().update("user", kim, {"email": "other@example.com"})
        again = browser(site)
        assert (sign_in(again, "kim"), is_in(again)) == ("/o/deal", True)
        with site.tenant.database.read() as connection:
            assert connection.rows('SELECT provider, subject, "user" FROM fs_identity') == [("corp", "kim", kim)]


@pytest.mark.parametrize("login", ["kim!unverified", "nobody"])
def test_who_is_not_known_here_by_a_verified_mail_is_refused(port: int, login: str) -> None:
    with office_at(port) as site:
        client = browser(site)
        assert (sign_in(client, login), is_in(client)) == ("/login?why=provider", False)


def test_a_provider_may_be_set_to_make_people(port: int) -> None:
    with office_at(port, create=True, roles=["seller"]) as site:
        client = browser(site)
        assert (sign_in(client, "nora"), is_in(client)) == ("/o/deal", True)
        made = users.find_user(site.tenant, "nora@example.com")
        assert (made.name, made.roles) == ("nora of the provider", ("seller",))
        assert sign_in(browser(site), "mia!unverified") == "/login?why=provider"


def test_a_user_name_that_looks_like_the_mail_proves_nothing(port: int) -> None:
    with office_at(port) as site:
        site.user("nora@example.com", "admin")
        assert sign_in(browser(site), "nora") == "/login?why=provider"


def test_a_deactivated_user_is_refused(port: int) -> None:
    with office_at(port) as site:
        sign_in(browser(site), "kim")
        users.set_active(site.tenant, "kim", False, site.now)
        assert sign_in(browser(site), "kim") == "/login?why=provider"


def test_an_answer_is_good_once_and_in_the_browser_that_began(port: int) -> None:
    with office_at(port) as site:
        begun, other = browser(site), browser(site)
        back = at_provider(begun.get("/login/with/corp").headers["location"], "kim")
        other.get("/login/with/corp")
        assert other.get(back).headers["location"] == "/login?why=provider"
        assert browser(site).get(back).headers["location"] == "/login?why=provider"
        jar = begun.cookies.get("fieldstone_provider", domain="crm.example.com", path="/login/with")
        assert begun.get(back).headers["location"] == "/"
        begun.cookies.set("fieldstone_provider", str(jar), domain="crm.example.com", path="/login/with")
        assert begun.get(back).headers["location"] == "/login?why=provider"


def test_an_answer_with_another_state_code_or_issuer_is_refused(port: int) -> None:
    for change in (
        {"state": "made-up"},
        {"code": "made-up"},
        {"iss": "https://evil.example"},
        {"error": "x", "code": ""},
    ):
        with office_at(port) as site:
            client = browser(site)
            back = at_provider(client.get("/login/with/corp").headers["location"], "kim")
            pairs = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()} | change
            answer = client.get(f"/login/with/corp/back?{urlencode(pairs)}")
            assert (answer.headers["location"], is_in(client)) == ("/login?why=provider", False), change


@pytest.mark.parametrize("change", ["nonce = 'other'", "verifier = 'other'", "expires_at = '2020-01-01 00:00:00.000'"])
def test_another_nonce_or_verifier_or_a_late_answer_is_refused(port: int, change: str) -> None:
    with office_at(port) as site:
        client = browser(site)
        back = at_provider(client.get("/login/with/corp").headers["location"], "kim")
        with site.tenant.database.write() as connection:
            connection.run(f"UPDATE fs_oidc_flow SET {change}")
        assert (client.get(back).headers["location"], is_in(client)) == ("/login?why=provider", False)


@pytest.mark.parametrize(
    ("name", "value"), [("client_id", "other"), ("client_secret", "wrong"), ("issuer", "http://localhost:{port}")]
)
def test_settings_that_do_not_fit_let_nobody_in(port: int, name: str, value: str) -> None:
    with office_at(port, **{name: value.format(port=port)}) as site:
        client = browser(site)
        begun = client.get("/login/with/corp").headers["location"]
        if name == "client_secret":
            begun = client.get(at_provider(begun, "kim")).headers["location"]
        assert begun == "/login?why=provider" or name == "client_id"
        assert not is_in(client)


def test_new_keys_of_the_provider_are_fetched_when_they_are_needed() -> None:
    port = free_port()
    with office_at(port) as site:
        with provider_on(port):
            assert sign_in(browser(site), "kim") == "/o/deal"
        with provider_on(port):
            assert sign_in(browser(site), "kim") == "/o/deal"


def test_a_provider_that_is_down_or_inside_is_told_to_the_person(port: int) -> None:
    with office_at(free_port()) as site:
        assert browser(site).get("/login/with/corp").headers["location"] == "/login?why=provider"
    with office_at(port) as site:
        site.site.outbound.allowed = ()
        assert browser(site).get("/login/with/corp").headers["location"] == "/login?why=provider"
        assert browser(site).get("/login/with/nothing").headers["location"] == "/login?why=provider"

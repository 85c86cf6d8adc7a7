"""Signing in in two steps, the password policy, and waits that double."""

import re
from datetime import timedelta

import pyotp
import pytest
from starlette.testclient import TestClient

from engine.errors import BadInput, Unauthenticated
from engine.people import attempts, sessions, totp, users
from engine.people.attempts import CODES, PASSWORDS, TooManyAttempts
from engine.people.passwords import Policy, check_policy
from engine.people.sessions import SecondStep
from engine.testing import Running
from tests.signing.conftest import BASE, GOOD

STEP = timedelta(seconds=30)


def browser(site: Running) -> TestClient:
    return TestClient(site.app, base_url=BASE, follow_redirects=False)


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found.group(1)


def sign_in(site: Running, client: TestClient, password: str = GOOD, name: str = "kim") -> str:
    """Where it leads."""
    csrf = csrf_of(client.get("/login").text)
    answer = client.post("/login", data={"csrf": csrf, "username": name, "password": password, "next": "/o/deal"})
    return str(answer.headers.get("location", answer.status_code))


def show(client: TestClient, code: str) -> str:
    csrf = csrf_of(client.get("/login/code").text)
    answer = client.post("/login/code", data={"csrf": csrf, "code": code, "next": "/o/deal"})
    return str(answer.headers.get("location", answer.status_code))


def signed_in(site: Running, name: str = "kim") -> TestClient:
    client, session = browser(site), site.session(name)
    client.cookies.set(sessions.COOKIE, session.secret)
    client.headers["x-csrf-token"] = session.csrf
    return client


def set_up(site: Running) -> tuple[pyotp.TOTP, list[str]]:
    """On `/me`, as a person does. The app, and the recovery codes."""
    client = signed_in(site)
    assert client.post("/me/codes/begin", data={"old": GOOD}).status_code == 303
    page = client.get("/me").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    assert 'src="data:image/svg+xml' in page
    app = pyotp.TOTP(secret.group(1).replace(" ", ""))
    done = client.post("/me/codes/confirm", data={"code": app.at(site.now)})
    codes = re.findall(r"<li><code>([a-z0-9-]{19})</code>", done.text)
    assert (done.status_code, len(codes)) == (200, 10)
    assert codes[0] not in client.get("/me").text
    return app, codes


def test_with_codes_a_password_opens_no_session(office: Running) -> None:
    app, _ = set_up(office)
    office.fixed_now = office.now + STEP
    client = browser(office)
    assert sign_in(office, client) == "/login/code?next=%2Fo%2Fdeal&language="
    assert client.cookies.get(sessions.COOKIE) is None
    assert client.get("/o/deal").headers["location"].startswith("/login")
    assert show(client, app.at(office.now)) == "/o/deal"
    assert client.get("/o/deal").status_code == 200
    assert client.cookies.get("fieldstone_halfway") is None


def test_a_code_is_taken_once_and_none_before_it_either(office: Running) -> None:
    app, _ = set_up(office)
    began = office.now
    office.fixed_now = began + 2 * STEP
    late = app.at(began + STEP)
    first, second = browser(office), browser(office)
    assert (sign_in(office, first), sign_in(office, second)) == ("/login/code?next=%2Fo%2Fdeal&language=",) * 2
    code = app.at(office.now)
    assert show(first, code) == "/o/deal"
    assert show(second, code) == "401"
    assert show(second, late) == "401"  # it was not used, but is older than one that was
    office.fixed_now = began + 3 * STEP
    assert show(second, app.at(office.now)) == "/o/deal"


def test_the_code_that_switched_it_on_signs_nobody_in(office: Running) -> None:
    app, _ = set_up(office)
    client = browser(office)
    sign_in(office, client)
    assert show(client, app.at(office.now)) == "401"


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_code_of_another_time_is_refused(office: Running, steps: int) -> None:
    app, _ = set_up(office)
    office.fixed_now = office.now + 10 * STEP
    client = browser(office)
    sign_in(office, client)
    assert show(client, app.at(office.now + steps * STEP)) == "401"


def test_a_recovery_code_works_once_however_it_is_typed(office: Running) -> None:
    _, codes = set_up(office)
    client = browser(office)
    sign_in(office, client)
    assert show(client, f" {codes[3].upper().replace('-', ' ')} ") == "/o/deal"
    kim = users.find_user(office.tenant, "kim").id
    assert totp.recovery_codes_left(office.tenant, kim) == 9
    again = browser(office)
    sign_in(office, again)
    assert show(again, codes[3]) == "401"


def test_after_five_wrong_codes_the_password_is_asked_for_again(office: Running) -> None:
    app, codes = set_up(office)
    office.fixed_now = office.now + 2 * STEP
    client = browser(office)
    sign_in(office, client)
    assert [show(client, "000000") for _ in range(5)] == ["401"] * 4 + ["/login?why=over"]
    assert client.get("/login/code").headers["location"] == "/login?why=over"
    again = browser(office)
    sign_in(office, again)
    assert show(again, app.at(office.now)) == "429"  # the codes of the account are locked too
    office.fixed_now = office.now + timedelta(minutes=20)
    late = browser(office)
    sign_in(office, late)
    assert show(late, codes[0]) == "/o/deal"


def test_the_way_from_password_to_code_takes_ten_minutes_at_most(office: Running) -> None:
    app, _ = set_up(office)
    client = browser(office)
    sign_in(office, client)
    office.fixed_now = office.now + timedelta(minutes=10)
    assert client.get("/login/code").headers["location"] == "/login?why=over"
    answer = client.post("/login/code", data={"csrf": client.cookies["fieldstone_door"], "code": app.at(office.now)})
    assert answer.headers["location"] == "/login?why=over"


def test_what_stands_for_the_first_step_is_no_session_and_no_token(office: Running) -> None:
    set_up(office)
    with pytest.raises(SecondStep) as step:
        sessions.sign_in(office.tenant, "kim", GOOD, now=office.now)
    for headers in (
        {"cookie": f"{sessions.COOKIE}={step.value.secret}"}, {"authorization": f"Bearer {step.value.secret}"},
    ):  # fmt: skip
        with pytest.raises(Unauthenticated):
            office.site.identify(headers)


def test_the_secret_is_stored_encrypted_and_codes_as_hashes(office: Running) -> None:
    app, codes = set_up(office)
    with office.tenant.database.read() as connection:
        kept = repr(connection.rows("SELECT * FROM fs_totp")) + repr(connection.rows("SELECT * FROM fs_recovery_code"))
    assert app.secret not in kept
    assert all(code not in kept and code.replace("-", "") not in kept for code in codes)


def test_switching_off_and_new_recovery_codes_need_the_password(office: Running) -> None:
    set_up(office)
    client, kim = signed_in(office), users.find_user(office.tenant, "kim").id
    for path in ("/me/codes/off", "/me/codes/renew"):
        assert client.post(path, data={"old": "wrong"}).status_code == 422
    assert totp.is_on(office.tenant, kim)
    assert client.post("/me/codes/renew", data={"old": GOOD}).status_code == 200
    assert client.post("/me/codes/off", data={"old": GOOD}).status_code == 303
    assert not totp.is_on(office.tenant, kim)
    assert sign_in(office, browser(office)) == "/o/deal"


def test_an_administrator_lets_in_who_has_lost_the_app_and_nobody_else_does(office: Running) -> None:
    set_up(office)
    kim = users.find_user(office.tenant, "kim").id
    assert signed_in(office, "ray").post(f"/o/user/{kim}/codes-off").status_code in (403, 404)
    assert totp.is_on(office.tenant, kim)
    assert signed_in(office, "boss").post(f"/o/user/{kim}/codes-off").status_code == 303
    assert not totp.is_on(office.tenant, kim)


def test_a_role_may_demand_codes_and_they_are_set_up_while_signing_in(office: Running) -> None:
    object.__setattr__(office.site.config, "totp_roles", ("seller",))
    client = browser(office)
    assert sign_in(office, client).startswith("/login/code")
    page = client.get("/login/code").text
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)
    assert secret
    app = pyotp.TOTP(secret.group(1).replace(" ", ""))
    assert show(client, "000000") == "422"
    data = {"csrf": csrf_of(page), "code": app.at(office.now), "next": "/o/deal"}
    done = client.post("/login/code", data=data)
    assert len(re.findall(r"<li><code>([a-z0-9-]{19})</code>", done.text)) == 10
    assert client.get("/o/deal").status_code == 200
    assert sign_in(office, browser(office), name="boss") == "/o/deal"


def test_ones_own_password_is_changed_with_the_old_one_and_other_sessions_end(office: Running) -> None:
    client, other = signed_in(office), signed_in(office)
    new = "another fine password"
    for sent in (
        {"old": "wrong", "password": new, "again": new},
        {"old": GOOD, "password": new, "again": "not the same"},
        {"old": GOOD, "password": "kimlee2026!", "again": "kimlee2026!"},
        {"old": GOOD, "password": GOOD, "again": GOOD},
    ):
        assert client.post("/me/password", data=sent).status_code == 422
    assert other.get("/me").status_code == 200
    assert client.post("/me/password", data={"old": GOOD, "password": new, "again": new}).status_code == 303
    assert client.get("/me").status_code == 200
    assert other.get("/me").status_code == 303
    assert sign_in(office, browser(office)) == "401"
    assert sign_in(office, browser(office), new) == "/o/deal"


def test_the_last_three_passwords_are_not_taken_again(office: Running) -> None:
    ones = [f"a long password {name}" for name in ("one", "two", "three", "four")]
    for password in ones:
        users.set_password(office.tenant, "kim", password, office.now)
    for password in ones[1:]:
        with pytest.raises(BadInput, match="used before"):
            users.set_password(office.tenant, "kim", password, office.now)
    users.set_password(office.tenant, "kim", ones[0], office.now)


def test_a_password_that_is_too_old_must_be_changed_before_one_comes_in(office: Running) -> None:
    object.__setattr__(office.site.config, "password_days", 90)
    office.fixed_now = office.now + timedelta(days=89)
    assert sign_in(office, browser(office)) == "/o/deal"
    office.fixed_now = office.now + timedelta(days=1)
    client = browser(office)
    link = sign_in(office, client)
    assert link.startswith("/login/password?link=")
    assert client.cookies.get(sessions.COOKIE) is None
    new = "another fine password"
    data = {"csrf": csrf_of(client.get(link).text), "link": link.partition("=")[2], "password": new, "again": new}
    assert client.post("/login/password", data=data).headers["location"] == "/login?why=changed"
    assert sign_in(office, browser(office), new) == "/o/deal"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("tooshort1", "password.short"), ("x" * 257, "password.long"), ("aaaaaabbbbbb", "password.weak"),
        ("ada.lovelace", "password.weak"), ("Lovelace-Ada", "password.weak"), ("countess@example.com", "password.weak"),
        ("AdaLovelace1815!", "password.weak"), ("password1234", "password.common"), ("P@ssw0rd26!", "password.common"),
        ("qwertyuiop", "password.common"), ("1234567890", "password.common"), ("1q2w3e4r5t6y", "password.common"),
        ("Welcome2026!!", "password.common"), ("secretsecret", "password.common"),
        ("fieldstone-demo", "password.common"),
    ],
)  # fmt: skip
def test_passwords_that_are_tried_first_are_refused(password: str, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        check_policy(password, "ada.lovelace", ("Ada Lovelace", "countess@example.com"))
    assert (refusal.value.code, refusal.value.problems[0].path) == (code, "password")
    assert password not in str(refusal.value)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "tulips in a garden", "8f!Kq02-zzRt", "我的密码是一匹蓝色马呀"]
)
def test_other_passwords_will_do(password: str) -> None:
    check_policy(password, "ada.lovelace", ("Ada Lovelace", "", "countess@example.com"))


def test_the_least_length_is_a_setting() -> None:
    with pytest.raises(BadInput, match="at least 16"):
        check_policy("tulips in rain", "ada", (), Policy(min_length=16))


def test_each_try_past_the_limit_doubles_the_wait_up_to_four_hours(office: Running) -> None:
    def locked_for(minutes: int) -> bool:
        """Whether the account is locked a second before, and free then; one more failure is counted."""
        start = office.now
        office.fixed_now = start + timedelta(minutes=minutes, seconds=-1)
        with pytest.raises(TooManyAttempts):
            attempts.begin(office.tenant, "kim", "", office.now, PASSWORDS)
        office.fixed_now = start + timedelta(minutes=minutes)
        attempts.begin(office.tenant, " ＫＩＭ ", "", office.now, PASSWORDS)
        return True

    for _ in range(10):
        attempts.begin(office.tenant, "kim", "", office.now, PASSWORDS)
    assert [locked_for(minutes) for minutes in (15, 30, 60, 120, 240, 240)] == [True] * 6
    attempts.begin(office.tenant, "kim", "", office.now, CODES)  # another kind counts by itself


def test_every_step_is_noted(office: Running) -> None:
    app, _ = set_up(office)
    office.fixed_now = office.now + STEP
    client = browser(office)
    sign_in(office, client, "wrong")
    sign_in(office, client)
    show(client, app.at(office.now))
    client.post("/logout", headers={"x-csrf-token": csrf_of(client.get("/o/deal").text)})
    with office.tenant.database.read() as connection:
        kinds = [row[0] for row in connection.rows("SELECT kind FROM fs_audit ORDER BY id")]
        kept = repr(connection.rows("SELECT * FROM fs_audit"))
    assert kinds == ["totp.on", "sign_in.refused", "sign_in", "sign_out"]
    assert (GOOD in kept, "wrong" in kept, app.secret in kept) == (False, False, False)

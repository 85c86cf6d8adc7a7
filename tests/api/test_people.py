"""Users, passwords and signing in."""

from datetime import timedelta

import pytest

from engine.errors import BadInput, NotFound, Unauthenticated
from engine.people import passwords, sessions, tokens, users
from engine.people.attempts import TooManyAttempts
from engine.testing import Running, running

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", type(passwords.HASHER)(time_cost=1, memory_cost=1024, parallelism=1))
    passwords.nobodys_hash.cache_clear()


def sign_in(site: Running, username: str, password: str, address: str = "192.0.2.1", previous: str = "") -> str:
    made = sessions.sign_in(site.tenant, username, password, now=site.now, address=address, previous=previous)
    return made.secret


def test_first_user_is_made_once_with_the_password_given_or_one_that_is_told(database_url: str) -> None:
    with running(database_url, ["package: empty\nversion: 1.0.0\nlabel: Empty\n"]) as site:
        made = users.ensure_admin(site.tenant, None, site.now)
        assert made is not None
        assert len(made) == 19
        assert users.ensure_admin(site.tenant, None, site.now) is None
        assert sign_in(site, "admin", made)
        assert users.find_user(site.tenant, "admin").roles == ("admin",)


def test_sign_in_gives_a_session_and_ends_the_one_before(shop: Running) -> None:
    shop.user("kim", "reader", password=GOOD)
    first = sign_in(shop, "kim", GOOD)
    second = sign_in(shop, "kim", GOOD, previous=first)
    assert shop.site.identify({"cookie": f"fieldstone_session={second}"}).actor.username == "kim"
    with pytest.raises(Unauthenticated):
        shop.site.identify({"cookie": f"fieldstone_session={first}"})


def test_sign_out_ends_the_session_on_the_server(shop: Running) -> None:
    shop.user("kim", "reader", password=GOOD)
    secret = sign_in(shop, "kim", GOOD)
    sessions.sign_out(shop.tenant, secret)
    with pytest.raises(Unauthenticated):
        shop.site.identify({"cookie": f"fieldstone_session={secret}"})


def test_secrets_are_stored_as_hashes_only(small_shop: Running) -> None:
    small_shop.user("kim", "reader", password=GOOD)
    secret, token = sign_in(small_shop, "kim", GOOD), small_shop.token("kim")
    dump = repr([
        row
        for table in ("fs_session", "fs_token", "fs_credential")
        for row in rows(small_shop, table)
    ])  # fmt: skip
    assert (secret in dump, token in dump, GOOD in dump) == (False, False, False)
    assert "$argon2id$" in dump


def rows(site: Running, table: str) -> list[tuple[object, ...]]:
    with site.tenant.database.read() as connection:
        return connection.rows(f"SELECT * FROM {table}")


def test_person_is_known_with_roles_language_and_zone(shop: Running) -> None:
    actor = shop.site.identify({"authorization": f"Bearer {shop.token('lin')}"}).actor
    assert (actor.username, actor.name, actor.roles) == ("lin", "林悦", {"seller"})
    assert (actor.language, actor.time_zone.key) == ("zh-CN", "Asia/Shanghai")


def test_wrong_password_unknown_and_inactive_user_are_refused_alike(shop: Running) -> None:
    shop.user("kim", password=GOOD)
    shop.user("old", password=GOOD)
    users.set_active(shop.tenant, "old", False, shop.now)
    texts = set()
    for username, password in (("kim", "wrong"), ("nobody", GOOD), ("old", GOOD), ("ray", "no password set")):
        with pytest.raises(Unauthenticated) as refusal:
            sign_in(shop, username, password)
        texts.add((refusal.value.code, str(refusal.value)))
    assert texts == {("sign_in.refused", "user name or password is wrong")}


@pytest.mark.parametrize("username", ["kim", "nobody", "old", "ray"])
def test_unknown_user_costs_as_much_as_a_wrong_password(
    small_shop: Running, monkeypatch: pytest.MonkeyPatch, username: str
) -> None:
    # Counted, not timed: on a busy machine times tell nothing.
    small_shop.user("kim", password=GOOD)
    small_shop.user("old", password=GOOD)
    users.set_active(small_shop.tenant, "old", False, small_shop.now)
    compared: list[str] = []

    class Counting(type(passwords.HASHER)):  # type: ignore[misc]
        def verify(self, hashed: str, password: str) -> bool:
            compared.append(hashed.split("$")[3])
            return super().verify(hashed, password)

    monkeypatch.setattr(passwords, "HASHER", Counting(time_cost=1, memory_cost=1024, parallelism=1))
    with pytest.raises(Unauthenticated):
        sign_in(small_shop, username, "wrong")
    assert compared == ["m=1024,t=1,p=1"]


def test_account_is_locked_after_ten_failures_however_it_is_spelled(shop: Running) -> None:
    shop.user("kim", password=GOOD)
    for number in range(10):
        with pytest.raises(Unauthenticated):
            sign_in(shop, ("kim", "KIM ", "ｋｉｍ")[number % 3], "wrong", address=f"192.0.2.{number}")
    with pytest.raises(TooManyAttempts):
        sign_in(shop, "kim", GOOD, address="198.51.100.1")
    shop.fixed_now = shop.now + timedelta(minutes=16)
    assert sign_in(shop, "kim", GOOD)


def test_unknown_account_is_locked_like_a_known_one(shop: Running) -> None:
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            sign_in(shop, "nobody", "wrong")
    with pytest.raises(TooManyAttempts):
        sign_in(shop, "nobody", "wrong")


def test_address_is_locked_after_fifty_failures(shop: Running) -> None:
    shop.user("kim", password=GOOD)
    for number in range(50):
        with pytest.raises(Unauthenticated):
            sign_in(shop, f"guess{number}", "wrong")
    with pytest.raises(TooManyAttempts):
        sign_in(shop, "kim", GOOD)
    assert sign_in(shop, "kim", GOOD, address="198.51.100.1")


def test_success_starts_the_count_of_the_account_anew(shop: Running) -> None:
    shop.user("kim", password=GOOD)
    for _ in range(2):
        for _ in range(9):
            with pytest.raises(Unauthenticated):
                sign_in(shop, "kim", "wrong", address="")
        assert sign_in(shop, "kim", GOOD, address="192.0.2.9")


def test_new_password_ends_the_sessions_that_the_old_one_began(shop: Running) -> None:
    shop.user("kim", password=GOOD)
    secret = sign_in(shop, "kim", GOOD)
    users.set_password(shop.tenant, "kim", "another fine one", shop.now)
    with pytest.raises(Unauthenticated):
        shop.site.identify({"cookie": f"fieldstone_session={secret}"})
    with pytest.raises(Unauthenticated):
        sign_in(shop, "kim", GOOD)
    assert sign_in(shop, "kim", "another fine one")


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "password.short"), ("x" * 257, "password.long"), ("aaaaaaaaaaab", "password.weak")],
)
def test_bad_password_is_refused_and_no_user_is_left(shop: Running, password: str, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        users.create_user(shop.tenant, "kim", now=shop.now, password=password)
    assert (refusal.value.code, refusal.value.problems[0].path) == (code, "password")
    with pytest.raises(NotFound):
        users.find_user(shop.tenant, "kim")


def test_unknown_role_is_refused_with_the_nearest(shop: Running) -> None:
    with pytest.raises(BadInput) as refusal:
        users.create_user(shop.tenant, "kim", now=shop.now, roles=["seler"])
    assert (str(refusal.value), refusal.value.fix) == ("no role 'seler'", "write 'seller'?")
    with pytest.raises(NotFound):
        users.find_user(shop.tenant, "kim")


@pytest.mark.parametrize("username", ["", "Lin", "a b", "-a", "ｌｉｎ", "x" * 65, "a\n"])
def test_user_name_has_one_spelling(small_shop: Running, username: str) -> None:
    with pytest.raises(BadInput):
        users.create_user(small_shop.tenant, username, now=small_shop.now)


def test_token_is_valid_for_ten_years_at_most(small_shop: Running) -> None:
    with pytest.raises(BadInput):
        tokens.make_token(small_shop.tenant, small_shop.user("boss"), now=small_shop.now, days=3651)

"""GET /aggregate/{object}: what the query may say, what comes back, and that OpenAPI has it."""

import jsonschema
import pytest

from engine.testing import Running
from tests.records.state import state

PATH = "/api/v1/aggregate/deal"


def some_deals(site: Running) -> None:
    client = site.client("boss")
    lin = site.user("lin")
    for stage, amount, day, owner in (
        ("won", "100.10", "2026-11-01", lin), ("won", "23.35", "2026-11-30", None), ("lost", "5", None, lin),
    ):  # fmt: skip
        values = {"name": "d", "stage": stage, "amount": amount, "close_date": day}
        answer = client.post("/api/v1/records/deal", json=values | ({"owner": owner} if owner else {}))
        assert answer.status_code == 201


def test_groups_with_their_measures_and_the_total(shop: Running) -> None:
    some_deals(shop)
    query = {"group": "stage,close_date:month", "measures": "sum(amount), count()", "sort": "-sum(amount),stage"}
    answer = shop.client("boss").get(PATH, params=query)
    assert answer.status_code == 200
    assert answer.json() == {
        "groups": [
            {"stage": "won", "close_date:month": "2026-11", "sum(amount)": 123.45, "count()": 2},
            {"stage": "lost", "close_date:month": None, "sum(amount)": 5.0, "count()": 1},
        ],
        "is_truncated": False,
        "total": {"sum(amount)": 128.45, "count()": 3},
    }


def test_person_is_told_of_own_records_only(shop: Running) -> None:
    some_deals(shop)
    answer = shop.client("lin").get(PATH, params={"group": "stage", "measures": "sum(amount)"}).json()
    assert answer["groups"] == [{"stage": "lost", "sum(amount)": 5.0}, {"stage": "won", "sum(amount)": 100.1}]
    assert answer["total"] == {"sum(amount)": 105.1}


def test_limit_says_that_there_are_more(small_shop: Running) -> None:
    some_deals(small_shop)
    answer = small_shop.client("boss").get(PATH, params={"group": "stage", "limit": "1"}).json()
    assert answer == {"groups": [{"stage": "lost", "count()": 1}], "is_truncated": True, "total": {"count()": 3}}


def test_without_parameters_records_are_counted(small_shop: Running) -> None:
    some_deals(small_shop)
    assert small_shop.client("boss").get(PATH).json() == {"groups": [], "is_truncated": False, "total": {"count()": 3}}


@pytest.mark.parametrize(
    ("query", "code", "place", "fix"),
    [
        ("group=stagee", "field.unknown", "group", "write 'stage'?"),
        ("group=stage,,name", "query.value", "group", ""),
        ("measures=summ(amount)", "aggregate.function", "measures", "write 'sum(amount)'?"),
        ("measures=", "query.value", "measures", ""),
        ("group=stage&having=sum(amount)", None, "having", None),
        ("group=stage&limit=0", "query.value", "limit", None),
        ("measure=count()", "query.unknown", "measure", "write 'measures'?"),
        ("group=stage&group=name", "query.twice", "group", ""),
        ("filter=%ff", "query.malformed", None, None),
    ],
)
def test_what_cannot_be_asked_is_a_bad_request_that_says_where(
    small_shop: Running, query: str, code: str | None, place: str | None, fix: str | None
) -> None:
    client = small_shop.client("boss")
    assert client.get(PATH).status_code == 200  # the token has been used: that is written down
    before = state(small_shop)
    answer = client.get(f"{PATH}?{query}")
    problem = answer.json()
    assert answer.status_code == 400
    assert code is None or problem["code"] == code
    assert place is None or problem["problems"][0]["path"] == place
    assert fix is None or problem.get("fix", "") == fix
    assert state(small_shop) == before


def test_object_that_may_not_be_read_is_like_one_that_is_not_there(small_shop: Running) -> None:
    lin = small_shop.client("lin")
    hidden, missing = lin.get("/api/v1/aggregate/secret"), lin.get("/api/v1/aggregate/nothing")
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.json()["detail"].replace("secret", "…") == missing.json()["detail"].replace("nothing", "…")
    assert small_shop.client().get(PATH).status_code == 401


def test_openapi_has_it_for_each_readable_object(small_shop: Running) -> None:
    some_deals(small_shop)
    made = small_shop.client("lin").get("/api/v1/openapi.json").json()
    assert "/aggregate/secret" not in made["paths"]
    described = made["paths"]["/aggregate/deal"]["get"]
    assert [one["$ref"].rpartition("/")[2] for one in described["parameters"]] == [
        "group", "measures", "filter", "having", "group_sort", "limit", "search",
    ]  # fmt: skip
    answer = small_shop.client("lin").get(PATH, params={"group": "stage,is_hot", "measures": "max(name)"}).json()
    jsonschema.validate(answer, described["responses"]["200"]["content"]["application/json"]["schema"])

"""The CRM at work: published, filled with its sample data, and read by each of its people, on both databases."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine import sampledata
from engine.service import Query
from engine.testing import Running, running
from tests.examples.test_crm import CRM, crm, own_objects, records

LISTED_BY_WANG = {
    "lead_open": 34, "lead_mine": 1, "lead_late": 4, "opportunity_open": 34, "opportunity_late": 2,
    "opportunity_lost": 5, "payment_overdue": 3, "order_open": 3, "order_late": 1, "contract_ending": 2,
    "quote_ending": 2, "account_groups": 6, "activity_late": 5, "campaign_over_budget": 2, "product_ended": 2,
}  # fmt: skip


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [CRM]) as site:
        for user in crm().packages["crm"].demo_users:
            site.user(user.username, *user.roles, name=user.name, language=user.language, time_zone=user.time_zone)
        sampledata.load(site.tenant, crm().data)
        yield site


def count(site: Running, who: str, name: str) -> int:
    view = crm().views[name]
    page = site.records(who).page(Query(view.object, view.columns, view.filter, view.sort, count="exact"))
    assert page.count is not None
    return page.count


def titles(site: Running, who: str, object_name: str) -> set[str]:
    title = crm().objects[object_name].title
    page = site.records(who).page(Query(object_name, (title,), limit=1000))
    return {str(row[0]) for row in page.rows}


def test_it_is_loaded_once_read_by_everybody_and_adds_up(site: Running) -> None:
    # one tenant for all of it: publishing and loading take most of the time
    everything_is_there(site)
    lists_hold_what_they_say(site)
    people_see_their_own(site)
    opportunities_equal_their_lines(site)
    references_are_expanded(site)


def everything_is_there(site: Running) -> None:
    loaded = {name: len(titles(site, "", name)) for name in own_objects() if name not in LINES}
    assert loaded == {name: len(records(name)) for name in own_objects() if name not in LINES}
    assert sum(sampledata.load(site.tenant, crm().data).values()) == 0


LINES = ("opportunity_line", "quote_line", "order_line")


def lists_hold_what_they_say(site: Running) -> None:
    assert {name: count(site, "wang", name) for name in LISTED_BY_WANG} == LISTED_BY_WANG
    readable = [view for view in crm().views.values() if view.package == "crm"]
    assert {view.name for view in readable if count(site, "wang", view.name) == 0} == set()


def people_see_their_own(site: Running) -> None:
    assert (count(site, "lin", "lead_all"), count(site, "sam", "lead_all"), count(site, "priya", "lead_all")) == (
        20,
        22,
        50,
    )
    assert len(titles(site, "wang", "opportunity")) == 53
    assert not titles(site, "lin", "opportunity") & titles(site, "sam", "opportunity")
    assert titles(site, "lin", "account") == titles(site, "wang", "account")
    assert {"contract", "order", "payment"} & set(readable_objects(site, "priya")) == set()


def readable_objects(site: Running, who: str) -> list[str]:
    scope = site.context(who).scope
    return [name for name in own_objects() if scope.can("read", name)]


def opportunities_equal_their_lines(site: Running) -> None:
    sales = site.records("wang").page(Query("opportunity", ("amount",), limit=1000))
    lines = site.records("wang").page(Query("opportunity_line", ("opportunity", "amount"), limit=1000))
    sums: dict[str, Decimal] = {}
    for opportunity, amount in lines.rows:
        sums[opportunity] = sums.get(opportunity, Decimal()) + amount
    assert {one: row[0] for one, row in zip(sales.ids, sales.rows, strict=True)} == sums


def references_are_expanded(site: Running) -> None:
    query = Query("order", ("account.name", "contract.name", "owner.name"), "name == '缸体线三坐标测量机'")
    assert site.records("wang").page(query).rows == [("沪屿汽车零部件", "缸体线三坐标测量机合同", "林悦")]
    group = site.records("lin").page(Query("account", ("parent.name",), "name == 'Hartwell Medical'"))
    assert group.rows == [("Hartwell Engineering Group",)]

"""Addresses and places on earth: in forms, in lists, in questions."""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput
from engine.sampledata import load
from engine.service import Query
from engine.testing import Running, running
from tests.records.conftest import NOW
from ui.places import countries, one_line, parts_in_order

PACKAGE = """\
package: places
version: 1.0.0
label: {en: Places, zh-CN: 地点}
languages: [en, zh-CN]
---
object: site
label: {en: Site, zh-CN: 站点}
plural: {en: Sites, zh-CN: 站点}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  address: {type: address, label: {en: Address, zh-CN: 地址}, default: {country: CN}}
  spot: {type: geolocation, label: {en: Spot, zh-CN: 位置}}
---
role: clerk
label: Clerk
objects: {site: [create, read, update, delete], user: [read]}
"""
PUDONG = {"country": "CN", "province": "上海市", "city": "上海市", "district": "浦东新区", "street": "世纪大道1号",
          "postcode": "200120"}  # fmt: skip
AVENUE = {"country": "CN", "city": "Shanghai", "district": "Pudong", "street": "1 Century Ave", "postcode": "200120"}


@pytest.fixture(scope="module")
def site() -> Iterator[Running]:
    with running(packages=[PACKAGE], ui="ui.pages:mount", now=NOW) as site:
        site.user("ann", "clerk", name="Ann Lee", language="en")
        site.user("ming", "clerk", name="王小明", language="zh-CN")
        yield site


def send(site: Running, path: str, username: str = "ann", **form: object) -> tuple[int, str]:
    client = site.client(username, by="session")
    answer = client.post(path, data={**form, "_csrf": client.headers["x-csrf-token"]})
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("address", "language", "line"),
    [
        (PUDONG, "zh-CN", "上海市浦东新区世纪大道1号, 200120"),
        (PUDONG, "en", "上海市浦东新区世纪大道1号, 200120, China"),
        (AVENUE, "en", "1 Century Ave, Pudong, Shanghai 200120, China"),
        (AVENUE, "zh-CN", "1 Century Ave, Pudong, Shanghai 200120, 中国"),
        ({"country": "HK", "city": "九龙", "street": "弥敦道1号"}, "zh-CN", "中国香港特别行政区九龙弥敦道1号"),
        ({"street": "1 Main St", "city": "Springfield", "province": "IL", "postcode": "62701", "country": "US"}, "en",
         "1 Main St, Springfield, IL 62701, United States"),
        ({"country": "DE"}, "zh-CN", "德国"),
        ({"postcode": "200120"}, "en", "200120"),
        ({}, "en", ""),
    ],
)  # fmt: skip
def test_an_address_is_one_line_in_the_order_of_its_language(address: dict[str, str], language: str, line: str) -> None:
    assert one_line(address, language) == line


def test_a_form_asks_in_the_order_of_the_language() -> None:
    parts = ["country", "street", "city"]
    assert parts_in_order("zh-CN", parts) == ["country", "city", "street"]
    assert parts_in_order("en", parts) == ["street", "city", "country"]


def test_countries_are_those_of_iso_by_name() -> None:
    english, chinese = countries("en"), countries("zh-CN")
    assert (len(english), len(chinese)) == (249, 249)
    assert [code for code, _ in english][:4] == ["AF", "AX", "AL", "DZ"]
    assert [name for _, name in chinese][:4] == ["阿尔巴尼亚", "阿尔及利亚", "阿富汗", "阿根廷"]
    assert dict(chinese)["CN"] == "中国"


@pytest.mark.parametrize("username", ["ann", "ming"])
def test_a_form_sends_parts_in_its_own_order(site: Running, username: str) -> None:
    page = site.client(username, by="session").get("/o/site/new").text
    order = page.split('name="address" value="parts:')[1].split('"')[0].split(",")
    assert '<option value="CN" selected>' in page
    values = [f"parts:{','.join(order)}", *(PUDONG[part] for part in order)]
    status, _ = send(
        site, "/o/site/new", username, name=f"Site of {username}", address=values, spot=["31.23, 121.47", ""]
    )
    assert status == 303
    made = site.records("ann").list(Query("site", filter=f"name == 'Site of {username}'")).records[0]
    assert made["address"] == PUDONG
    assert made["spot"] == {"latitude": 31.23, "longitude": 121.47}


def test_a_refused_form_holds_what_was_typed(site: Running) -> None:
    order = "parts:street,country,city"
    status, page = send(site, "/o/site/new", name="", address=[order, "1 <b> St", "DE", "Berlin"], spot=["91", "x"])
    assert status == 422
    assert 'value="1 &lt;b&gt; St"' in page
    assert '<option value="DE" selected>' in page
    assert 'id="f-spot-wrong"' in page
    assert 'value="91"' in page
    for spot in (["31", ""], ["31,121,4", ""], ["{", ""]):
        assert send(site, "/o/site/new", name="x", spot=spot)[0] == 422
    for address in (["parts:town", "x"], ["parts:country", "XX"], ["parts:", "x"]):
        assert send(site, "/o/site/new", name="x", address=address)[0] in (303, 422)


def test_cells_show_a_line_and_a_link_that_asks_no_map(site: Running) -> None:
    made = site.records("ann").create("site", {"name": "<b>", "address": {**AVENUE, "street": "<i>1"},
                                               "spot": {"latitude": -31.5, "longitude": 0}})  # fmt: skip
    page = site.client("ann", by="session").get(f"/o/site/{made['id']}").text
    assert "&lt;i&gt;1, Pudong, Shanghai 200120, China" in page
    assert 'href="geo:-31.500000,0.000000"' in page
    assert "-31.500000, 0.000000</a>" in page


def test_blank_parts_are_no_address(site: Running) -> None:
    made = site.records("ann").create("site", {"name": "x", "address": {"city": " ", "street": None}})
    assert made["address"] is None
    records = site.records("ann")
    assert records.create("site", {"name": "x"})["address"] == {"country": "CN"}


def test_the_history_says_addresses_in_a_line(site: Running) -> None:
    records = site.records("ann")
    made = records.create("site", {"name": "Moved", "address": AVENUE})["id"]
    records.update("site", made, {"address": PUDONG})
    page = site.client("ann", by="session").get(f"/o/site/{made}").text
    assert "from 1 Century Ave, Pudong, Shanghai 200120, China to 上海市浦东新区世纪大道1号, 200120, China" in page


@pytest.fixture
def stored(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], now=NOW) as site:
        records = site.records()
        for name, address, spot in (
            ("Pudong", PUDONG, (31.23, 121.47)), ("Avenue", AVENUE, None), ("None", None, None),
            ("Quotes", {"city": 'a"b\\c', "street": "STRASSE 5"}, (48.1, 11.5)),
        ):  # fmt: skip
            place = {"latitude": spot[0], "longitude": spot[1]} if spot else None
            records.create("site", {"name": name, "address": address, "spot": place})
        yield site


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"search": "世纪大道"}, ["Pudong"]),
        ({"search": "century"}, ["Avenue"]),
        ({"search": "strasse"}, ["Quotes"]),
        ({"search": 'a"b\\c'}, ["Quotes"]),
        ({"search": "street"}, []),
        ({"search": "cn"}, ["Avenue", "Pudong"]),
        ({"filter": "PART(address, 'district') == '浦东新区'"}, ["Pudong"]),
        ({"filter": "PART(address, 'country') == 'CN' and ISBLANK(PART(address, 'province'))"}, ["Avenue"]),
        ({"filter": "address == null"}, ["None"]),
        ({"filter": "DISTANCE(spot, spot) == 0"}, ["Pudong", "Quotes"]),
    ],
)
def test_questions_about_places(stored: Running, query: dict[str, str], names: list[str]) -> None:
    found = stored.records().list(Query("site", ("name",), **query)).records  # type: ignore[arg-type]
    assert sorted(one["name"] for one in found) == names


def test_a_formula_field_makes_a_part_sortable(stored: Running) -> None:
    formula = "formula: \"PART(address, 'city')\"}"
    field = f"  city: {{type: formula, returns: text, label: {{en: City, zh-CN: 城市}}, {formula}\n---\nrole:"
    stored.publish(PACKAGE.replace("---\nrole:", field))
    records = stored.records()
    listed = records.list(Query("site", ("name", "city"), filter="city != null")).records
    assert {one["name"]: one["city"] for one in listed} == {
        "Pudong": "上海市",
        "Avenue": "Shanghai",
        "Quotes": 'a"b\\c',
    }


def test_a_text_becomes_the_street_and_a_pair_of_numbers_a_place(stored: Running) -> None:
    plain = PACKAGE.replace("type: address, label: {en: Address, zh-CN: 地址}, default: {country: CN}",
                            "type: text, label: {en: Address, zh-CN: 地址}")  # fmt: skip
    plain = plain.replace("type: geolocation", "type: text")
    with running(packages=[plain], now=NOW) as site:
        made = site.records().create("site", {"name": "x", "address": "世纪大道1号", "spot": "31.23, 121.47"})["id"]
        site.publish(PACKAGE)
        kept = site.records().get("site", made)
        assert (kept["address"], kept["spot"]) == ({"street": "世纪大道1号"}, {"latitude": 31.23, "longitude": 121.47})
        site.records().update("site", made, {"spot": None, "address": None})


def test_sample_data_may_hold_places(sqlite_url: str) -> None:
    data = """---
data: site
records:
  - {name: A, address: {city: Berlin}, spot: {latitude: 1, longitude: 2}}
"""
    with running(sqlite_url, [PACKAGE + data], now=NOW) as site:
        load(site.tenant, site.tenant.snapshot().definitions.data, NOW)
    with (
        pytest.raises(AssertionError, match="'XX' is not the code of a country"),
        running(packages=[PACKAGE + data.replace("city: Berlin", "country: XX")]),
    ):
        pass


def test_a_part_that_the_field_does_not_have_is_refused_by_name(stored: Running) -> None:
    with pytest.raises(BadInput) as refused:
        stored.records().create("site", {"name": "x", "address": {"town": "x"}})
    assert refused.value.problems[0].message == (
        "'town' is no part of this address; there are country, province, city, district, street, postcode"
    )

"""Addresses and countries as people write them, in the order of the language that an address is in."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from babel import Locale

__all__ = ["countries", "country_name", "one_line", "parts_in_order"]

CHINESE = re.compile("[\u3400-\u9fff]")
FROM_LARGE = ("country", "province", "city", "district", "street", "postcode")  # as Chinese is written
FROM_SMALL = ("street", "district", "city", "province", "postcode", "country")
HOME = "CN"
# CLDR's territories that are no country of ISO 3166-1.
OTHERS = frozenset(("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"))


def parts_in_order(language: str, parts: Sequence[str]) -> list[str]:
    """The parts of an address as a form asks for them."""
    order = FROM_LARGE if is_chinese(language) else FROM_SMALL
    return sorted(parts, key=lambda part: order.index(part) if part in order else len(order))


def one_line(address: Mapping[str, str], language: str) -> str:
    """ "上海市浦东新区世纪大道1号, 200120", or "1 Century Ave, Pudong, Shanghai 200120, China"."""
    within = " ".join(address.get(part, "") for part in ("province", "city", "district", "street"))
    return from_large(address, language) if CHINESE.search(within) else from_small(address, language)


def from_large(address: Mapping[str, str], language: str) -> str:
    """The country is said where it is not China, or where the reader may not know."""
    get = address.get
    province, city = get("province", ""), get("city", "")
    text = province + ("" if city == province else city) + get("district", "") + get("street", "")
    country = country_name(get("country", ""), language)
    if is_chinese(language):
        text = ("" if get("country") == HOME else country) + text
        country = ""
    return ", ".join(part for part in (text, get("postcode", ""), country) if part)


def from_small(address: Mapping[str, str], language: str) -> str:
    get = address.get
    province, city, postcode = get("province", ""), get("city", ""), get("postcode", "")
    if province and province != city:
        place = [city, f"{province} {postcode}".strip()]
    else:
        place = [f"{city} {postcode}".strip()]
    parts = [get("street", ""), get("district", ""), *place, country_name(get("country", ""), language)]
    return ", ".join(part for part in parts if part)


def country_name(code: str, language: str) -> str:
    return names(language).get(code, code)


@lru_cache(maxsize=16)
def countries(language: str) -> tuple[tuple[str, str], ...]:
    """(code, name) of all countries, in the order of their names."""
    # GB 18030 has the usual characters in the order of their sounds.
    key = (lambda one: one[1].encode("gb18030")) if is_chinese(language) else (lambda one: sorting(one[1]))
    return tuple(sorted(names(language).items(), key=key))


@lru_cache(maxsize=16)
def names(language: str) -> Mapping[str, str]:
    territories = Locale.parse(language.replace("-", "_")).territories
    return {code: str(name) for code, name in territories.items() if len(code) == 2 and code.isalpha()
            and code not in OTHERS}  # fmt: skip


def sorting(name: str) -> str:
    return name.replace("\u00c5", "A").casefold()


def is_chinese(language: str) -> bool:
    return language.split("-")[0] == "zh"

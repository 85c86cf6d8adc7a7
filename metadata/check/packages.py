"""Is the manifest sound: version, languages, the users of the demo?"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from zoneinfo import ZoneInfo

from metadata.assemble import Item
from metadata.check.data import keys_by_object
from metadata.check.facts import Facts
from metadata.model import Package
from metadata.problem import Problem, nearest
from metadata.requires import parse_version
from metadata.zones import time_zones

__all__ = ["check", "is_language"]

# RFC 5646: language, then script, region or variant.
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def is_language(text: str) -> bool:
    return LANGUAGE.fullmatch(text) is not None


def check(facts: Facts) -> Iterator[Problem]:
    roles = {item.built.name for item in facts.assembly.roles}
    usernames: dict[str, str] = {}
    keys = keys_by_object(facts)
    for item in facts.assembly.packages:
        document, package = item.document, item.built
        if "version" in document.data and parse_version(package.version) is None:
            message = f"'{package.version}' is not a version"
            yield Problem(document.at("version"), "package.version", message, "write three numbers: 1.4.0")
        for index, language in enumerate(package.languages):
            if not is_language(language):
                at = document.at("languages", index)
                yield Problem(at, "package.language", f"'{language}' is not the tag of a language", "write en or zh-CN")
        yield from users_are_sound(facts, item, roles, usernames)
        yield from places_exist(facts, item, keys)


def users_are_sound(facts: Facts, item: Item[Package], roles: set[str], usernames: dict[str, str]) -> Iterator[Problem]:
    document = item.document
    for index, user in enumerate(item.built.demo_users):
        here = ("demo", "users", index)
        if user.username in usernames:
            message = f"the user '{user.username}' is here twice"
            yield Problem(document.at(*here, "username"), "demo.user.duplicate", message, "rename one of the two")
        usernames[user.username] = item.package
        for number, role in enumerate(user.roles):
            if role not in roles and ("role", role) not in facts.unread:
                yield facts.no_such("role", role, roles, at=document.at(*here, "roles", number), code="role.unknown")
        if not is_time_zone(user.time_zone):
            guess = nearest(user.time_zone, time_zones())
            fix = f"write '{guess}'?" if guess else "write a name such as Asia/Shanghai"
            message = f"no time zone is called '{user.time_zone}'"
            yield Problem(document.at(*here, "time_zone"), "demo.user.time_zone", message, fix)
        if user.language not in item.built.languages and "language" in document.data["demo"]["users"][index]:
            yield facts.no_such("language", user.language, item.built.languages, at=document.at(*here, "language"),
                          code="language.unknown", within=item.package)  # fmt: skip


def places_exist(facts: Facts, item: Item[Package], keys: Mapping[str, set[str]]) -> Iterator[Problem]:
    """Where a user of the demo works, and below whom."""
    for index, user in enumerate(item.built.demo_users):
        said = (("department", "department", user.department), ("position", "position", user.position),
                ("manager", "user", user.manager))  # fmt: skip
        for key, object_name, name in said:
            known = keys.get(object_name, set())
            if name and name not in known and ("data", object_name) not in facts.unread:
                at = item.document.at("demo", "users", index, key)
                what = object_name if object_name == "user" else f"{object_name} with the key"
                yield facts.no_such(what, name, known, at=at, code="demo.user.place")


@cache
def is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder's name, or one too long for a file
        return False
    return True

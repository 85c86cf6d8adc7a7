"""The CRM as `fieldstone demo` fills it: people, sample data, and what they did with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from engine import sampledata, scenario
from engine.commands.demo import place_people
from engine.testing import Running, running
from tests.examples.test_crm import CRM, crm

__all__ = ["filled"]


@contextmanager
def filled(database_url: str, now: datetime) -> Iterator[Running]:
    with running(database_url, [CRM], now=now) as site:
        site.user("admin", "admin")
        for user in crm().packages["crm"].demo_users:
            site.user(
                user.username, *user.roles, name=user.name, language=user.language, time_zone=user.time_zone,
                email=user.email,
            )  # fmt: skip
        sampledata.load(site.tenant, crm().data, now)
        place_people(site.tenant, crm(), now)
        scenario.play(site.site, crm().scenarios, now)
        yield site

"""Before somebody is erased one is told what that does, and it does that."""

import pytest

from engine.errors import Forbidden
from engine.privacy.erase import erase
from engine.privacy.foresight import foresee
from engine.testing import Running
from tests.privacy.test_privacy import fill, firm, system
from tests.state import state

__all__ = ["firm"]


def test_what_is_foretold_is_what_is_done(firm: Running) -> None:
    ada = fill(firm)
    before = state(firm)
    told = foresee(system(firm), "contact", ada)
    assert state(firm) == before
    assert (told.records, told.comments) == ({"contact": 2, "visit": 2, "deal": 1}, 2)  # with whom was merged
    assert told.kept == {"contact": ["level"]}
    assert told.fields == {"contact": ["name", "code", "phone", "picture"], "visit": ["notes"], "deal": ["buyer"]}
    done = erase(system(firm), "contact", ada)
    assert (done.fields, done.kept, done.comments, done.records) == (told.fields, ["contact.level"], 2, 5)


def test_a_user_is_told_to_be_active_and_nobody_else_foresees_it(firm: Running) -> None:
    lin = firm.user("lin")
    assert foresee(system(firm), "user", lin).is_active is True
    firm.records("boss").update("user", lin, {"is_active": False})
    told = foresee(system(firm), "user", lin)
    assert (told.is_active, told.records) == (False, {"user": 1})
    with pytest.raises(Forbidden) as refused:
        foresee(firm.context("lin"), "user", firm.user("boss"))
    assert refused.value.code == "privacy.forbidden"

"""Who stands above whom."""

import pytest

from engine.errors import BadInput
from engine.people.chain import Head, deputies_of, head_of, manager_chain, manager_of
from engine.testing import Running


@pytest.fixture
def chained(office: Running) -> Running:
    """lin below pia below cai below boss."""
    boss = office.records("boss")
    for below, above in (("lin", "pia"), ("pia", "cai"), ("cai", "boss")):
        boss.update("user", office.user(below), {"manager": office.user(above)})
    return office


def chain(office: Running, username: str) -> list[str]:
    names = {office.user(name): name for name in ("boss", "pia", "lin", "cai")}
    with office.tenant.database.read() as connection:
        return [names[one] for one in manager_chain(connection, office.tenant.snapshot(), office.user(username))]


def test_the_chain_goes_up_over_those_who_have_left(chained: Running) -> None:
    assert chain(chained, "lin") == ["pia", "cai", "boss"]
    assert chain(chained, "boss") == []
    chained.records("boss").update("user", chained.user("pia"), {"is_active": False})
    assert chain(chained, "lin") == ["cai", "boss"]
    with chained.tenant.database.read() as connection:
        assert manager_of(connection, chained.tenant.snapshot(), chained.user("lin")) == chained.user("cai")
        assert manager_of(connection, chained.tenant.snapshot(), chained.user("boss")) is None


def test_nobody_is_above_themselves(chained: Running) -> None:
    boss = chained.records("boss")
    for below, above in (("lin", "lin"), ("boss", "lin"), ("cai", "pia")):
        with pytest.raises(BadInput) as refused:
            boss.update("user", chained.user(below), {"manager": chained.user(above)})
        assert [(one.path, one.code) for one in refused.value.problems] == [("manager", "tree.circle")]
    assert chain(chained, "lin") == ["pia", "cai", "boss"]


def test_a_department_without_an_active_head_is_headed_from_above(office: Running) -> None:
    boss = office.records("boss")
    cai, lin, pia = (office.user(name) for name in ("cai", "lin", "pia"))
    top = boss.create("department", {"name": "Top", "head": cai, "deputies": [pia, lin]})["id"]
    below = boss.create("department", {"name": "Below", "parent": top, "head": lin})["id"]
    empty = boss.create("department", {"name": "Empty", "parent": below})["id"]
    with office.tenant.database.read() as connection:
        snapshot = office.tenant.snapshot()
        assert head_of(connection, snapshot, empty) == Head(lin, below, ())
        assert head_of(connection, snapshot, empty, but=lin) == Head(cai, top, (pia, lin))
        boss.update("user", lin, {"is_active": False})
        assert head_of(connection, snapshot, empty) == Head(cai, top, (pia,))
        assert deputies_of(connection, snapshot, top) == (pia,)
        boss.delete("department", top)
        assert head_of(connection, snapshot, empty) is None

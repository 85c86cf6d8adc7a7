"""Do versions fall into ranges as documented?"""

import pytest

from metadata.requires import Version, parse_version, satisfies


@pytest.mark.parametrize(
    ("range_", "inside", "outside"),
    [
        (">=1.0", (1, 0, 0), (0, 9, 9)),
        (">1.0", (1, 0, 1), (1, 0, 0)),
        ("<3", (2, 9, 9), (3, 0, 0)),
        ("<=3", (3, 0, 0), (3, 0, 1)),
        ("=1.2", (1, 2, 9), (1, 3, 0)),
        ("1.2.3", (1, 2, 3), (1, 2, 4)),
        ("~1.2", (1, 2, 9), (1, 3, 0)),
        ("~1.2.3", (1, 2, 9), (1, 2, 2)),
        ("~1", (1, 9, 0), (2, 0, 0)),
        ("^1.2", (1, 9, 0), (2, 0, 0)),
        ("^0.2", (0, 2, 9), (0, 3, 0)),
        ("^0.0.3", (0, 0, 3), (0, 0, 4)),
        (">=1.0, <2", (1, 5, 0), (2, 0, 0)),
    ],
)
def test_a_range_holds_these_and_not_those(range_: str, inside: Version, outside: Version) -> None:
    assert satisfies(inside, range_)
    assert not satisfies(outside, range_)


@pytest.mark.parametrize("text", ["1.0-beta", "v1", "1.2.3.4", "", "١.٢", "1..2"])
def test_what_is_no_version(text: str) -> None:
    assert parse_version(text) is None


@pytest.mark.parametrize("text", ["newest", ">=", "1.x", ">1,,<2", "=>1"])
def test_a_range_that_cannot_be_read_holds_nothing(text: str) -> None:
    assert not satisfies((1, 0, 0), text)

"""Is it the same telephone number, however it is written?"""

import pytest

from engine.matching.phone import phone


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13800138000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("0086 13800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("021-5555 1234", "+862155551234"),
        ("(021) 55551234", "+862155551234"),
        ("(0755) 8888 6666 转 801", "+8675588886666x801"),
        ("+8675588886666;ext=801", "+8675588886666x801"),
        ("+1 (202) 555-0143", "+12025550143"),
        ("+1 202 555 0143 ext. 5", "+12025550143x5"),
        ("+44 20 7946 0958", "+442079460958"),
        ("95588", "95588"),
        ("55551234", "55551234"),
        ("none", ""),
        ("", ""),
        ("-", ""),
    ],
)
def test_a_number_in_one_form(text: str, number: str) -> None:
    assert phone(text) == number


def test_a_local_number_is_of_the_fields_region() -> None:
    assert phone("(202) 555-0143", "US") == phone("+12025550143", "CN")
    assert phone("030 901820", "DE") == "+4930901820"


def test_extensions_tell_numbers_apart() -> None:
    assert phone("021-5555 1234 转 801") != phone("021-5555 1234 转 802")

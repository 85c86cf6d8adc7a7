"""How much do two texts have in common, and would one be found when the other is looked for?"""

import pytest

from engine.matching.fuzzy import blocks, likeness

ALIKE = [
    ("Acme Widgets Ltd", "ACME Widget Limited", 95),
    ("Jonathan Smith", "Jonathon Smith", 92),
    ("Catherine O'Hara", "Katherine OHara", 93),
    ("Lin Yue", "Yue Lin", 100),
    ("林悦", "Lin Yue", 100),
    ("林悦", "YUE LIN", 100),
    ("林悦", "林月", 95),
    ("张晓明", "张小明", 95),
    ("王小明", "Wang Xiao-Ming", 100),
    ("华东精密机械", "华东精蜜机械有限公司", 95),
    ("上海贝尔电话设备制造", "上海贝尔电话设备制造厂", 95),
    ("Globex International Trading", "Globex Internatonal Trading", 98),
    ("北京大学第一医院", "北大第一医院", 85),
]


@pytest.mark.parametrize(("one", "other", "score"), ALIKE)
def test_alike_and_found(one: str, other: str, score: int) -> None:
    assert likeness(one, other) == likeness(other, one) == score
    assert blocks(one) & blocks(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("John Smith", "Jane Smith"),
        ("Acme Ltd", "Apex Ltd"),
        ("北京甲乙科技有限责任公司", "北京丙丁科技有限责任公司"),
        ("王小明", "王大明"),
        ("华东精密机械", "华南精密仪器"),
        ("林悦", "Li Yu"),
    ],
)
def test_not_alike_enough(one: str, other: str) -> None:
    assert likeness(one, other) < 85


def test_a_long_text_has_a_dozen_keys_and_something_blank_none() -> None:
    assert len(blocks("the quick brown fox jumps over the lazy dog " * 20)) <= 12
    assert len(blocks("中华人民共和国国家发展和改革委员会" * 20)) <= 12
    assert blocks("") == blocks(" - ") == frozenset()

"""May it be the same person, in characters or in letters, with the family name first or last?"""

import pytest

from engine.matching.person import person


def meet(one: str, other: str) -> bool:
    """From either side: whichever was there first."""
    found = bool(person(one)[0] & person(other)[1])
    assert bool(person(other)[0] & person(one)[1]) is found
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("林悦", "Lin Yue"),
        ("林悦", "LIN YUE"),
        ("林悦", "Yue Lin"),
        ("LIN, Yue", "yue lin"),
        ("林 悦", "林悦"),
        ("林悦", "林悦女士"),
        ("林悦 (Lin Yue)", "Yue Lin"),
        ("林悦 Lin Yue", "林悦"),
        ("王小明", "Wang Xiaoming"),
        ("王小明", "Xiao-Ming WANG"),
        ("王小明", "Wang Xiao Ming"),
        ("王小明", "Xiao Ming Wang"),
        ("Wang Xiaoming", "Wang Xiao Ming"),
        ("王小明先生", "Mr. Wang Xiaoming"),
        ("欧阳娜娜", "Ouyang Nana"),
        ("欧阳娜娜", "Na Na Ouyang"),
        ("单田芳", "Shan Tianfang"),
        ("曾国藩", "ZENG Guofan"),
        ("尉迟恭", "Yuchi Gong"),
        ("吕布", "Lü Bu"),
        ("吕布", "LYU BU"),
        ("陳美玲", "Chen Meiling"),
        ("阿凡提·买买提", "阿凡提买买提"),
        ("王David", "David Wang"),
        ("José García", "GARCIA Jose"),
        ("Dr. John Smith", "Smith, John"),
        ("Jean-Pierre Dupont", "Jean Pierre Dupont"),
        ("Pat O'Hara", "OHARA Pat"),
        ("Ｊｏｈｎ　Ｓｍｉｔｈ", "John Smith"),
        ("Иван Петров", "Петров Иван"),
    ],
)
def test_names_of_one_person(one: str, other: str) -> None:
    assert meet(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("林悦", "林月"),
        ("林悦", "Lin Yu"),
        ("张晓明", "张小明"),
        ("王先生", "王女士"),
        ("王经理", "王总"),
        ("王小明 (Tony)", "Tony"),
        ("John Smith", "Jon Smith"),
        ("John Smith", "John A. Smith"),
        ("John Smith", "John Smithson"),
        ("Lin Yue", "Li Nyue"),
    ],
)
def test_names_of_two(one: str, other: str) -> None:
    assert not meet(one, other)


@pytest.mark.parametrize("text", ["", "  ", "-", "·"])
def test_what_has_no_letters_meets_nothing(text: str) -> None:
    assert person(text) == (frozenset(), frozenset())


def test_a_title_alone_is_a_name() -> None:
    assert meet("Miss", "miss")

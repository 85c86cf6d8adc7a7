"""Names of people: Chinese ones by their characters and by their pinyin, others whatever the order of their parts.

林悦, Lin Yue, LIN YUE and Yue Lin may be one person. 林悦 and 林月 sound alike, but who writes both characters tells
them apart: a Chinese name meets another by characters, and one in letters by pinyin.
"""

import re
from functools import lru_cache

from engine.matching.text import U_DOTS, WITHIN_WORDS, is_han, letters, pinyin, words

__all__ = ["parts_of", "person"]

LONGEST = 200  # characters that are read
# Before or behind a name.
TITLES = frozenset(
    ("mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "herr", "frau", "mme", "mlle", "monsieur", "madame",
     "jr", "phd", "mba")
)  # fmt: skip
CHINESE_TITLES = re.compile(
    "(?:先生|女士|小姐|太太|博士|教授|老师|老師|同学|医生|醫生|律师|律師|经理|經理|总监|總監|主任)$"
)
# What is read otherwise when it is a surname.
SURNAMES = {
    "单": "shan", "單": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "査": "zha", "区": "ou",
    "區": "ou", "任": "ren", "朴": "piao", "翟": "zhai", "覃": "qin", "缪": "miao", "繆": "miao", "盖": "ge",
    "蓋": "ge", "乐": "yue", "樂": "yue", "召": "shao", "种": "chong", "洗": "xian", "冼": "xian", "宓": "mi",
    "员": "yun", "逄": "pang", "黑": "he", "那": "na", "折": "she", "秘": "bi", "葛": "ge", "华": "hua", "華": "hua",
    "俞": "yu", "晁": "chao", "车": "che", "車": "che", "隗": "wei", "祭": "zhai",
}  # fmt: skip
TWO_SIGNS = {
    "尉迟": "yuchi", "尉遲": "yuchi", "万俟": "moqi", "长孙": "zhangsun", "長孫": "zhangsun", "单于": "chanyu",
    "澹台": "tantai",
}  # fmt: skip
TWO_OR_MORE = """
    欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 夏侯 皇甫 公孙 公孫 慕容 令狐 宇文 司徒 司空 东方 東方 南宫 南宮 独孤 獨孤 端木
    百里 呼延 轩辕 軒轅 闻人 聞人 公冶 宗政 濮阳 濮陽 淳于 太叔 申屠 钟离 鍾離 鲜于 鮮于 闾丘 仲孙 拓跋 完颜 西门 西門
    东郭 東郭 公羊 赫连 赫連 左丘 梁丘 第五 爱新觉罗
"""
LONG_SURNAMES = frozenset(TWO_OR_MORE.split()) | frozenset(TWO_SIGNS)
SYLLABLE = re.compile(
    "(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?"
    "(?:a|ai|an|ang|ao|e|ei|en|eng|er|i|ia|ian|iang|iao|ie|in|ing|iong|iu|o|ong|ou|u|ua|uai|uan|uang|ue|ui|un|uo)"
)

HYPHEN = re.compile(r"(?<=[^\W\d_])[-‐‑·・](?=[^\W\d_])")

Keys = frozenset[str]


def person(text: str) -> tuple[Keys, Keys]:
    """(keys that a record is kept under, keys that it is looked for under): two names meet where one of the first of
    one is among the second of the other. Both are empty where there is no letter.

    c: characters, p: pinyin of characters, l: letters.
    """
    return keys_of(text[:LONGEST])


@lru_cache(maxsize=2048)  # a write asks for the forms of a value several times
def keys_of(text: str) -> tuple[Keys, Keys]:
    plain = letters(text).translate(WITHIN_WORDS)
    signs = without_title("".join(filter(is_han, plain)))
    rest = "".join(" " if is_han(sign) else sign for sign in plain)
    if len(signs) == 1 and words(rest):  # "David 王": a surname in characters
        signs, rest = "", f"{rest} {surname(signs)}"
    kept, asked = set(), set()
    if signs:
        sounds = sounds_of(signs)
        kept |= {f"c:{signs}", *(f"p:{form}" for form in sounds)}
        asked |= {f"c:{signs}", *(f"l:{form}" for form in sounds)}
    if len(words(rest)) > 1 or not signs:  # 王小明 (Tony) is not every Tony
        forms = forms_of(rest)
        kept |= {f"l:{form}" for form in forms}
        asked |= {f"{kind}:{form}" for form in forms for kind in "lp"}
    return frozenset(kept), frozenset(asked)


def without_title(signs: str) -> str:
    """王小明先生 is 王小明, but of 王先生 nothing would be left to tell him by."""
    shorter = CHINESE_TITLES.sub("", signs)
    return shorter if len(shorter) > 1 else signs


def sounds_of(signs: str) -> set[str]:
    """王小明 -> "wang xiaoming" and "ming wang xiao": the parts in the order of the alphabet."""
    family, *given = parts_of(signs)
    return {in_order([family, "".join(given)]), in_order([family, *given])}


def parts_of(signs: str) -> list[str]:
    """欧阳修 -> ouyang, xiu"""
    length = next((size for size in (4, 2) if signs[:size] in LONG_SURNAMES and len(signs) > size), 1)
    return [surname(signs[:length]), *pinyin(signs[length:])]


def surname(signs: str) -> str:
    return TWO_SIGNS.get(signs) or SURNAMES.get(signs) or "".join(pinyin(signs))


def forms_of(text: str) -> set[str]:
    """A name in letters: its words in the order of the alphabet, those with a hyphen in one and in two."""
    ways = [words(HYPHEN.sub("", text)), words(text)]
    ways = [[word for word in way if word not in TITLES] or way for way in ways]
    forms = {in_order(way) for way in ways if way}
    for way in ways:
        # A Chinese given name is written in one word or in two: the family name comes first or last.
        if len(way) == 3 and all(map(is_syllable, way)):
            one, two, three = way
            forms |= {in_order([one, two + three]), in_order([three, one + two])}
    return forms


def in_order(parts: list[str]) -> str:
    plain = (U_DOTS.sub("u", part) if is_syllable(part) else part for part in parts if part)
    return " ".join(sorted(plain))


def is_syllable(word: str) -> bool:
    return SYLLABLE.fullmatch(U_DOTS.sub("u", word)) is not None

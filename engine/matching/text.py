"""Text without what people vary when they type the same thing: width, case, white space, accents, punctuation."""

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["U_DOTS", "WITHIN_WORDS", "folded", "has_han", "is_han", "letters", "pinyin", "words"]

ACCENTS = re.compile("[\u0300-\u036f]")
SPACE = re.compile(r"\s+")
# Zero-width characters and marks of direction come along when text is copied from web pages and PDFs.
UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
WORD = re.compile(r"[^\W_]+")
WITHIN_WORDS = str.maketrans(dict.fromkeys("'’`ʼ", ""))  # O'Hara is OHara
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})
# Pinyin is typed with v, yu or without the dots where it has ü.
U_DOTS = re.compile(r"(?<=[ln])(?:v|yu)")


def folded(text: str) -> str:
    """Half width, small letters, single spaces: what `exact` compares."""
    text = UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    return SPACE.sub(" ", unicodedata.normalize("NFKC", text.casefold())).strip()


def letters(text: str) -> str:
    """The same without accents. Marks of other scripts stay: they make other letters."""
    plain = ACCENTS.sub("", unicodedata.normalize("NFD", folded(text).translate(PLAIN)))
    return unicodedata.normalize("NFC", plain)


def words(text: str) -> list[str]:
    """Runs of letters and digits."""
    return WORD.findall(text)


def is_han(sign: str) -> bool:
    return HAN.match(sign) is not None


def has_han(text: str) -> bool:
    return HAN.search(text) is not None


def pinyin(text: str) -> list[str]:
    """Syllables of Chinese characters, without tones; runs of other signs as they are. "林悦 A1" -> lin, yue, a1"""
    return [part for found in reading()(text) for part in words(U_DOTS.sub("u", found))]


@cache
def reading() -> "Callable[[str], list[str]]":
    # Imported here: its dictionaries take half a second and 30 MB, which only tenants that compare Chinese shall pay.
    from pypinyin import lazy_pinyin

    return lazy_pinyin

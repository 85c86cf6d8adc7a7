"""How much two texts have in common, and the few keys under which texts that have much in common can be found."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rapidfuzz import fuzz

from engine.matching.company import LEGAL_WORDS, without_chinese_form, without_legal_words
from engine.matching.person import parts_of
from engine.matching.text import WITHIN_WORDS, has_han, is_han, letters, pinyin, words

__all__ = ["blocks", "likeness"]

LONGEST = 200  # characters that are compared
MOST_SIGNS = 4  # of a person's name: longer texts share characters
MOST_PAIRS, MOST_WORDS = 8, 5
ALIKE_BY_SOUND = 0.95  # of two texts in characters: 张晓明 and 张小明 are not quite the same


@dataclass(frozen=True, slots=True)
class Form:
    words: tuple[str, ...]  # as written, without accents and legal forms
    sound: tuple[str, ...]  # the same with pinyin for characters
    has_signs: bool

    @property
    def text(self) -> str:
        return " ".join(self.words)


@lru_cache(maxsize=1024)
def form(text: str) -> Form:
    plain = words(letters(text[:LONGEST]).translate(WITHIN_WORDS))
    if plain and len(plain[-1]) > 2 and plain[-1] in LEGAL_WORDS:  # shorter ones end names of people, too
        plain = without_legal_words(plain)
    if not has_han("".join(plain)):
        return Form(tuple(plain), tuple(plain), False)
    plain = [*plain[:-1], without_chinese_form(plain[-1])]
    signs = "".join(filter(is_han, "".join(plain)))
    rest = words("".join(" " if is_han(sign) else sign for sign in " ".join(plain)))
    spoken = parts_of(signs) if len(signs) <= MOST_SIGNS else pinyin(signs)
    return Form(tuple(plain), (*rest, *spoken), True)


def likeness(one: str, other: str) -> int:
    """0-100."""
    a, b = form(one), form(other)
    score = max(fuzz.ratio(a.text, b.text), fuzz.token_sort_ratio(a.text, b.text))
    if a.has_signs or b.has_signs:
        score = max(score, by_sound(a.sound, b.sound) * (ALIKE_BY_SOUND if a.has_signs and b.has_signs else 1))
    return int(score)


def by_sound(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    return max(
        fuzz.ratio("".join(one), "".join(other)),
        fuzz.ratio("".join(sorted(one)), "".join(sorted(other))),
    )


def blocks(text: str) -> frozenset[str]:
    """A dozen at most. Texts that have much in common share at least one, unless they are very short."""
    found = form(text)
    signs = "".join(filter(is_han, found.text))
    pairs = [f"c:{a}{b}" for a, b in pairwise(signs)][:MOST_PAIRS] or ([f"c:{signs}"] if signs else [])
    if len(signs) == 3:
        pairs.append(f"c:{signs[0]}_{signs[2]}")
    spoken = found.sound if len(signs) <= MOST_SIGNS else tuple(word for word in found.words if not has_han(word))
    return frozenset([*pairs, *word_blocks(spoken)])


def word_blocks(parts: tuple[str, ...]) -> list[str]:
    """Beginnings and ends: of neighbours in the order of the alphabet together, and of the longest word."""
    if not parts:
        return []
    longest = sorted(parts, key=len, reverse=True)[:MOST_WORDS]
    keys = [f"f:{longest[0][:4]}", f"e:{longest[0][-4:]}"]
    for one, other in pairwise(sorted(longest)):
        keys += [f"f:{one[:2]}|{other[:2]}", f"e:{one[-2:]}|{other[-2:]}"]
    return keys

"""Names of companies without what says only which legal form they have.

"Acme Co., Ltd." and "ACME Limited" are one company, 华为技术有限公司 and 华为技术 too. Words of regions stay, in
brackets as well: 英特尔（中国）有限公司 is not 英特尔.
"""

import re
from functools import lru_cache

from engine.matching.text import WITHIN_WORDS, letters, words

__all__ = ["LEGAL_WORDS", "company", "without_chinese_form", "without_legal_words"]

LONGEST = 300  # characters that are read
WORDS = """
    ltd limited inc incorporated llc llp lllp lp plc corp corporation co company pllc cic group groups holding holdings
    pty pte pvt private bhd sdn berhad
    gmbh mbh ggmbh ag kg kgaa ohg ug gbr se ek ev bv nv vof ab as asa oy oyj aps hf ehf
    sa sab sas sasu sarl eurl snc sci scop sl slu sac srl spa sapi eirl ltda lda eireli cia cv
    sro spol zoo doo kft zrt bt nyrt rt ooo oao zao pao ao jsc pjsc cjsc ojsc ооо оао зао пао ао тоо
    kk gk yk tbk jtsc mchj fze fzco fzc dmcc
"""
LEGAL_WORDS = frozenset(WORDS.split())
JOINTS = frozenset(("and", "und", "et", "de", "sp"))
"""Left over when a legal form has gone: Müller & Co. KG, S.A. de C.V., Sp. z o.o."""
LEADING = frozenset({"the", "pt", "ooo", "oao", "zao", "pao", "ао", "ооо", "оао", "зао", "пао", "тоо", "cv"})

# Longest first. A branch (分公司) is not the company.
CHINESE = re.compile(
    "(?:集团|集團|控股|总|總)?(?:股份有限|有限责任|有限責任|有限|股份)?(?<!分)(?<!支)公司$"
    "|(?:集团|集團|控股|股份有限|有限责任|有限責任|有限合伙企业|有限合伙|普通合伙企业|普通合伙|合伙企业|有限|股份)$"
    "|(?:株式会社|株式會社|有限会社|合同会社|주식회사|유한회사)$"
)
CHINESE_LEADING = re.compile("^(?:株式会社|株式會社|有限会社|合同会社|주식회사|유한회사)")
# Of one sign or in brackets: ㈱ is (株) in NFKC.
BRACKETED = re.compile(r"[(（](?:株|有|주|유|有限合伙|普通合伙|集团|集團|控股|个体工商户)[)）]")


def company(text: str) -> str:
    """What is compared of a company's name; the whole name where nothing else would be left. "" for no letters."""
    return compared(text[:LONGEST])


@lru_cache(maxsize=2048)  # a write asks for the forms of a value several times
def compared(text: str) -> str:
    plain = BRACKETED.sub(" ", letters(text)) or letters(text)
    plain = plain.replace("&", " and ").translate(WITHIN_WORDS)
    return without_chinese_form("".join(without_legal_words(words(plain))))


def without_legal_words(parts: list[str]) -> list[str]:
    start, end = 0, len(parts)
    while size := legal_form(parts[start + 1 : end]):
        end -= size
        while end - start > 1 and parts[end - 1] in JOINTS:
            end -= 1
    while end - start > 1 and parts[start] in LEADING:
        start += 1
    return parts[start:end]


def legal_form(parts: list[str]) -> int:
    """How many words at the end make a legal form: "S.A." and "A/S" are two, "G.m.b.H." is four."""
    for size in (4, 3, 2):
        last = parts[-size:]
        if len(last) == size and all(len(word) == 1 for word in last) and "".join(last) in LEGAL_WORDS:
            return size
    return 1 if parts and parts[-1] in LEGAL_WORDS else 0


def without_chinese_form(name: str) -> str:
    name = CHINESE_LEADING.sub("", name) or name
    while (shorter := CHINESE.sub("", name)) and shorter != name:
        name = shorter
    return name

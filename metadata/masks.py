"""Masks of values: what is shown to whoever may know that there is a value, and not which. Pure functions on texts.

A value that is shorter than what its mask shows of it is wholly masked, and so is one that does not look like what the
mask is for. Digits are those of any script: full-width ones, too.
"""

import re
from collections.abc import Callable, Mapping

__all__ = ["WHOLE", "is_mask", "masked"]

WHOLE = "***"
SHAPE = re.compile(r"(?:\{(\d{1,2})\})?([^{}]+)(?:\{(\d{1,2})\})?")


def is_mask(mask: str) -> bool:
    """Whether it is a word of WORDS, or a pattern that hides something.

    >>> is_mask("phone"), is_mask("{2}***{2}"), is_mask("***"), is_mask("{2}"), is_mask("{2}{3}")
    (True, True, True, False, False)
    """
    return mask in WORDS or SHAPE.fullmatch(mask) is not None


def masked(mask: str, value: str) -> str:
    """What is shown of the value. A mask that cannot be read hides everything.

    >>> masked("phone", "13800138000"), masked("phone", "+86 138 0013 8000"), masked("phone", "１３８００１３８０００")
    ('138****8000', '+86 138 **** 8000', '１３８****８０００')
    >>> masked("phone", "0551234"), masked("email", "ada@example.com"), masked("email", "ada")
    ('***', 'a***@example.com', '***')
    >>> masked("id_card", "11010519491231002X"), masked("bank_card", "6222 0212 3456 7890")
    ('110***********002X', '**** 7890')
    >>> masked("name", "欧阳修"), masked("name", "李"), masked("{2}***{2}", "abcdefgh"), masked("{2}***{2}", "abcdef")
    ('欧**', '***', 'ab***gh', '***')
    """
    if mask in WORDS:
        return WORDS[mask](value)
    shape = SHAPE.fullmatch(mask)
    if shape is None:
        return WHOLE
    first, last = int(shape[1] or 0), int(shape[3] or 0)
    hidden = shape[2]
    if first + last and len(value) < first + len(hidden) + last:
        return WHOLE
    return value[:first] + hidden + (value[-last:] if last else "")


def phone(value: str) -> str:
    """All digits but four before the last four."""
    places = [place for place, sign in enumerate(value) if sign.isdigit()]
    if len(places) < 11:
        return WHOLE
    signs = list(value)
    for place in places[-8:-4]:
        signs[place] = "*"
    return "".join(signs)


def email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if not (local and at and domain):
        return WHOLE
    return f"{local[0] if len(local) > 2 else ''}***@{domain}"


def id_card(value: str) -> str:
    text = value.strip()
    return f"{text[:3]}{'*' * (len(text) - 7)}{text[-4:]}" if len(text) >= 15 else WHOLE


def bank_card(value: str) -> str:
    digits = [sign for sign in value if sign.isdigit()]
    return f"**** {''.join(digits[-4:])}" if len(digits) >= 12 else WHOLE


def name(value: str) -> str:
    text = value.strip()
    return f"{text[0]}**" if len(text) >= 2 else WHOLE


WORDS: Mapping[str, Callable[[str], str]] = {
    "phone": phone, "email": email, "id_card": id_card, "bank_card": bank_card, "name": name,
}  # fmt: skip

"""Telephone numbers as one number, however they are written."""

import re
from functools import lru_cache

import phonenumbers

from engine.matching.text import folded

__all__ = ["phone"]

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
EXTENSION = re.compile(r"(?:;ext=|转接?|轉接?|分机|分機|ext\.?|x|#)\s*[:.]?\s*([0-9]{1,7})\s*\)?$")
NOT_DIGITS = re.compile(r"[^0-9]")
LONGEST = 60


def phone(text: str, region: str = "CN") -> str:
    """E.164 with the extension, where it is a number of that region or says its country; else its digits."""
    return number(text[:LONGEST], region)


@lru_cache(maxsize=2048)  # a write asks for the forms of a value several times
def number(text: str, region: str) -> str:
    plain = folded(text)
    extension = ""
    if found := EXTENSION.search(plain):
        plain, extension = plain[: found.start()].rstrip(" ,(-"), f"x{found[1]}"
    if E164.fullmatch(plain):
        return plain + extension
    digits = NOT_DIGITS.sub("", plain)
    try:
        parsed = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        return digits + extension if digits else ""
    if phonenumbers.is_valid_number(parsed):
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)) + extension
    return digits + extension

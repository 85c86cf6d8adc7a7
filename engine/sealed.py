"""A secret as it is sent, stored and shown: as little of it as can be. Knows no key."""

from typing import Literal

__all__ = ["DOTS", "Mask", "Sealed", "Unsealed", "mask_of"]

Mask = Literal["all", "last4", "first3_last4"]
DOTS = "••••••"  # as many whatever the length
HIDDEN = 4  # characters that stay hidden at least
VERSION = "s1"


class Unsealed:
    """A secret that was sent. Neither its text nor its representation tells it."""

    __slots__ = ("mask", "plain")

    def __init__(self, plain: str, kind: Mask) -> None:
        self.plain, self.mask = plain, mask_of(plain, kind)

    def __repr__(self) -> str:
        return DOTS

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unsealed) and other.plain == self.plain

    def __hash__(self) -> int:
        return hash(self.plain)


class Sealed:
    """A secret as it is stored: version, id of the key, what it was encrypted to, and what of it is shown."""

    __slots__ = ("cipher", "key_id", "mask")

    def __init__(self, key_id: str, cipher: str, mask: str) -> None:
        self.key_id, self.cipher, self.mask = key_id, cipher, mask

    @classmethod
    def read(cls, text: str, kind: Mask) -> "Sealed":
        """From a column. It shows no more than `kind` lets it, and no more than was kept of it."""
        _, key_id, cipher, mask = text.split(".", 3)
        return cls(key_id, cipher, narrowed(mask, kind))

    @property
    def text(self) -> str:
        return f"{VERSION}.{self.key_id}.{self.cipher}.{self.mask}"

    def narrowed(self, kind: Mask) -> "Sealed":
        return Sealed(self.key_id, self.cipher, narrowed(self.mask, kind))

    def __repr__(self) -> str:
        return self.mask

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def mask_of(plain: str, kind: Mask) -> str:
    """What is shown of a secret. One so short that little would stay hidden shows nothing."""
    if kind == "last4" and len(plain) >= 4 + HIDDEN:
        return DOTS + plain[-4:]
    if kind == "first3_last4" and len(plain) >= 7 + HIDDEN:
        return plain[:3] + DOTS + plain[-4:]
    return DOTS


def narrowed(mask: str, kind: Mask) -> str:
    before, _, after = mask.rpartition(DOTS)
    shown_before = before if kind == "first3_last4" else ""
    return shown_before + DOTS + (after if kind != "all" else "")

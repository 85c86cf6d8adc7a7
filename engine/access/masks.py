"""Masks on values as fields hold them."""

from collections.abc import Callable
from typing import Any

from metadata.masks import masked
from metadata.model import Field

__all__ = ["mask_of"]


def mask_of(field: Field) -> Callable[[Any], Any]:
    """A value of the field, not blank -> what is shown of it."""
    mask = field.mask
    return lambda value: masked(mask, value if isinstance(value, str) else str(value))

"""A secret such as a token or an account number: stored encrypted, shown as a mask, read by the engine alone."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from engine.sdk import DOTS, BadValue, Field, FieldType, Parse, Sealed, Secret, Unsealed, say

LENGTH = 1_000
MASKS = ("all", "last4", "first3_last4")
LONGEST = 10_000


def mask_of(field: Field) -> str:
    mask = field.options.get("mask")
    return mask if mask in MASKS else "all"


def parser(field: Field) -> Parse:
    """No message quotes what was sent."""
    longest, mask = int(str(field.options.get("length", LENGTH))), mask_of(field)

    def parse(value: object) -> Sealed | Unsealed | None:
        if isinstance(value, Sealed):
            return value.narrowed(mask)
        if isinstance(value, Unsealed):
            return value
        if not isinstance(value, str):
            raise BadValue("value.type", "a secret is text", "write it in quotes")
        if value == "":
            return None
        if len(value) > longest:
            message = f"the secret has {len(value)} characters; at most {longest} are allowed"
            raise BadValue("value.secret.long", message, length=len(value), max=longest)
        try:
            value.encode()
        except UnicodeEncodeError:
            message = "the secret has half of a character, which cannot be stored"
            raise BadValue("value.secret.character", message) from None
        return Unsealed(value, mask)

    return parse


def keep(field: Field, value: Sealed | Unsealed, old: Sealed | None) -> Sealed | Unsealed:
    """The mask that answers show, sent back: the secret stays."""
    is_mask = isinstance(value, Unsealed) and isinstance(old, Sealed) and value.plain == old.mask
    return old if is_mask and old is not None else value


def check_change(field: Field, value: Sealed | Unsealed, old: Sealed | None) -> None:
    if isinstance(value, Unsealed) and DOTS in value.plain:
        message = f"'{say(field.label, 'en')}' was sent as a mask, which is not the secret itself"
        raise BadValue("value.secret.mask", message, "send the secret, or leave the field out")


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    return (sent[-1].strip() if sent else "") or None


SECRET = FieldType(
    name="secret",
    label={"en": "Secret", "zh-CN": "密文"},
    value="secret",
    widget="secret",
    cell="secret",
    column=lambda field: Secret(mask_of(field)),
    parser=parser,
    schema=lambda field: {
        "type": "string",
        "maxLength": int(str(field.options.get("length", LENGTH))),
        "description": "Answers hold a mask; sent back, it leaves the secret as it is",
    },
    keep=keep,
    check_change=check_change,
    to_json=lambda value: DOTS,
    from_form=from_form,
    to_form=lambda field, value, zone: "",
    is_secret=True,
    options={
        "length": {"type": "integer", "minimum": 1, "maximum": LONGEST, "default": LENGTH},
        "mask": {"enum": list(MASKS), "default": "all"},
    },
    may_be_unique=False,
    may_be_indexed=False,
    may_default=False,
    good=(
        ({}, "correct horse battery staple"),
        ({}, "  口令 with spaces  "),
        ({"mask": "last4"}, "6222021234567890123"),
        ({"mask": "first3_last4"}, "13800138000"),
        ({"length": 4}, "1234"),
    ),
    bad=(
        ({}, 1234, "value.type"),
        ({}, ["x"], "value.type"),
        ({}, {"plain": "x"}, "value.type"),
        ({"length": 4}, "12345", "value.secret.long"),
        ({}, "half \ud800", "value.secret.character"),
    ),
)

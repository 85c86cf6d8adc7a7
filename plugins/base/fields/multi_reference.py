"""Several records of one object: the value is a list of their ids, in the order given."""

import re
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from engine.sdk import BadValue, Field, FieldType, Parse, TextList, brief, wrong_type

MOST = 100
EXAMPLE = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
OTHER = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a4"
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SEPARATORS = re.compile(r"[;,，；\s]+")


def parser(field: Field) -> Parse:
    return parse


def parse(value: object) -> list[str] | None:
    """Whether the records exist is asked by the record service, together with whether this person may see them."""
    if value == "":
        return None
    if not isinstance(value, list | tuple):
        raise wrong_type(value, "a list of ids", f'write ["{brief(value)}"]')
    if len(value) > MOST:
        message = f"{len(value)} records; {MOST} are allowed"
        raise BadValue("value.references.limit", message, "name fewer", max=MOST, count=len(value))
    found = [one_id(one) for one in value]
    if len(set(found)) < len(found):
        twice = next(one for place, one in enumerate(found) if one in found[:place])
        raise BadValue("value.references.twice", f"'{twice}' is given twice", "leave one out", value=twice)
    return found or None


def one_id(value: object) -> str:
    if not isinstance(value, str):
        raise wrong_type(value, "the id of a record")
    found = value.lower()
    if not ID.fullmatch(found):
        message = f"'{brief(value)}' is not the id of a record"
        raise BadValue("value.reference", message, f"write an id such as {EXAMPLE}", value=brief(value))
    return found


def from_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """Ids, or texts of several of them: "a; b"."""
    return [part for text in sent for part in SEPARATORS.split(text) if part] or None


def check(field: Field) -> Iterable[tuple[str, str, str, str]]:
    if field.on_delete == "cascade" and not field.is_master:
        message = "a record is not deleted because one of those that it refers to is"
        yield "on_delete", "field.on_delete", message, "write 'set_null' or 'restrict'"
    if len(field.targets) > 1 or "*" in field.targets:
        yield "to", "field.to", "it refers to records of one object", "name one object"
    if field.is_master:
        yield "master", "field.master", "a record belongs to one record, not to several", "leave 'master' out"


MULTI_REFERENCE = FieldType(
    name="multi_reference",
    label={"en": "Several references", "zh-CN": "多条关联"},
    value="choices",
    widget="references",
    cell="references",
    column=lambda field: TextList(),
    parser=parser,
    schema=lambda field: {
        "type": "array",
        "items": {"type": "string", "format": "uuid"},
        "uniqueItems": True,
        "maxItems": MOST,
    },
    check=check,
    from_form=from_form,
    to_form=lambda field, value, zone: "; ".join(value or ()),
    targets=True,
    may_be_unique=False,
    may_be_indexed=False,
    may_default=False,
    good=(
        ({}, [EXAMPLE]),
        ({}, [OTHER, EXAMPLE]),
        ({}, [EXAMPLE.upper()]),
        ({}, ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]),
    ),
    bad=(
        ({}, EXAMPLE, "value.type"),
        ({}, [7], "value.type"),
        ({}, ["acme"], "value.reference"),
        ({}, [EXAMPLE, EXAMPLE.upper()], "value.references.twice"),
        ({}, [f"0199f2c4-5d1e-7a3b-8c4d-{number:012x}" for number in range(101)], "value.references.limit"),
    ),
)

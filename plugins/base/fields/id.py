"""A record's own id, a UUID of version 7. For the system field `id` only."""

from engine.sdk import Field, FieldType, Id, Parse
from plugins.base.fields.reference import parse


def parser(field: Field) -> Parse:
    return parse


ID = FieldType(
    name="id",
    label={"en": "ID", "zh-CN": "编号"},
    value="reference",
    widget="readonly",
    cell="text",
    column=lambda field: Id(),
    parser=parser,
    schema=lambda field: {"type": "string", "format": "uuid"},
    is_internal=True,
    is_computed=True,
    may_default=False,
    good=(
        ({}, "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"),
        ({}, "0199F2C4-5D1E-7A3B-8C4D-5E6F708192A3"),
        ({}, "00000000-0000-0000-0000-000000000000"),
        ({}, "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    ),
    bad=(
        ({}, 7, "value.type"),
        ({}, ["0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"], "value.type"),
        ({}, "17", "value.reference"),
        ({}, "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3 ", "value.reference"),
    ),
)

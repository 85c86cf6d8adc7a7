"""The records that refer to this one."""

from engine.sdk import worked_out

INVERSE = worked_out(
    "inverse",
    {"en": "Records that refer here", "zh-CN": "反向关联"},
    "inverse",
    {
        "of": {"type": "string", "minLength": 1, "description": "The object whose records refer here."},
        "by": {
            "type": "string",
            "minLength": 1,
            "description": "Its reference that points here, where it has several.",
        },
    },
    value="lines",
    required_options=("of",),
    widget="readonly",
    cell="lines",
)

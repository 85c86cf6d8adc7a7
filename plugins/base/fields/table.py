"""Lines: records of a child object that belong to this one, in order, edited in its form."""

from engine.sdk import worked_out

TABLE = worked_out(
    "table",
    {"en": "Table", "zh-CN": "明细表"},
    "lines",
    {
        "of": {"type": "string", "minLength": 1, "description": "The object whose records are the lines."},
        "by": {
            "type": "string",
            "minLength": 1,
            "description": "Its reference that points here, where it has several.",
        },
    },
    value="lines",
    required_options=("of",),
    widget="lines",
    cell="lines",
)

"""A count, sum, average, minimum or maximum over lines or referring records, kept up to date with each of them."""

from engine.sdk import worked_out

RETURNS = ("integer", "decimal", "currency", "percent", "date", "datetime", "time", "duration")

ROLLUP = worked_out(
    "rollup",
    {"en": "Roll-up", "zh-CN": "汇总"},
    "rollup",
    {
        "of": {"type": "string", "minLength": 1, "description": "A field of lines, or object.reference."},
        "operation": {"enum": ["count", "sum", "average", "min", "max"]},
        "field": {"type": "string", "minLength": 1, "description": "What is summed; nothing for a count."},
        "filter": {"type": "string", "minLength": 1, "description": "A formula: which records count."},
        "returns": {"enum": list(RETURNS), "description": "The field type of the result."},
        "precision": {"type": "integer", "minimum": 1, "maximum": 18},
        "scale": {"type": "integer", "minimum": 0, "maximum": 18},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "currency_from": {"type": "string", "minLength": 1},
    },
    required_options=("of", "operation", "returns"),
)

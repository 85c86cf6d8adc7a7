"""A value that a formula gives wherever it is read. It has no column."""

from engine.sdk import worked_out

RETURNS = (
    "text",
    "integer",
    "decimal",
    "currency",
    "percent",
    "boolean",
    "date",
    "datetime",
    "time",
    "url",
    "markdown",
)

FORMULA = worked_out(
    "formula",
    {"en": "Formula", "zh-CN": "公式"},
    "formula",
    {
        "formula": {"type": "string", "minLength": 1, "description": "amount * quantity"},
        "returns": {"enum": list(RETURNS), "description": "The field type of what it gives."},
        "precision": {"type": "integer", "minimum": 1, "maximum": 18},
        "scale": {
            "type": "integer",
            "minimum": 0,
            "maximum": 18,
            "description": "Decimal places: halves are rounded up.",
        },
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "currency_from": {"type": "string", "minLength": 1},
    },
    required_options=("formula", "returns"),
)

"""Titles that are texts with formulas, "{account.name} - {number}": the object gets a formula field that gives them."""

from collections.abc import Mapping

from metadata.document import Document
from metadata.formula import FormulaError
from metadata.formula.template import as_formula, is_template
from metadata.model import Field, FieldKind

__all__ = ["DISPLAY_NAME", "title_field"]

DISPLAY_NAME = "display_name"


def title_field(document: Document, package: str, kinds: Mapping[str, FieldKind]) -> Field | None:
    """None where the title names a field. The formula is blank where the braces do not fit, which a check tells."""
    title = document.data.get("title")
    if not isinstance(title, str) or not is_template(title):
        return None
    try:
        formula = as_formula(title)
    except FormulaError:
        formula = ""
    options = kinds["text"].options if "text" in kinds else {}
    defaults = {option: schema["default"] for option, schema in options.items() if schema.get("default") is not None}
    return Field(
        DISPLAY_NAME, "text", {"en": "Display name", "zh-CN": "显示名称"}, package, is_read_only=True, options=defaults,
        source="formula", formula=formula, place=document.key("title"),
    )  # fmt: skip

"""The formula language: text in, a checked and typed tree out. Nothing is ever evaluated here."""

from metadata.formula.calls import Signature
from metadata.formula.errors import FormulaError
from metadata.formula.names import DefinitionNames, Names, Resolved, definition_names
from metadata.formula.nodes import (
    Actor,
    And,
    Arith,
    Call,
    Compare,
    Const,
    FormulaType,
    In,
    IsNew,
    Node,
    Not,
    Or,
    Path,
    Prior,
    paths_in,
    shape,
)
from metadata.formula.parser import Limits, parse

__all__ = [
    "Actor", "And", "Arith", "Call", "Compare", "Const", "DefinitionNames", "FormulaError", "FormulaType", "In",
    "IsNew", "Limits", "Names", "Node", "Not", "Or", "Path", "Prior", "Resolved", "Signature", "definition_names",
    "parse", "paths_in", "shape",
]  # fmt: skip

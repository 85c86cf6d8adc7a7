"""The formula language: text in, a checked and typed tree out. Nothing is ever evaluated here."""

from metadata.formula.calls import Signature
from metadata.formula.errors import FormulaError
from metadata.formula.names import DefinitionNames, Names, Resolved, definition_names
from metadata.formula.nodes import (
    Actor,
    Aggregate,
    And,
    Arith,
    Call,
    Compare,
    Config,
    Const,
    Fit,
    FormulaType,
    Held,
    In,
    InTree,
    IsNew,
    Node,
    Not,
    Or,
    Outer,
    Path,
    Prior,
    paths_in,
    shape,
)
from metadata.formula.parser import Limits, parse
from metadata.formula.trees import bound, expanded, is_volatile, paths_of, reads, walk

__all__ = [
    "Actor", "Aggregate", "And", "Arith", "Call", "Compare", "Config", "Const", "DefinitionNames", "Fit",
    "FormulaError", "FormulaType", "Held", "In", "InTree", "IsNew", "Limits", "Names", "Node", "Not", "Or", "Outer",
    "Path", "Prior", "Resolved", "Signature", "bound", "definition_names", "expanded", "is_volatile", "parse",
    "paths_in", "paths_of", "reads", "shape", "walk",
]  # fmt: skip

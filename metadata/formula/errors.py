"""The one error of the formula language."""

__all__ = ["FormulaError"]


class FormulaError(ValueError):
    """Why a formula is refused; `column` counts characters from 1."""

    def __init__(self, code: str, message: str, fix: str = "", column: int = 1) -> None:
        super().__init__(message)
        self.code, self.message, self.fix, self.column = code, message, fix, column

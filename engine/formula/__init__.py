"""Formulas at work: checked trees turned into SQL."""

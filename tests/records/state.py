"""The number of a database, for tests of records: see tests/state.py."""

from tests.state import refused, state

__all__ = ["refused", "state"]

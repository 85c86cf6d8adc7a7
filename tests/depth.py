"""How much generated and foreign input the tests try: a part of it each time, all of it in `make deep`."""

import os

__all__ = ["IS_DEEP", "at_depth"]

IS_DEEP = os.environ.get("DEEP", "") not in ("", "0")


def at_depth(usual: int, deep: int) -> int:
    return deep if IS_DEEP else usual

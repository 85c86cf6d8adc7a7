"""Build the front end into the wheel, and the example packages, which `fieldstone demo` serves, as engine/examples.

An editable install leaves the first to `make setup` and finds the second in the repository.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        subprocess.run([sys.executable, str(Path(self.root, "ui", "frontend", "build.py"))], check=True)
        examples = Path(self.root, "examples")
        if examples.is_dir():
            build_data["force_include"][str(examples)] = "engine/examples"

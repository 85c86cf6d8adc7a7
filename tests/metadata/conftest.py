"""Packages written into a folder, and the real field types and functions."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.registry import Plugins
from metadata.model import Loaded
from metadata.package import load

MANIFEST = "package: shop\nversion: 1.0.0\nlanguages: [en, zh-CN]\n"

Write = Callable[[Mapping[str, str]], Path]
Load = Callable[[Mapping[str, str]], Loaded]


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    plugins = Plugins()
    plugins.scan("plugins.base")
    return plugins


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Files as path -> text become a package; the manifest is added unless it is among them."""

    def write(files: Mapping[str, str]) -> Path:
        for name, text in {"package.yaml": MANIFEST, **files}.items():
            path = tmp_path / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "shop"

    return write


@pytest.fixture
def loaded(write: Write, plugins: Plugins) -> Load:
    return lambda files: load([write(files)], plugins.kinds(), plugins.functions)

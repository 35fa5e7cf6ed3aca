from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.schema.exports import find_exports

from .project import Project


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = 1", None),
        ("__all__ = ['x']", {"x"}),
        ("__all__ = ('x', 'y')", {"x", "y"}),
        ("__all__ = ['x'] + ['y']", {"x", "y"}),
        ("__all__ = ['x']\n__all__ += ['y']\n__all__ += ['z']", {"x", "y", "z"}),
        ("__all__ = ['x']\n__all__.append('y')", None),
        ("__all__ = other.__all__", None),
        ("__all__ = [x]", None),
        ("if a:\n    __all__ = ['x']\nelse:\n    __all__ = ['y']", None),
        ("__all__ += ['y']", None),
    ],
)
def test_exports_of_a_module(tmp_path: Path, text: str, names: set[str] | None) -> None:
    found = find_exports(Project(tmp_path, {"run.py": text}).main)
    assert found == names

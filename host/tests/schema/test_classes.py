from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.schema.classes import Classes
from cogworks.schema.entities import ClassEntity

from .project import Project, expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class X: ...", ["X"]),
        ("class A: ...\nclass X(A): ...", ["X", "A"]),
        (
            "class O: ...\nclass A(O): ...\nclass B(O): ...\nclass X(A, B): ...",
            ["X", "A", "B", "O"],
        ),
        (
            "import m\nclass A(m.Base): ...\nclass X(A, m.Other): ...",
            ["X", "A", "m.Base", "m.Other"],
        ),
        ("class X(X): ...", ["X"]),
        ("class A: ...\nclass B(A): ...\nclass X(A, B): ...", ["X", "A", "B"]),
    ],
)
def test_ancestors_are_in_the_order_of_python(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    project = Project(tmp_path, {"run.py": text})
    (entity,) = project.names.resolve(expression("X"), project.main)
    assert isinstance(entity, ClassEntity)
    found = Classes(project.names).linearize(entity)
    names = [item.node.name if isinstance(item, ClassEntity) else item.name for item in found]
    assert names == expected

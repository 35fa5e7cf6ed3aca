from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cogworks.schema.entities import (
    ClassEntity,
    Entity,
    External,
    FunctionEntity,
    ParameterEntity,
    PartEntity,
    Unclear,
    ValueEntity,
)
from cogworks.schema.modules import Module

from .project import Project, expression

MAIN = """
    import a.b
    import a.b as ab
    import os.path as p
    import numpy as np
    import circle
    from typing import List as L
    from a import B, other
    from a.b import *
    from typing import *
    from cog import *
    from missing import Thing
    from .relative import R
    import package.inner
    from circle import round_trip

    def function(): ...

    class Class:
        attribute = 1
        class Inner: ...

    class Child(Class): ...

    Alias = Class
    loop = loop2
    part, *rest = "a b".split()
    loop2 = loop
    for unclear in (): ...
    try:
        from first import T
    except ImportError:
        from second import T
"""

FILES = {
    "run.py": MAIN,
    "a/__init__.py": "class B: ...\n",
    "a/b.py": "constant = 3\n_private = 4\n",
    "a/other.py": "",
    "relative.py": "R = 1\n",
    "package/__init__.py": "",
    "package/inner.py": "from .sibling import S\n",
    "package/sibling.py": "S = 5\n",
    "circle.py": "from run import round_trip\n",
}


def describe(entity: Entity) -> str:
    match entity:
        case External():
            return entity.name
        case ClassEntity() | FunctionEntity():
            return f"{type(entity.node).__name__} {entity.node.name}"
        case PartEntity():
            return f"part of {ast.unparse(entity.node)}"
        case ValueEntity():
            return f"= {ast.unparse(entity.node)}"
        case ParameterEntity():
            return f"parameter {entity.parameter.name}"
        case Module():
            return f"module {entity.name}"
        case Unclear():
            return f"unclear {entity.name}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.float32", ["numpy.float32"]),
        ("p.join", ["os.path.join"]),
        ("L", ["typing.List"]),
        ("Thing", ["missing.Thing"]),
        ("int", ["builtins.int"]),
        ("a", ["module a"]),
        ("a.b.constant", ["= 3"]),
        ("ab.constant", ["= 3"]),
        ("a.B", ["ClassDef B"]),
        ("B", ["ClassDef B"]),
        ("other", ["module other"]),
        ("constant", ["= 3"]),
        ("_private", []),
        ("Optional", ["typing.Optional"]),
        ("Path", ["cog.Path"]),
        ("R", ["unclear R"]),
        ("package.inner.S", ["= 5"]),
        ("function", ["FunctionDef function"]),
        ("Class.attribute", ["= 1"]),
        ("Child.attribute", ["= 1"]),
        ("Child.Inner", ["ClassDef Inner"]),
        ("Alias.Inner", ["ClassDef Inner"]),
        ("Class.missing", []),
        ("function.attribute", []),
        ("loop.x", []),
        ("unclear", ["unclear unclear"]),
        ("rest", ["part of 'a b'.split()"]),
        ("T", ["first.T", "second.T"]),
        ("round_trip", []),
        ("nowhere", []),
        ("1 + 2", []),
    ],
)
def test_name_stands_for(tmp_path: Path, text: str, expected: list[str]) -> None:
    project = Project(tmp_path, FILES)
    found = project.names.resolve(expression(text), project.main)
    assert [describe(entity) for entity in found] == expected


def test_bases_are_followed_through_aliases_and_brackets(tmp_path: Path) -> None:
    text = "from typing import Generic as G\nclass A: ...\nB = A\nclass C(B, G[int], f()): ...\n"
    project = Project(tmp_path, {"run.py": text})
    (entity,) = project.names.resolve(expression("C"), project.main)
    assert isinstance(entity, ClassEntity)
    assert [describe(base) for base in project.names.bases(entity)] == [
        "ClassDef A",
        "typing.Generic",
    ]


def test_name_that_only_type_checkers_see_hides_none_that_is_there(tmp_path: Path) -> None:
    text = "X = 1\nif TYPE_CHECKING:\n    X = 2\n    Y = 3\n"
    project = Project(tmp_path, {"run.py": text})
    assert [describe(item) for item in project.names.look_up("X", project.main, None)] == ["= 1"]
    (entity,) = project.names.look_up("Y", project.main, None)
    assert isinstance(entity, Unclear)
    assert entity.why.startswith("only type checkers see `Y`, in run.py:4")


@pytest.mark.parametrize("name", ["T", "U"])
def test_type_parameters_are_known_where_they_are_declared(tmp_path: Path, name: str) -> None:
    text = f"T = 1\ntype A[{name}] = {name}\nclass B[{name}]:\n    x: {name}\n"
    project = Project(tmp_path, {"run.py": text})
    names = project.names
    (alias,) = names.look_up("A", project.main, None)
    assert isinstance(alias, ValueEntity)
    found = [describe(item) for item in names.resolve(alias.node, alias.scope)]
    assert found == [f"parameter {name}"]
    (cls,) = names.look_up("B", project.main, None)
    assert isinstance(cls, ClassEntity)
    found = [describe(item) for item in names.look_up(name, cls.body, None)]
    assert found == [f"parameter {name}"]

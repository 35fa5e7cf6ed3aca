"""What the document of each fixture says of its inputs and output, written down and checked by hand.

``documents/NAME.json`` holds the components that differ from one model to another, and the ``x-``
keys of the operation. Both front ends give it: ``test_differential`` shows that they are equal.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cog._schema.openapi import document
from cogworks.schema import analyze

from .authors import SIGNATURES

DOCUMENTS = sorted((SIGNATURES / "documents").glob("*.json"))

_HEADER = re.compile(r"# (\w+)( \(train\))?: ")
_SAME_FOR_ALL = re.compile(
    r"(Prediction|Training)(Request|Response)|Status|(HTTP)?Validation(Error)"
)


def fixture_of(path: Path) -> Path:
    """Return the source file that a document belongs to: a file, or the ``run.py`` of a project."""
    files = (SIGNATURES / f"{path.stem}.py", SIGNATURES / "newer" / f"{path.stem}.py")
    project = SIGNATURES / "projects" / path.stem / "run.py"
    return next((file for file in files if file.exists()), project)


def golden(file: Path) -> dict[str, Any]:
    """Return what is particular to the document of a fixture."""
    header = _HEADER.match(file.read_text(encoding="utf-8"))
    name, mode = (header[1], "train" if header[2] else "run") if header else ("Runner", "run")
    signature = analyze(file.parent, f"{file.name}:{name}", mode)
    by_mode = {"run": None, "train": None, mode: signature}
    whole = document(by_mode["run"], by_mode["train"], "0")
    schemas = whole["components"]["schemas"]
    post = whole["paths"]["/trainings" if mode == "train" else "/predictions"]["post"]
    return {
        "components": {key: schemas[key] for key in schemas if not _SAME_FOR_ALL.fullmatch(key)},
        "operation": {key: post[key] for key in post if key.startswith("x-")},
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.stem))
def test_document_is_the_one_that_was_checked(path: Path) -> None:
    assert golden(fixture_of(path)) == json.loads(path.read_text(encoding="utf-8"))


def test_there_are_at_least_sixty() -> None:
    assert len(DOCUMENTS) >= 60

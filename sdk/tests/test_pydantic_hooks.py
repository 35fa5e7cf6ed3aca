"""Our types as fields of pydantic models, where a model uses pydantic."""

from __future__ import annotations

from typing import Any

import pytest

from cog import File, Path, Secret, URLPath

pydantic: Any = pytest.importorskip("pydantic", reason="needs pydantic")


def make(**fields: Any) -> Any:
    return pydantic.create_model("Made", **{name: (tpe, ...) for name, tpe in fields.items()})


def test_paths_are_validated_as_ours() -> None:
    made = make(file=Path)(file="x.png")
    assert type(made.file) is Path
    assert isinstance(make(file=Path)(file="data:,x").file, URLPath)


def test_secrets_stay_secret() -> None:
    made = make(token=Secret)(token="hidden")
    assert made.token == Secret("hidden")
    assert "hidden" not in repr(made)


def test_files_are_opened() -> None:
    assert make(file=File)(file="data:,x").file.read() == b"x"
    with pytest.raises(ValueError, match="http"):
        make(file=File)(file="x")

"""The module under which authors import the types."""

from __future__ import annotations

import cog
from cog import types


def test_its_names_are_those_of_cog() -> None:
    for name in types.__all__:
        assert getattr(types, name) is getattr(cog, name)


def test_opaque_is_a_marker_in_annotations() -> None:
    from typing import Annotated, Any, get_type_hints

    def run(config: Annotated[Any, cog.Opaque]) -> None: ...

    hints = get_type_hints(run, localns={"Annotated": Annotated, "Any": Any}, include_extras=True)
    assert hints["config"].__metadata__ == (cog.Opaque,)

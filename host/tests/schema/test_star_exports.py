"""What star imports of other packages bring."""

from __future__ import annotations

import cog
from cogworks.schema.star_exports import star_exports


def test_the_sdk_brings_what_it_says_that_it_does() -> None:
    assert star_exports("cog") == set(cog.__all__)


def test_the_standard_library_brings_its_types() -> None:
    assert {"Literal", "Tuple", "TypedDict"} <= star_exports("typing")
    assert star_exports("typing_extensions") == star_exports("typing")
    assert "Enum" in star_exports("enum")


def test_of_other_packages_nothing_is_known() -> None:
    assert star_exports("numpy") == frozenset()

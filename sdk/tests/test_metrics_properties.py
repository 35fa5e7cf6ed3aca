"""Metric names, against the rules written as one pattern."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis")

from hypothesis import example, given
from hypothesis import strategies as st

from cog.metrics import check_name

SEGMENT = r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*"
NAME = re.compile(rf"(?!predict_time(?:\.|\Z)|cog\.){SEGMENT}(?:\.{SEGMENT}){{0,3}}\Z")


@given(st.text("aZ09._é -", max_size=12) | st.text() | st.from_regex(NAME))
@example("a" * 128)
@example("a" * 129)
@example("predict_time")
@example("cog.x")
@example("a\n")
def test_a_name_is_accepted_exactly_if_it_fits_the_pattern(name: str) -> None:
    try:
        check_name(name)
        accepted = True
    except ValueError:
        accepted = False
    assert accepted == (NAME.match(name) is not None and len(name) <= 128)

"""Rules of single values that a parser of their own could contradict."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogworks.oci.errors import OciError
from cogworks.oci.reference import parse_reference
from cogworks.project.rules import IMAGE

PIECES = st.sampled_from(
    [
        *("a", "B", "python", "localhost", "registry.example", "0", "[::1]", "x-y", "a__b", "v1"),
        *("/", ":", ":5000", ".", "-", "_", "@", "@sha256:" + "0" * 64, "sha512:", " ", "é", "\n"),
    ]
)


def is_reference(text: str) -> bool:
    try:
        parse_reference(text)
    except OciError:
        return False
    return True


@given(st.lists(PIECES, max_size=8).map("".join))
@example("python:3.12-slim")
@example("registry.example:5000/a/b:v1@sha256:" + "a" * 64)
@example("0" * 64)
def test_what_is_no_image_for_the_rule_is_none_for_the_builder(text: str) -> None:
    """The rule is there to say it early, with the line; it must not refuse what can be built upon."""
    if IMAGE.complaint(text) is not None:
        assert not is_reference(text)


@pytest.mark.parametrize(
    "text", ["", "Python", "a b", "a:", "a@", "a@sha256:0", "/a", "a/", "a//b", "https://a/b"]
)
def test_what_is_no_image_is_said(text: str) -> None:
    assert IMAGE.complaint(text) is not None
    assert not is_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        *("python", "python:3.12-slim", "localhost:5000/a", "registry.example/A".lower()),
        *("[::1]:5000/a/b", "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04", "Registry.example/a"),
        "me/base@sha256:" + "0" * 64,
    ],
)
def test_images_are_taken(text: str) -> None:
    assert IMAGE.complaint(text) is None
    assert is_reference(text)

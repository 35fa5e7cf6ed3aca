"""The table of CUDA and cuDNN."""

from __future__ import annotations

import pytest

from cogworks.project.compatibility import CUDNN_BY_CUDA, cudnn_for_cuda


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [("11.8", ("8",)), ("11.8.0", ("8",)), ("12.4", ("9",)), ("13.2.1", ("9",)), ("9.0", ())],
)
def test_a_version_stands_for_all_its_patches(cuda: str, expected: tuple[str, ...]) -> None:
    assert cudnn_for_cuda(cuda) == expected


def test_a_shorter_number_is_not_a_prefix_of_a_longer_one() -> None:
    assert cudnn_for_cuda("1") == ()
    assert cudnn_for_cuda("12.1.9") == ()


def test_every_known_version_is_there() -> None:
    assert len(CUDNN_BY_CUDA) == 34

"""The tables of CUDA, PyTorch and TensorFlow."""

from __future__ import annotations

import re

import pytest

from cogworks.project.compatibility import (
    cuda_images,
    cudnn_for_cuda,
    find_image,
    is_same_release,
    numbers,
    tensorflow_builds,
    torch_builds,
)


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [("11.8", ("8",)), ("11.8.0", ("8",)), ("12.4", ("9",)), ("13.2.1", ("9",)), ("9.0", ())],
)
def test_a_version_stands_for_all_its_patches(cuda: str, expected: tuple[str, ...]) -> None:
    assert cudnn_for_cuda(cuda) == expected


def test_a_shorter_number_is_not_a_prefix_of_a_longer_one() -> None:
    assert cudnn_for_cuda("1") == ()
    assert cudnn_for_cuda("12.1.9") == ()


@pytest.mark.parametrize(
    ("cuda", "cudnn", "tag"),
    [
        ("11.8", "8", "11.8.0-cudnn8-devel-ubuntu22.04"),
        ("11.6", None, "11.6.2-cudnn8-devel-ubuntu20.04"),
        ("11.6.1", "8", "11.6.1-cudnn8-devel-ubuntu20.04"),
        ("12.3", "9", "12.3.2-cudnn9-devel-ubuntu22.04"),
        ("12.6", None, "12.6.3-cudnn-devel-ubuntu24.04"),
    ],
)
def test_the_newest_patch_and_then_the_newest_ubuntu_is_taken(
    cuda: str, cudnn: str | None, tag: str
) -> None:
    image = find_image(cuda, cudnn)
    assert image is not None
    assert image.tag == tag


def test_a_pair_without_an_image_has_none() -> None:
    assert find_image("12.3", "8") is None
    assert find_image("12.7", None) is None


def test_every_tag_says_what_its_row_says() -> None:
    for image in cuda_images():
        match = re.fullmatch(r"([\d.]+)-cudnn(\d*)-devel-ubuntu([\d.]+)", image.tag)
        assert match is not None, image
        assert (match[1], match[3]) == (image.cuda, image.ubuntu)
        assert match[2] in ("", image.cudnn)


def test_the_tables_are_whole_and_in_order() -> None:
    assert len({image.cuda for image in cuda_images()}) >= 34
    assert len(torch_builds()) >= 96
    assert len(tensorflow_builds()) >= 18
    images = [(numbers(one.cuda), numbers(one.ubuntu)) for one in cuda_images()]
    assert images == sorted(set(images))
    releases = [numbers(one.torch) for one in torch_builds()]
    assert releases == sorted(releases)
    assert [numbers(one.tensorflow) for one in tensorflow_builds()] == sorted(
        {numbers(one.tensorflow) for one in tensorflow_builds()}
    )


def test_the_suffix_of_a_build_names_its_cuda_and_its_folder() -> None:
    for build in torch_builds():
        if build.folder is not None:
            digits = "cpu" if build.cuda is None else f"cu{build.cuda.replace('.', '')}"
            assert build.folder == digits, build


def test_versions_are_compared_as_numbers() -> None:
    assert numbers("12.10") > numbers("12.9.1")
    assert numbers("2.5.1+cu121") == (2, 5, 1)
    assert is_same_release("2.5", "2.5.0+cpu")
    assert not is_same_release("2.5", "2.5.1")

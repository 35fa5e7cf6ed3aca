from __future__ import annotations

import pytest

from cogworks.cli.container_image import foreign_platform


@pytest.mark.parametrize(
    ("image", "machine"),
    [
        ("linux/amd64", "x86_64"),
        ("linux/amd64", "AMD64"),
        ("linux/arm64/v8", "arm64"),
        ("linux/arm64", "aarch64"),
        ("", "x86_64"),
    ],
)
def test_an_image_for_this_machine_is_no_news(image: str, machine: str) -> None:
    assert foreign_platform("m", image, machine) == ""


def test_an_image_for_another_kind_of_machine_is_told() -> None:
    assert foreign_platform("me/m:v1", "linux/arm64/v8", "x86_64") == (
        "me/m:v1 is for linux/arm64, and this machine is of another kind (amd64): it needs emulation"
    )

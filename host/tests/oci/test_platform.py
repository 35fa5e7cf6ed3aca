from __future__ import annotations

from dataclasses import dataclass

import pytest

from cogworks.oci.errors import PlatformError
from cogworks.oci.platform import Platform, choose, parse_platform


@dataclass(frozen=True)
class Entry:
    name: str
    platform: Platform | None


def entries(*names: str) -> list[Entry]:
    return [Entry(name, parse_platform(name)) for name in names]


@pytest.mark.parametrize(
    ("text", "platform"),
    [
        ("linux/amd64", Platform("linux", "amd64")),
        ("amd64", Platform("linux", "amd64")),
        ("linux/x86_64", Platform("linux", "amd64")),
        ("Linux/AArch64", Platform("linux", "arm64")),
        ("linux/arm64/v8", Platform("linux", "arm64")),
        ("linux/arm/v6", Platform("linux", "arm", "v6")),
        ("linux/armhf", Platform("linux", "arm")),
    ],
)
def test_platforms_are_known_by_one_name(text: str, platform: Platform) -> None:
    assert parse_platform(text) == platform


@pytest.mark.parametrize("text", ["", "linux/", "a/b/c/d", "linux/amd 64"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(PlatformError, match="is not a platform"):
        parse_platform(text)


@pytest.mark.parametrize(
    ("there", "wanted", "chosen"),
    [
        (["linux/arm64", "linux/amd64"], "linux/amd64", "linux/amd64"),
        (["linux/arm64/v8"], "linux/arm64", "linux/arm64/v8"),
        (["linux/arm/v5", "linux/arm/v6"], "linux/arm/v7", "linux/arm/v6"),
        (["linux/amd64", "linux/amd64/v2", "linux/amd64/v3"], "linux/amd64/v2", "linux/amd64/v2"),
        (["linux/amd64/v3", "linux/amd64"], "linux/amd64", "linux/amd64"),
    ],
)
def test_the_entry_that_fits_best_is_chosen(there: list[str], wanted: str, chosen: str) -> None:
    assert choose(entries(*there), parse_platform(wanted)).name == chosen


def test_what_would_not_run_is_not_chosen_and_the_error_lists_what_there_is() -> None:
    there = [*entries("linux/amd64/v3", "linux/arm64"), Entry("?", Platform("unknown", "unknown"))]
    with pytest.raises(PlatformError) as caught:
        choose([*there, Entry("none", None)], parse_platform("linux/amd64"), "python:3")
    assert str(caught.value) == (
        "python:3 is not available for linux/amd64. It is for: linux/amd64/v3, linux/arm64."
    )

"""The names of downloaded files."""

from __future__ import annotations

import pytest

from cog.filename import MAX_NAME_BYTES, name_from_url, safe_name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/photo.jpg", "photo.jpg"),
        ("https://h/a/photo.jpg?size=2#top", "photo.jpg"),
        ("https://h/my%20photo.jpg", "my photo.jpg"),
        ("https://h/%C3%A4.tar.gz", "ä.tar.gz"),
        ("https://h/a%2Fb.png", "a_b.png"),
        ("https://h/%2e%2e%2Fpasswd", ".._passwd"),
        ("https://h/a%00b.png", "a_b.png"),
        ("https://h/%2e%2e", "file"),
        ("https://h/a/", "file"),
        ("https://h", "file"),
    ],
)
def test_the_name_is_the_last_part_of_the_path(url: str, name: str) -> None:
    assert name_from_url(url) == name


@pytest.mark.parametrize("letter", ["a", "ä", "語", "😀"])
def test_a_long_name_is_cut_to_bytes_and_keeps_its_extension(letter: str) -> None:
    name = safe_name(letter * 300 + ".jpeg")
    assert MAX_NAME_BYTES - 4 < len(name.encode()) <= MAX_NAME_BYTES
    assert name.endswith("~.jpeg")
    assert set(name[:-6]) == {letter}


def test_a_name_of_just_the_limit_stays() -> None:
    name = "a" * (MAX_NAME_BYTES - 4) + ".png"
    assert safe_name(name) == name


def test_an_endless_extension_is_cut_too() -> None:
    name = safe_name("a." + "b" * 300)
    assert len(name) == MAX_NAME_BYTES
    assert name.endswith("b~")

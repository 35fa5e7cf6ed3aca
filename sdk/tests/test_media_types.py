"""Media types, with ``.webp`` in every Python."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cog.media_types import guess_extension, guess_media_type


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.png", "image/png"),
        ("a.webp", "image/webp"),
        ("a.unheard-of", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_a_name_says_its_media_type(name: str, media_type: str) -> None:
    assert guess_media_type(name) == media_type


@pytest.mark.parametrize(
    ("media_type", "extension"),
    [
        ("image/png", ".png"),
        ("IMAGE/PNG; x=y", ".png"),
        ("image/webp", ".webp"),
        ("text/plain;charset=utf-8", ".txt"),
        ("no/such", ""),
    ],
)
def test_a_media_type_has_an_extension(media_type: str, extension: str) -> None:
    assert guess_extension(media_type) == extension


# Without the tables of the system, which may know it too.
@pytest.mark.parametrize(
    "imports",
    ["mimetypes.init(); from cog import Path", "from cog import Path; mimetypes.init()"],
)
def test_models_find_webp_in_mimetypes(imports: str) -> None:
    code = (
        f"import mimetypes; mimetypes.knownfiles.clear(); {imports}; "
        "print(mimetypes.guess_type('x.webp')[0], mimetypes.guess_extension('image/webp'))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["image/webp", ".webp"]

"""Each example, run by the real command as its README says."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import EXAMPLES, Example

pytestmark = [pytest.mark.slow, pytest.mark.network]

MakeExample = Callable[[str], Example]

EDGES = """\
import sys
from PIL import Image, ImageFilter, ImageStat
with Image.open(sys.argv[1]) as picture:
    small = picture.convert("L").resize((451, 300))
print(ImageStat.Stat(small.filter(ImageFilter.FIND_EDGES)).stddev[0])
"""
"""Prints how much edge there is in a picture."""


def test_hello_world_greets(example: MakeExample) -> None:
    hello = example("hello-world")

    assert hello.run(hello.readme_command()).stdout == "hello Ada\n"


def test_hello_world_greets_the_world_if_told_of_nobody(example: MakeExample) -> None:
    assert example("hello-world").run("cog run").stdout == "hello world\n"


def test_blur_writes_a_soft_picture_of_twice_the_size(example: MakeExample) -> None:
    blur = example("blur")

    done = blur.run(blur.readme_command())

    assert "out.png" in done.stderr
    assert read_png_size(blur.directory / "out.png") == (902, 600)
    sharp, soft = (
        float(blur.run(f"cog exec python -c '{EDGES}' {name}").stdout)
        for name in ("photo.jpg", "out.png")
    )
    assert soft < sharp / 2


def test_digits_tells_its_progress_and_then_the_digit(example: MakeExample) -> None:
    digits = example("digits")

    lines = [
        line.strip(' ",[]') for line in digits.run(digits.readme_command()).stdout.splitlines()
    ]

    said = [line for line in lines if line]
    assert said[0] == "read 160x160 pixels"
    assert said[-1] == "digit: 7"


def test_digits_can_be_trained_anew_with_the_same_result(example: MakeExample) -> None:
    digits = example("digits")
    (digits.directory / "weights.npz").unlink()
    (digits.directory / "digit.png").unlink()

    assert "accuracy on 450 held-out digits: 0.9" in digits.run("cog exec python train.py").stdout
    assert "digit: 7" in digits.run(digits.readme_command()).stdout


def test_embed_finds_the_two_texts_that_mean_the_same(example: MakeExample) -> None:
    embed = example("embed")

    answer = json.loads(embed.run(embed.readme_command()).stdout)

    assert answer["status"] == "succeeded"
    cat_kitten, cat_law = answer["output"]["similarities"][0][1:]
    # Within the rounding, what PyTorch and sentence-transformers 6.2.0 compute of these weights.
    assert abs(cat_kitten - 0.7374) < 1e-3
    assert abs(cat_law - 0.1703) < 1e-3
    for vector in answer["output"]["vectors"]:
        assert len(vector) == 384
        assert abs(math.hypot(*vector) - 1) < 1e-4


def test_tokens_writes_its_prompt_again_and_again(example: MakeExample) -> None:
    tokens = example("tokens")
    sentence = (tokens.directory / "prompt.txt").read_text().strip()

    assert tokens.run(tokens.readme_command()).stdout == f"{sentence} {sentence}\n"


def test_tokens_writes_words_as_they_come(example: MakeExample) -> None:
    tokens = example("tokens")

    with tokens.start("cog run -i prompt=tick -i count=4 -i delay_s=0.3") as process:
        pipe = process.stdout
        assert pipe is not None
        pieces = list(iter(lambda: pipe.read(4096), b""))

    assert b"".join(pieces) == b"tick tick tick tick\n"
    assert pieces[0] == b"tick"
    assert process.returncode == 0


@pytest.mark.parametrize("directory", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_example_has_one_command_and_no_lock_file(directory: Path) -> None:
    assert Example(directory, {}).readme_command().startswith("cog run")
    # It would name the registry that made it.
    assert not (directory / "uv.lock").exists()


def read_png_size(path: Path) -> tuple[int, int]:
    """Return width and height from the header of a PNG file."""
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", header[16:24])
    return width, height

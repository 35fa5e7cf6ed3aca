"""`cog run IMAGE` of our own images: pulled from a registry by docker or podman, with live text and files."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Mapping

import pytest

from .conftest import COMMANDS, Desk, cog

pytestmark = [pytest.mark.slow, pytest.mark.network]


def test_an_image_is_pulled_once_and_its_inputs_are_known_before_it_starts(
    desk: Desk, variables: Mapping[str, str]
) -> None:
    directory = desk.copy("hello-world")
    # Others pull this example, too, and the same project is the same image.
    (directory / "only-here.txt").write_text("An image that no engine has.\n")
    image = desk.push(directory)
    wrong = cog(desk.root, variables, "run", image, "-i", "txt=Ada")
    assert wrong.returncode == 1
    assert f"Pulling {image}\n" in wrong.stderr
    assert wrong.stderr.endswith('error: unknown input "txt"; valid inputs are: text\n')
    done = cog(desk.root, variables, "run", image, "-i", "text=Ada")
    assert (done.returncode, done.stdout) == (0, "hello Ada\n"), done.stderr
    assert done.stderr == "Starting the container and running setup()...\nRunning prediction...\n"


def test_text_appears_as_it_is_yielded(desk: Desk, variables: Mapping[str, str]) -> None:
    image = desk.push(desk.copy("tokens"))
    cog(desk.root, variables, "run", image, "-i", "prompt=a", "-i", "count=1")
    command = [str(COMMANDS / "cog"), "run", image, "-i", "prompt=a b", "-i", "delay_s=1"]
    with subprocess.Popen(
        [*command, "-i", "count=4"],
        cwd=desk.root,
        env=dict(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        # The model waits a second before each word: what comes alone came at once.
        assert os.read(process.stdout.fileno(), 100) == b"a"
        assert process.stdout.read() == b" b a b\n"
    assert process.returncode == 0


def test_files_go_in_and_come_out(desk: Desk, variables: Mapping[str, str]) -> None:
    directory = desk.copy("blur")
    image = desk.push(directory)
    arguments = ["-i", "image=@photo.jpg", "-i", "scale=2", "-o", "out.png"]
    done = cog(directory, variables, "run", image, *arguments)
    assert done.returncode == 0, done.stderr
    assert struct.unpack(">II", (directory / "out.png").read_bytes()[16:24]) == (902, 600)
    assert "read 451x300 pixels\n" in done.stderr

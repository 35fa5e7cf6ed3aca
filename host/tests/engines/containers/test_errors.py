from __future__ import annotations

import pytest

from cogworks.engines.containers.errors import CommandFailedError, reason


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Error response from daemon: No such container: x\n", "No such container: x"),
        (
            "docker: Error response from daemon: no space.\n\nRun 'docker run --help' for more\n",
            "no space.",
        ),
        ("Emulate Docker CLI using podman.\nError: no such image\n", "no such image"),
        (
            "a pull of https://me:secret@r.example/v2 failed",
            "a pull of https://***@r.example/v2 failed",
        ),
        ("", ""),
    ],
)
def test_the_reason_is_what_is_left_of_an_error(said: str, told: str) -> None:
    assert reason(said) == told


def test_a_long_reason_is_cut() -> None:
    assert len(reason("x" * 2000)) == 500


@pytest.mark.parametrize(
    ("arguments", "verb"),
    [
        (["image", "inspect", "--format", "x", "y"], "docker image inspect"),
        (["load", "-q"], "docker load"),
        (["rm", "-f", "x"], "docker rm"),
        (["rm", "name"], "docker rm"),
    ],
)
def test_a_failed_command_is_named_without_its_arguments(arguments: list[str], verb: str) -> None:
    error = CommandFailedError("docker", arguments, 1, "no luck")
    assert str(error) == f"`{verb}` failed: no luck"
    assert str(CommandFailedError("docker", arguments, 3, "")) == f"`{verb}` failed: exit code 3"

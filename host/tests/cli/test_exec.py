from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]


def test_the_command_runs_in_the_models_environment(make_project: Make, cache_dir: Path) -> None:
    code = "import os, sys, cog; print(sys.prefix); print(os.getcwd()); print(os.environ['A'])"
    project = make_project("", config="environment:\n  - A=yaml\n")
    done = project.cog("exec", "python", "-c", code)
    assert done.returncode == 0, done.stderr
    prefix, directory, variable = done.stdout.decode().splitlines()
    assert Path(prefix).is_relative_to(cache_dir)
    assert Path(directory) == project.directory
    assert variable == "yaml"


def test_the_exit_code_is_the_commands(make_project: Make) -> None:
    assert make_project("").cog("exec", "sh", "-c", "exit 42").returncode == 42


def test_a_command_that_a_signal_ended_is_told_as_such(make_project: Make) -> None:
    assert make_project("").cog("exec", "sh", "-c", "kill -9 $$").returncode == -signal.SIGKILL


def test_stdin_is_the_commands(make_project: Make) -> None:
    assert make_project("").cog("exec", "cat", stdin=b"\x00\xff").stdout == b"\x00\xff"


def test_options_after_the_command_are_the_commands(make_project: Make) -> None:
    done = make_project("").cog(
        "exec", "-e", "A=1", "sh", "-c", 'echo "$A $@"', "sh", "-e", "--help"
    )
    assert done.stdout == b"1 -e --help\n", done.stderr


def test_a_signal_reaches_the_command(make_project: Make) -> None:
    code = "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    with make_project("").started("exec", "sh", "-c", code) as process:
        stdout: IO[bytes] = process.stdout
        assert stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert stdout.read() == b"caught\n"
        process.stderr.read()
    assert process.returncode == 7


def test_a_broken_pipe_ends_the_command_as_in_a_shell(make_project: Make) -> None:
    done = make_project("").cog("exec", "bash", "-c", "set -o pipefail; yes | head -n 1")
    assert done.stdout == b"y\n"
    assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (
            "no-such-command",
            127,
            "there is no command 'no-such-command' in the model's environment",
        ),
        ("./cog.yaml", 126, "'./cog.yaml' is not executable"),
    ],
)
def test_what_cannot_be_run_is_told_as_a_shell_does(
    command: str, code: int, message: str, make_project: Make
) -> None:
    done = make_project("").cog("exec", command)
    assert done.returncode == code
    assert f"error: {message}\n" in done.stderr.decode()


def test_no_command_is_a_usage_error(make_project: Make) -> None:
    assert make_project("").cog("exec").returncode == 2

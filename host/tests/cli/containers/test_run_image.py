"""`cog run IMAGE` with real engines: results as ever, and no container is left, whatever ends the command."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from typing import IO

import pytest

from tests.parts.base_tree import BaseTree

from .conftest import OTHERS, Terminal, load_others

pytestmark = [pytest.mark.slow, pytest.mark.network]


def read_until(stream: IO[bytes], text: bytes) -> bytes:
    """Read lines up to the one that has the text."""
    seen = b""
    for line in stream:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} is not in {seen!r}")


def test_the_result_is_on_stdout_and_logs_are_on_stderr(terminal: Terminal) -> None:
    done = terminal.cog("run", OTHERS, "-i", "text=hello")
    assert (done.returncode, done.stdout) == (0, "HELLO\n"), done.stderr
    lines = done.stderr.splitlines()
    assert lines[0] == "Starting the container and running setup()..."
    assert set(lines) >= {"setting up", "Running prediction...", "predicting"}


def test_what_a_container_prints_never_mixes_with_the_result(terminal: Terminal) -> None:
    done = terminal.cog("run", OTHERS, "-i", "text=hello", "-e", "MODE=prints")
    assert done.stdout == "HELLO\n"
    assert "setting up" in done.stderr


def test_the_container_gets_what_the_format_gives_it(terminal: Terminal) -> None:
    done = terminal.cog(
        *("run", OTHERS, "-i", "text=x", "--use-replicate-token", "-e", "MODE=tells"),
        *("-e", "MINE", "--json", '{"text": "x"}')[:2],
        MINE="of this machine",
        RUST_LOG="debug",
        REPLICATE_API_TOKEN="r8",
    )
    told = json.loads(done.stdout)
    assert told["variables"] == {
        "RUST_LOG": "debug",
        "LOG_FORMAT": "console",
        "MINE": "of this machine",
    }
    assert told["context"] == {"replicate_api_token": "r8"}
    assert told["path"] == "/predictions"
    assert told["shm"] == 6 * 1024**3


def test_json_and_files_are_as_without_a_container(terminal: Terminal) -> None:
    done = terminal.cog("run", OTHERS, "--json", '{"text": "x"}')
    report = json.loads(done.stdout)
    assert (report["status"], report["output"]) == ("succeeded", "X")
    done = terminal.cog("run", OTHERS, "-i", "text=x", "-o", "out.txt")
    assert (terminal.folder / "out.txt").read_text() == "X\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-i", "txt=x"), 'unknown input "txt"'),
        (("-i", "text=x", "-i", "count=0"), 'invalid input "count": must be >= 1, got 0'),
    ],
)
def test_inputs_are_checked_against_the_server_where_no_label_tells(
    terminal: Terminal, arguments: tuple[str, ...], told: str
) -> None:
    done = terminal.cog("run", OTHERS, *arguments)
    assert done.returncode == 1
    assert told in done.stderr


def test_inputs_are_checked_against_the_label_before_anything_starts(
    terminal: Terminal, debian: BaseTree
) -> None:
    document = {"components": {"schemas": {"Input": {"properties": {"text": {"type": "string"}}}}}}
    name = "others/labelled:1"
    load_others(
        terminal.engine, terminal.engine_name, debian, name, openapi_schema=json.dumps(document)
    )
    done = terminal.cog("run", name, "-i", "txt=x")
    assert done.returncode == 1
    assert done.stderr == 'error: unknown input "txt"; valid inputs are: text\n'


def test_a_training_has_its_own_address_and_command(terminal: Terminal) -> None:
    done = terminal.cog("train", OTHERS, "-i", "text=x", "-e", "MODE=tells")
    assert done.returncode == 0, done.stderr
    told = json.loads((terminal.folder / "weights").read_text())
    assert told["path"] == "/trainings"
    assert told["argv"] == ["python", "-m", "cog.server.http", "--x-mode", "train"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("fails", "error: Model setup failed\n"),
        ("dies", "error: Container exited unexpectedly with code 3.\n"),
        ("dies-late", "error: Container exited unexpectedly with code 3.\n"),
        ("refuses", "error: The inputs do not fit the model:\n  - text: too short\n"),
        ("unlucky", 'error: Prediction failed with status "failed": no luck\n'),
    ],
)
def test_a_failure_is_told_in_a_sentence_after_the_logs(
    terminal: Terminal, mode: str, told: str
) -> None:
    done = terminal.cog("run", OTHERS, "-i", "text=x", "-e", f"MODE={mode}")
    assert done.returncode == 1
    assert "setting up" in done.stderr
    assert done.stderr.endswith(told)


def test_a_setup_that_takes_too_long_is_ended(terminal: Terminal) -> None:
    arguments = ("-i", "text=x", "-e", "MODE=starts", "--setup-timeout", "3")
    done = terminal.cog("run", OTHERS, *arguments)
    assert done.returncode == 1
    assert "error: Timed out: the model was not ready within 3 s" in done.stderr


def test_a_gpu_that_nobody_asked_for_is_not_missed(terminal: Terminal, debian: BaseTree) -> None:
    name = "others/gpu:1"
    config = json.dumps({"build": {"gpu": True}})
    load_others(terminal.engine, terminal.engine_name, debian, name, config=config)
    done = terminal.cog("run", name, "-i", "text=x")
    assert (done.returncode, done.stdout) == (0, "X\n"), done.stderr
    assert "warning: no GPU can be used in containers on this machine" in done.stderr
    asked = terminal.cog("run", name, "-i", "text=x", "--gpus", "all")
    assert asked.returncode == 1
    assert f"error: {terminal.engine_name} did not start the container: " in asked.stderr


def test_an_image_without_labels_is_no_model(terminal: Terminal, debian: BaseTree) -> None:
    name = "others/nothing:1"
    load_others(terminal.engine, terminal.engine_name, debian, name, version="", config="")
    done = terminal.cog("run", name)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {name} is not a cog model")


def test_an_image_that_is_nowhere_is_told(terminal: Terminal, real_registry: str) -> None:
    done = terminal.cog("run", f"{real_registry}/no/such:1")
    assert done.returncode == 1
    assert f"Pulling {real_registry}/no/such:1\n" in done.stderr
    assert f"error: {terminal.engine_name} cannot pull {real_registry}/no/such:1: " in done.stderr


@pytest.mark.parametrize(
    ("signum", "code", "mode"),
    [
        (signal.SIGINT, 130, "starts"),
        (signal.SIGINT, 130, "hangs"),
        (signal.SIGTERM, 143, "hangs"),
        (signal.SIGHUP, 129, "hangs"),
    ],
)
def test_a_signal_ends_the_command_and_the_container(
    terminal: Terminal, signum: signal.Signals, code: int, mode: str
) -> None:
    text = b"setting up" if mode == "starts" else b"predicting"
    with terminal.started("run", OTHERS, "-i", "text=x", "-e", f"MODE={mode}") as process:
        assert process.stderr is not None
        read_until(process.stderr, text)
        assert len(terminal.containers()) == 1
        process.send_signal(signum)
        process.stderr.read()
        process.wait()
    assert process.returncode == code
    assert terminal.containers() == []


def test_a_second_ctrl_c_does_not_wait_for_the_grace(terminal: Terminal) -> None:
    with terminal.started("run", OTHERS, "-i", "text=x", "-e", "MODE=deaf") as process:
        assert process.stderr is not None
        read_until(process.stderr, b"predicting")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.stderr.read()
        process.wait()
    assert process.returncode == 130
    assert terminal.containers() == []


def test_a_kill_of_the_command_ends_the_container(terminal: Terminal) -> None:
    with terminal.started("run", OTHERS, "-i", "text=x", "-e", "MODE=hangs") as process:
        assert process.stderr is not None
        read_until(process.stderr, b"predicting")
        process.kill()
    terminal.wait_until_empty()


def test_a_terminal_that_is_closed_takes_the_container_with_it(terminal: Terminal) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        terminal.command("run", OTHERS, "-i", "text=x", "-e", "MODE=hangs"),
        cwd=terminal.folder,
        env=dict(terminal.environ),
        # The terminal becomes the process's own: when it goes, the kernel tells by SIGHUP.
        preexec_fn=lambda: os.login_tty(theirs),
    )
    os.close(theirs)
    seen = b""
    while b"predicting" not in seen:
        seen += os.read(ours, 1024)
    os.close(ours)
    assert process.wait(60) == 129
    assert terminal.containers() == []


def test_a_closed_stdout_leaves_no_container(terminal: Terminal) -> None:
    command = " ".join(terminal.command("run", OTHERS, "-i", "text=x"))
    done = subprocess.run(
        ["sh", "-c", f"{command} >&-"],
        cwd=terminal.folder,
        env=dict(terminal.environ),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert terminal.containers() == []

"""Programs as child processes: what they print, how they end, and that nothing of them is left."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from cogworks.build.errors import StageError
from cogworks.build.stages.program import follow, reading

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def ignore(line: str) -> None:
    pass


class Interrupted(BaseException):
    """Stands for Ctrl-C."""


def test_both_outputs_are_heard_line_by_line(tmp_path: Path) -> None:
    heard: list[str] = []
    script = "echo one; echo two >&2; pwd; printf three; exit 5"
    ended = follow(["sh", "-c", script], ENVIRONMENT, heard.append, directory=tmp_path)
    assert (ended.code, heard) == (5, ["one", "two", str(tmp_path), "three"])
    assert ended.lines == tuple(heard)


def test_a_program_sees_only_the_variables_that_it_is_given() -> None:
    heard: list[str] = []
    follow(["env"], {**ENVIRONMENT, "A": "b"}, heard.append)
    assert sorted(line.partition("=")[0] for line in heard) == ["A", "PATH"]


def test_a_program_is_fed_while_it_prints() -> None:
    heard: list[str] = []
    blocks = [b"x" * 99_999 + b"\n"] * 40
    ended = follow(["cat"], ENVIRONMENT, heard.append, data=blocks)
    assert (ended.code, len(heard)) == (0, 40)


def test_a_program_that_does_not_read_is_no_error() -> None:
    ended = follow(["sh", "-c", "exit 3"], ENVIRONMENT, ignore, data=[bytes(10**6)] * 3)
    assert ended.code == 3


def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(StageError, match=r"nothing-here cannot be started: No such file"):
        follow(["/nothing-here"], ENVIRONMENT, ignore)


def test_what_a_program_has_started_ends_when_we_are_interrupted(tmp_path: Path) -> None:
    script = (
        "trap 'echo cleaned > done; exit 1' TERM; "
        f"{sys.executable} -c 'import time; time.sleep(600)' & echo $! > pid; echo started; wait"
    )

    def interrupt(line: str) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        follow(["sh", "-c", script], ENVIRONMENT, interrupt, directory=tmp_path)
    assert (tmp_path / "done").read_text() == "cleaned\n"
    assert ends(int((tmp_path / "pid").read_text()))


def ends(pid: int) -> bool:
    """Wait until a process that is not our child is gone."""
    for _ in range(200):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return True
        threading.Event().wait(0.02)
    return False


def test_output_is_read_while_the_program_works() -> None:
    with reading(["sh", "-c", "echo one; echo two"], ENVIRONMENT, "it failed") as stream:
        assert stream.readline() == b"one\n"


def test_a_program_that_fails_after_its_output_is_an_error() -> None:
    script = "echo out; echo first >&2; echo why >&2; exit 1"
    with (
        pytest.raises(StageError, match="it failed: why"),
        reading(["sh", "-c", script], ENVIRONMENT, "it failed") as stream,
    ):
        assert stream.read() == b"out\n"


def test_an_error_of_the_reader_comes_before_that_of_the_program() -> None:
    with (
        pytest.raises(ValueError, match="mine"),
        reading(["sh", "-c", "echo x; exit 1"], ENVIRONMENT, "it failed"),
    ):
        raise ValueError("mine")

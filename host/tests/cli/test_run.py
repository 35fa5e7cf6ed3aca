from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

ECHO = """
import os, sys
from typing import Any, Optional
from cog import BaseRunner, Input, Path

class Runner(BaseRunner):
    def setup(self):
        print("setting up")

    def run(
        self,
        text: str = Input(default="world", max_length=20),
        count: int = Input(default=1, ge=1, le=3),
        file: Optional[Path] = Input(default=None),
    ) -> str:
        print("working", file=sys.stderr)
        if file is not None:
            text = file.read_text()
        return " ".join([text] * count) + os.environ.get("TAIL", "")
"""

PIECES = """
import pathlib, time
from cog import BaseRunner, ConcatenateIterator

class Runner(BaseRunner):
    def run(self, gate: str) -> ConcatenateIterator[str]:
        yield "first "
        while not pathlib.Path(gate).exists():
            time.sleep(0.01)
        yield "second"
"""

ENDLESS = """
import time
from cog import BaseRunner, ConcatenateIterator

class Runner(BaseRunner):
    def run(self) -> ConcatenateIterator[str]:
        while True:
            yield "more and more "
            time.sleep(0.01)
"""

SLEEPER = """
import os, pathlib, subprocess, sys, time
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, pids: str) -> str:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        path = pathlib.Path(pids)
        path.with_suffix(".part").write_text(f"{os.getpid()} {child.pid}")
        path.with_suffix(".part").rename(path)
        time.sleep(600)
        return "late"
"""

STUBBORN = """
import pathlib, time
from cog import BaseRunner

class Runner(BaseRunner):
    def run(self, marker: str) -> str:
        while True:
            try:
                pathlib.Path(marker).touch()
                time.sleep(600)
            except BaseException:
                pathlib.Path(marker).write_text("refused")
"""

FILES = """
import pathlib, tempfile
from typing import Iterator
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def run(self, image: Path) -> Iterator[Path]:
        for number in range(2):
            path = Path(tempfile.mkdtemp()) / "a.png"
            path.write_bytes(pathlib.Path(image).read_bytes() + bytes([number]))
            yield path
"""

FAILURES = """
import os
from cog import BaseRunner

class Runner(BaseRunner):
    def setup(self):
        if os.environ.get("FAIL") == "setup":
            raise ValueError("no weights")

    def run(self) -> str:
        if os.environ.get("FAIL") == "exit":
            os._exit(3)
        raise ValueError("no luck")
"""


def wait_for(condition: Callable[[], bool], within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_result_is_on_stdout_and_all_else_on_stderr(make_project: Make) -> None:
    done = make_project(ECHO).cog("run", "-i", "text=hi", "-i", "count=2", "-e", "TAIL=!")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"hi hi!\n"
    for line in (b"setting up", b"working", b"Running prediction..."):
        assert line in done.stderr


def test_a_wrong_input_ends_before_anything_starts(make_project: Make) -> None:
    done = make_project(ECHO).cog("run", "-i", "count=5", "-i", "texxt=a")
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode() == (
        "error: input validation failed:\n"
        '  - unknown input "texxt"; valid inputs are: text, count, file\n'
        '  - invalid input "count": must be <= 3, got 5\n'
    )


def test_stdin_is_a_file(make_project: Make) -> None:
    done = make_project(ECHO).cog("run", "-i", "file=@-", stdin=b"from stdin")
    assert done.stdout == b"from stdin\n", done.stderr


def test_json_in_is_json_out(make_project: Make) -> None:
    done = make_project(ECHO).cog("run", "--json", "-", stdin=b'{"text": "hi"}')
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"status", "output", "error", "metrics"}
    assert report["output"] == "hi"
    assert report["metrics"]["predict_time"] > 0


def test_a_project_is_found_from_a_folder_below(make_project: Make) -> None:
    project = make_project(ECHO)
    below = project.directory / "a" / "b"
    below.mkdir(parents=True)
    code = f'cd {below} && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", code, "sh", *project.command("run")],
        env=project.environ,
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"world\n", done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_trouble(closed: str, make_project: Make) -> None:
    project = make_project(ECHO)
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *project.command("run", "-i", "text=hi")],
        cwd=project.directory,
        env=project.environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    is_stdout_closed = " >&-" in f" {closed}"
    assert done.stdout == (b"" if is_stdout_closed else b"hi\n")


def test_the_predecessors_name_works(make_project: Make) -> None:
    done = make_project(ECHO).cog("predict", "-i", "text=hi")
    assert done.stdout == b"hi\n"
    assert b'"cog predict" is deprecated' in done.stderr


def test_options_without_effect_are_named(make_project: Make) -> None:
    done = make_project(ECHO).cog(
        "run", "--gpus", "all", "--use-cog-base-image=false", "--dockerfile", "x"
    )
    assert done.returncode == 0, done.stderr
    expected = b"no effect with the local engine: --gpus, --use-cog-base-image, --dockerfile"
    assert expected in done.stderr


def test_text_appears_as_it_is_yielded(make_project: Make, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with make_project(PIECES).started("run", "-i", f"gate={gate}") as process:
        stdout: IO[bytes] = process.stdout
        assert os.read(stdout.fileno(), 100) == b"first "
        gate.touch()
        assert stdout.read() == b"second\n"
        process.stderr.read()
    assert process.returncode == 0


def test_a_closed_pipe_ends_the_prediction(make_project: Make, tmp_path: Path) -> None:
    with make_project(ENDLESS).started("run") as process:
        stdout: IO[bytes] = process.stdout
        stdout.read(10)
        stdout.close()
        err = process.stderr.read()
        assert process.wait(timeout=20) == 1
    assert b"Traceback" not in err
    assert b"Exception" not in err


def test_files_are_written(make_project: Make) -> None:
    project = make_project(FILES)
    (project.directory / "in.bin").write_bytes(b"\x89PNG")
    done = project.cog("run", "-i", "image=@in.bin", "-o", "made.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert (project.directory / "made.0.png").read_bytes() == b"\x89PNG\x00"
    assert (project.directory / "made.1.png").read_bytes() == b"\x89PNG\x01"
    assert b"Written output to: made.1.png\n" in done.stderr


@pytest.mark.parametrize(
    ("fail", "message"),
    [
        ("run", 'error: Prediction failed with status "failed": no luck\n'),
        ("setup", "error: Model setup failed: "),
        ("exit", 'error: Prediction failed with status "failed": worker exited with code 3'),
    ],
)
def test_a_failure_is_told_with_its_reason(fail: str, message: str, make_project: Make) -> None:
    done = make_project(FAILURES).cog("run", FAIL=fail)
    assert done.returncode == 1
    assert done.stdout == b""
    assert message in done.stderr.decode()


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_everything_that_was_started(
    signum: int, code: int, make_project: Make, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    with make_project(SLEEPER).started("run", "-i", f"pids={pids}") as process:
        wait_for(pids.exists)
        started = [int(pid) for pid in pids.read_text().split()]
        assert all(map(is_alive, started))
        process.send_signal(signum)
        out, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert out == b""
    assert b"Traceback" not in err.replace(b"KeyboardInterrupt", b"")
    wait_for(lambda: not any(map(is_alive, started)), within_s=5)


def test_a_second_ctrl_c_does_not_wait_for_a_stubborn_model(
    make_project: Make, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    with make_project(STUBBORN).started("run", "-i", f"marker={marker}") as process:
        wait_for(marker.exists)
        process.send_signal(signal.SIGINT)
        wait_for(lambda: marker.read_text() == "refused")
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert time.monotonic() - started < 3
    assert process.returncode == 130


@pytest.mark.parametrize(
    "arguments",
    [
        ["-i", "file=@nowhere"],
        ["-i", "file=@."],
        ["-i", "text"],
        ["-i", "=x"],
        ["--json", "{"],
        ["--json", "@."],
        ["--json", '{"text": "a", "text": "b"}'],
        ["--json", "[" * 5000],
        ["-o", "nowhere/out"],
        ["-e", "=x"],
        ["-f", "nowhere.yaml"],
    ],
)
def test_bad_input_is_one_error_without_a_traceback(
    arguments: list[str], make_project: Make
) -> None:
    done = make_project(ECHO).cog("run", *arguments)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"error: ")
    assert b"Traceback" not in done.stderr

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cogworks.engines.errors import LiveSchemaError
from cogworks.engines.live import LiveModel, describe_live
from cogworks.engines.sandbox import Isolation, find_isolation
from cogworks.server.sdk_tree import materialize

pytestmark = pytest.mark.slow

MODEL = "def run(text: str = 'a') -> str: ...\n"

Describe = Callable[..., LiveModel]


@pytest.fixture(params=["best", "none"])
def isolation(request: pytest.FixtureRequest) -> Isolation:
    return find_isolation() if request.param == "best" else Isolation()


@pytest.fixture
def describe(tmp_path: Path, isolation: Isolation) -> Describe:
    project = tmp_path / "project"
    project.mkdir()

    def describe(source: str, timeout_s: float = 30, **environment: str) -> LiveModel:
        (project / "run.py").write_text(source)
        model, _ = describe_live(
            {"run": "run.py:run"},
            python=Path(sys.executable),
            sdk_tree=materialize(tmp_path / "cache"),
            directory=project,
            environment={"PATH": os.environ["PATH"], **environment},
            timeout_s=timeout_s,
            isolation=isolation,
        )
        return model

    return describe


def is_abandoned(reader: int) -> bool:
    """Tell whether nobody can write to a pipe any more; wait for it, but not forever."""
    readable, _, _ = select.select([reader], [], [], 20)
    is_over = bool(readable) and os.read(reader, 1) == b""
    os.close(reader)
    return is_over


def test_a_model_is_described(describe: Describe) -> None:
    model = describe("print('{}')\n" + MODEL)
    assert set(model.document["components"]["schemas"]["Input"]["properties"]) == {"text"}
    assert not model.is_async
    assert describe("async " + MODEL).is_async


def test_threads_and_atexit_functions_do_not_hold_it_up(describe: Describe) -> None:
    source = "import threading, atexit\nthreading.Event().wait\natexit.register(lambda: 1 / 0)\n"
    assert describe(
        source + "threading.Thread(target=threading.Event().wait).start()\n" + MODEL
    ).document


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", r"signal 11 \(SIGSEGV\)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"signal 9 \(SIGKILL\)"),
        ("print('last words', flush=True)\nimport os; os._exit(3)", r"exit code 3\n.*\n  last w"),
        ("raise SystemExit('no')", r"exited:\n  File \"run.py\", line 1.*\n.*\nsys.exit\('no'\)"),
        ("import numpi", r"\nModuleNotFoundError: No module named 'numpi'"),
        ("def run(:", r"failed:\nFile \"run\.py\", line 1\n.*\n.*\nSyntaxError"),
        ("def walk(): ...", r"^run not found in run\.py$"),
        ("def run(text) -> str: ...", r"missing type annotation for input: text\nWrite"),
        ("input()", r"EOFError"),
        ("x = bytearray(64 << 30)", r"MemoryError"),
    ],
)
def test_what_goes_wrong_is_said(describe: Describe, source: str, message: str) -> None:
    with pytest.raises(LiveSchemaError, match=message):
        describe(source + "\n")


def test_a_module_that_hangs_is_killed_with_its_children(
    describe: Describe, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    source = (
        f"import subprocess, time\nout = open({str(pipe)!r}, 'w')\n"
        "subprocess.Popen(['sleep', '600'], stdout=out)\ntime.sleep(600)\n"
    )
    with pytest.raises(LiveSchemaError, match=r"took longer than 2 s"):
        describe(source, timeout_s=2)
    assert is_abandoned(reader)


def test_variables_and_home_are_its_own(
    describe: Describe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("A_TOKEN", "secret")
    source = (
        "import os, pathlib, tempfile\nassert 'A_TOKEN' not in os.environ\n"
        "home = pathlib.Path.home(); assert list(home.iterdir()) == []\n"
        "(home / 'x').write_text('')\nassert tempfile.gettempdir() == str(home)\n"
        f"pathlib.Path({str(tmp_path / 'home')!r}).write_text(str(home))\n"
    )
    assert describe(source + MODEL).document
    assert not Path((tmp_path / "home").read_text()).exists()


def test_there_is_no_network_where_the_system_can_deny_it(
    describe: Describe, isolation: Isolation
) -> None:
    if not isolation.has_no_network:
        pytest.skip("this isolation leaves the network")
    source = "import socket\nsocket.create_connection(('127.0.0.1', 9), 1)\n"
    with pytest.raises(LiveSchemaError, match=r"Network is unreachable|Cannot assign"):
        describe(source)


def test_a_process_in_a_session_of_its_own_ends_too_where_the_system_can_do_it(
    describe: Describe, isolation: Isolation, tmp_path: Path
) -> None:
    if not isolation.has_processes:
        pytest.skip("this isolation cannot")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    source = (
        f"import subprocess\nout = open({str(pipe)!r}, 'w')\n"
        "subprocess.Popen(['sleep', '600'], stdout=out, start_new_session=True)\n"
    )
    assert describe(source + MODEL).document
    assert is_abandoned(reader)


def test_limit_of_files_and_of_what_is_printed_is_named(describe: Describe) -> None:
    with pytest.raises(LiveSchemaError) as caught:
        describe("import errno, os\nraise OSError(errno.EFBIG, os.strerror(errno.EFBIG))\n")
    assert "nothing that is printed, may have more than 512 MiB." in caught.value.advice

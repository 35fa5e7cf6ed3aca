"""Models that fail, crash and meddle: what their clients are told, and that the next one is served."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.errors import SetupFailedError
from cogworks.server.predictions import MAX_LOG_CHARACTERS
from cogworks.server.service import PredictionRequest
from cogworks.server.supervisor import MAX_SETUP_LOG_CHARACTERS
from cogworks.server.worker_exits import CLOSED_BRIDGE

pytestmark = pytest.mark.slow

Start = Any
Play = Any


async def obey(it: Any, code: str) -> dict[str, Any]:
    """Return what became of the code, with the service ready again."""
    result: dict[str, Any] = await it.service.submit(PredictionRequest({"code": code})).wait()
    await it.service.wait_ready()
    return result


async def check_served(it: Any) -> None:
    """Assert that the next prediction succeeds, with nothing of another one."""
    result = await obey(it, "print('next')")
    assert (result["status"], result["output"]) == ("succeeded", "fine")


def obeys(stage: Start, **settings: Any) -> AbstractAsyncContextManager[Any]:
    started: AbstractAsyncContextManager[Any] = stage("obeys", **settings)
    return started


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise BaseException('all of it')", "all of it"),
        ("raise StopIteration", "StopIteration"),
        ("raise SystemExit('no more')", "SystemExit: no more"),
        (
            "class Silent(Exception):\n"
            "    def __str__(self): raise RuntimeError('no text')\n"
            "raise Silent",
            "Silent (its text cannot be had: RuntimeError in __str__)",
        ),
        ("def deeper(): deeper()\ndeeper()", "maximum recursion depth exceeded"),
        ("raise ValueError('x' * 1_000_000)", "[cut: 1000000 characters]"),
        ("raise ValueError('half a pair: \\ud800')", "half a pair: \\ud800"),
        (
            "import resource\n"
            "limits = resource.getrlimit(resource.RLIMIT_AS)\n"
            "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, limits[1]))\n"
            "try: bytearray(1 << 32)\n"
            "finally: resource.setrlimit(resource.RLIMIT_AS, limits)",
            "MemoryError",
        ),
    ],
)
def test_whatever_a_model_raises_is_told_and_its_worker_goes_on(
    stage: Start, play: Play, code: str, error: str
) -> None:
    async def scene() -> None:
        async with obeys(stage) as it:
            worker = it.service.workers[0].pid
            result = await obey(it, code)
            assert result["status"] == "failed"
            assert error in result["error"]
            assert "Traceback" in result["logs"]
            await check_served(it)
            assert it.service.workers[0].pid == worker

    play(scene())


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("result = float('inf')", "inf cannot be written as JSON"),
        ("result = [{'a': float('nan')}]", "output[0].a: nan cannot be written as JSON"),
        ("result = object()", "cannot be written as JSON"),
        ("result = 'half a pair: \\ud800'", "the output cannot be handed to the server"),
        ("result = []\nresult.append(result)", "nested too deeply"),
        ("result = []\nfor _ in range(400): result = [result]", ""),
        (
            "import pathlib\nresult = pathlib.Path('/nowhere/x.png')",
            "/nowhere/x.png does not exist",
        ),
    ],
)
def test_an_output_that_cannot_be_delivered_fails_with_the_reason(
    stage: Start, play: Play, code: str, error: str
) -> None:
    async def scene() -> None:
        async with obeys(stage) as it:
            worker = it.service.workers[0].pid
            result = await obey(it, code)
            assert result["status"] == ("failed" if error else "succeeded")
            assert error in (result["error"] or "")
            await check_served(it)
            assert it.service.workers[0].pid == worker

    play(scene())


def test_a_generator_that_raises_midway_keeps_its_items(stage: Start, play: Play) -> None:
    code = (
        "def items():\n    yield 1\n    yield 2\n    raise ValueError('no third')\nresult = items()"
    )

    async def scene() -> None:
        async with obeys(stage) as it:
            result = await obey(it, code)
            assert (result["status"], result["output"]) == ("failed", [1, 2])
            assert result["error"] == "no third"
            await check_served(it)

    play(scene())


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.abort()", "worker was killed by signal 6 (SIGABRT) after"),
        ("import ctypes; ctypes.string_at(0)", "worker was killed by signal 11 (SIGSEGV) after"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "signal 15 (SIGTERM)"),
        ("import os; os._exit(0)", "worker exited with code 0 after"),
    ],
)
def test_a_worker_that_crashes_leaves_its_last_words(
    stage: Start, play: Play, code: str, reason: str
) -> None:
    async def scene() -> None:
        async with obeys(stage) as it:
            result = await obey(it, f"import os; os.write(1, b'last words');\n{code}")
            assert result["status"] == "failed"
            assert reason in result["error"]
            assert "last words" in result["logs"]
            await check_served(it)

    play(scene())


def test_a_crash_in_native_code_says_where_it_was_called(stage: Start, play: Play) -> None:
    async def scene() -> None:
        async with obeys(stage) as it:
            result = await obey(it, "import ctypes\n\nctypes.string_at(0)")
            assert "Fatal Python error: Segmentation fault" in result["logs"]
            assert 'File "<string>", line 3 in <module>' in result["logs"]

    play(scene())


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.close(1)",
        "import os; os.close(2)",
        "import io, sys; sys.stdout = sys.stderr = io.StringIO()",
        "import sys; sys.stdout = sys.stderr = None",
        "import sys; sys.stdout.close(); sys.stderr.close()",
        "import sys; sys.stdout = sys.stderr = object()",
        "import os; os.chdir('/')",
        "import shutil, tempfile; shutil.rmtree(tempfile.gettempdir())",
        "import threading, sys; t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ],
)
def test_a_model_that_meddles_with_its_process_still_fails_and_succeeds(
    stage: Start, play: Play, code: str
) -> None:
    async def scene() -> None:
        async with obeys(stage) as it:
            worker = it.service.workers[0].pid
            assert (await obey(it, code))["output"] == "fine"
            failed = await obey(it, "raise ValueError('as asked')")
            assert failed["error"] == "as asked"
            long = await obey(it, "result = 'x' * (65 << 20)")  # Goes through a file.
            assert len(long["output"]) == 65 << 20
            assert (await obey(it, ""))["output"] == "fine"
            assert it.service.workers[0].pid == worker

    play(scene())


@pytest.mark.parametrize("model", ["obeys", "obeys_async"])
@pytest.mark.parametrize("after", ["", "import threading; threading.Event().wait()"])
def test_a_model_that_closes_all_descriptors_is_replaced_and_told_why(
    stage: Start, play: Play, model: str, after: str
) -> None:
    async def scene() -> None:
        async with stage(model) as it:
            result = await obey(it, f"import os; os.closerange(3, 1024)\n{after}")
            assert result["status"] == "failed"
            assert CLOSED_BRIDGE in result["error"]
            await check_served(it)

    play(scene())


@pytest.mark.parametrize("model", ["obeys", "obeys_async"])
def test_a_forked_child_that_comes_back_from_run_is_no_second_worker(
    stage: Start, play: Play, model: str
) -> None:
    returns = "import os\nfor _ in range(3): os.fork()"
    exits = (
        "import os, sys\n"
        "child = os.fork()\n"
        "if not child: sys.exit(3)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "assert code == 3, code"
    )
    raises = exits.replace("sys.exit(3)", "raise ValueError").replace("== 3", "== 1")

    async def scene() -> None:
        async with stage(model) as it:
            worker = it.service.workers[0].pid
            for code in (returns, exits, raises):
                result = await obey(it, code)
                assert (result["status"], result["error"]) == ("succeeded", None)
                for _ in range(5):
                    await check_served(it)
            assert it.service.workers[0].pid == worker

    play(scene())


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_model_may_use_processes_of_its_own(stage: Start, play: Play, method: str) -> None:
    async def scene() -> None:
        async with stage("processes") as it:
            for _ in range(2):
                result = await it.service.submit(PredictionRequest({"method": method})).wait()
                assert (result["error"], result["output"]) == (None, 12)

    play(scene())


def test_a_daemon_that_keeps_the_pipes_open_holds_nothing_up(stage: Start, play: Play) -> None:
    code = (
        "import subprocess\nresult = subprocess.Popen(['sleep', '600'], start_new_session=True).pid"
    )

    async def scene() -> None:
        async with obeys(stage) as it:
            daemons = [(await obey(it, code))["output"]]
            daemons.append((await obey(it, code))["output"])
            dying = await obey(it, "import os; os._exit(1)")
            assert "worker exited with code 1" in dying["error"]
            await check_served(it)
            await it.service.stop(1.0)
            for daemon in daemons:
                os.kill(daemon, signal.SIGKILL)

    play(scene())


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_flood_of_output_is_kept_up_to_a_limit_and_marked(
    stage: Start, play: Play, end: str
) -> None:
    async def scene() -> None:
        async with stage("floods") as it:
            it.printed.clear()
            result = await it.service.submit(
                PredictionRequest({"megabytes": 100, "end": end})
            ).wait()
            assert result["output"] == "flooded"
            assert len(result["logs"]) < MAX_LOG_CHARACTERS + 100
            marker = f"[logs cut: more than {MAX_LOG_CHARACTERS} characters]\n"
            assert result["logs"].endswith(marker)
            count = 100 * 10_000 * (99 + len(end))
            assert sum(len(line.text) for line in it.printed) == count

    play(scene())


def test_a_flood_in_setup_leaves_its_end_and_a_mark(
    stage: Start, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOOD", "100")

    async def scene() -> None:
        async with stage("floods") as it:
            logs = it.service.workers[0].setup.logs
            assert logs.startswith(f"[logs cut: the last {MAX_SETUP_LOG_CHARACTERS} characters]\n")
            assert logs.endswith("x\nthe end of setup\n")
            assert len(logs) < MAX_SETUP_LOG_CHARACTERS + 100

    play(scene())


@pytest.mark.parametrize(
    "code", ["result = 'x' * (200 << 20)", "result = {'a': ['x' * 100] * (2 << 20)}"]
)
def test_200_megabytes_are_returned_whole(stage: Start, play: Play, code: str) -> None:
    async def scene() -> None:
        async with obeys(stage) as it:
            output = (await obey(it, code))["output"]
            if code.endswith("}"):
                assert len(output["a"]) == 2 << 20
                assert output["a"][-1] == "x" * 100
            else:
                assert len(output) == 200 << 20
            assert list(it.service.workers[0].temp_dir.iterdir()) == []

    play(scene())


def test_a_thread_that_prints_after_the_end_disturbs_nobody(
    stage: Start, play: Play, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def scene() -> None:
        async with stage("lingers") as it:
            result = await it.service.submit(PredictionRequest({"pipe": str(pipe)})).wait()
            assert (result["status"], result["logs"]) == ("succeeded", "")
            await asyncio.to_thread(pipe.write_text, "words")
            while "late words" not in it.text():  # noqa: ASYNC110 - what nobody waits for has no event
                await asyncio.sleep(0.001)

    play(scene())


def test_a_task_that_prints_after_the_end_is_heard_by_the_log(stage: Start, play: Play) -> None:
    code = (
        "async def later():\n"
        "    await self.event.wait()\n"
        "    print('late words')\n"
        "self.event = asyncio.Event()\n"
        "self.task = asyncio.create_task(later())"
    )

    async def scene() -> None:
        async with stage("obeys_async") as it:
            assert (await obey(it, code))["logs"] == ""
            assert (await obey(it, "self.event.set(); await self.task"))["logs"] == ""
            assert it.text() == "late words\n"

    play(scene())


@pytest.mark.parametrize(
    "code",
    [
        "asyncio.get_running_loop().stop()",
        "import sys\nasync def leave(): sys.exit(3)\nself.task = asyncio.create_task(leave())",
        "async def stop(): raise KeyboardInterrupt\nself.task = asyncio.create_task(stop())",
    ],
)
def test_an_async_model_cannot_end_its_worker_by_ending_the_loop(
    stage: Start, play: Play, code: str
) -> None:
    async def scene() -> None:
        async with stage("obeys_async") as it:
            worker = it.service.workers[0].pid
            waiting = it.service.submit(PredictionRequest({"code": "await asyncio.sleep(0.05)"}))
            assert (await obey(it, code + "\nawait asyncio.sleep(0)"))["output"] == "fine"
            assert (await waiting.wait())["output"] == "fine"
            await check_served(it)
            assert it.service.workers[0].pid == worker

    play(scene())


def test_an_async_model_may_print_a_line_without_end(stage: Start, play: Play) -> None:
    async def scene() -> None:
        async with stage("obeys_async") as it:
            result = await obey(it, "for _ in range(200_000): print('x' * 9, end=' ')")
            assert result["logs"] == "xxxxxxxxx " * 200_000
            assert (await obey(it, "print('half a pair: \\ud800')"))["logs"] == (
                "half a pair: \\ud800\n"
            )

    play(scene())


def test_threads_that_outlive_a_failed_setup_do_not_keep_the_process(
    stage: Start, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIL_SETUP", "1")

    async def scene() -> None:
        async with stage("lingers", wait=False) as it:
            with pytest.raises(SetupFailedError, match="setup fails"):
                await it.service.wait_ready()
            while it.service.workers[0].pid is not None:  # noqa: ASYNC110 - nobody waits for this
                await asyncio.sleep(0.01)

    play(scene())

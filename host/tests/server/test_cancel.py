"""Cancellation, in every state and against every kind of resistance."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import pytest

from cogworks.server import dispatch
from cogworks.server.service import PredictionRequest

pytestmark = pytest.mark.slow

Stage = Any
Play = Any


def obey(it: Any, code: str) -> Any:
    return it.service.submit(PredictionRequest({"code": code}))


async def wait_for_log(run: Any, text: str) -> None:
    """Wait until the model has printed it."""
    heard = asyncio.Event()

    def observe(*_: Any) -> None:
        if text in run.prediction.logs:
            heard.set()

    run.observers.append(observe)
    observe()
    await heard.wait()


WAYS = {
    "sleep": "import time; time.sleep(600)",
    "socket": "import socket; pair = socket.socketpair(); pair[0].recv(1)",
    "pipe": "import os; os.read(os.pipe()[0], 1)",
    "pipe as file": "import os; open(os.pipe()[0]).read()",
    "subprocess.run": "import subprocess; subprocess.run(['sleep', '600'])",
    "Popen.wait": "import subprocess; subprocess.Popen(['sleep', '600']).wait()",
    "lock": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "queue": "import queue; queue.Queue().get()",
    "join": "import threading, time\n"
    "t = threading.Thread(target=time.sleep, args=(600,), daemon=True); t.start(); t.join()",
    "native code that looks for signals": "import select; select.select([], [], [])",
    "a loop": "while True: pass",
    "between two items": "import time\n"
    "def items():\n    yield 1\n    time.sleep(600)\nresult = items()",
    "asyncio in a sync model": "import asyncio; asyncio.run(asyncio.sleep(600))",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_cancel_interrupts_whatever_a_sync_model_waits_for(
    stage: Stage, play: Play, way: str
) -> None:
    async def scene() -> None:
        async with stage("obeys") as it:
            worker = it.service.workers[0].pid
            run = obey(it, f"print('waiting')\n{WAYS[way]}")
            await wait_for_log(run, "waiting")
            it.service.cancel(run)
            result = await run.wait()
            assert (result["status"], result["error"]) == ("canceled", None)
            assert (await obey(it, "").wait())["output"] == "fine"
            assert it.service.workers[0].pid == worker

    play(scene())


@pytest.mark.parametrize("model", ["obeys", "obeys_async"])
def test_a_model_that_swallows_the_cancel_goes_on_and_its_result_counts(
    stage: Stage, play: Play, model: str
) -> None:
    sleep = "await asyncio.sleep(600)" if model == "obeys_async" else "import time; time.sleep(600)"
    code = f"try: print('waiting'); {sleep}\nexcept BaseException: print('swallowed')"

    async def scene() -> None:
        async with stage(model) as it:
            run = obey(it, code)
            await wait_for_log(run, "waiting")
            it.service.cancel(run)
            result = await run.wait()
            assert (result["status"], result["output"]) == ("succeeded", "fine")
            assert result["logs"] == "waiting\nswallowed\n"

    play(scene())


STUBBORN = {
    "swallows": "import time\nwhile True:\n    try: time.sleep(600)\n    except BaseException: pass",
    "takes the signal": "import signal, time\nsignal.signal(signal.SIGUSR1, signal.SIG_DFL)\n"
    "print('taken')\nwhile True: time.sleep(1)",
    "is in native code": "import ctypes\nwhile True: ctypes.CDLL(None).pause()",
    "keeps the interpreter's lock": "import ctypes; ctypes.PyDLL(None).pause()",
}


@pytest.mark.parametrize("how", STUBBORN)
def test_who_does_not_heed_the_cancel_is_killed_after_the_timeout(
    stage: Stage, play: Play, how: str
) -> None:
    async def scene() -> None:
        async with stage("obeys", cancel_timeout_s=0.3) as it:
            run = obey(it, f"print('waiting')\n{STUBBORN[how]}")
            await wait_for_log(run, "taken" if "signal" in how else "waiting")
            it.service.cancel(run)
            assert (await run.wait())["status"] == "canceled"
            await it.service.wait_ready()
            assert (await obey(it, "").wait())["output"] == "fine"

    play(scene())


@pytest.mark.parametrize("settings", [{"cancel_timeout_s": 0.2}, {}])
@pytest.mark.parametrize("model", ["obeys", "obeys_async"])
def test_a_deadline_ends_what_cannot_be_interrupted(
    stage: Stage, play: Play, monkeypatch: pytest.MonkeyPatch, model: str, settings: dict[str, Any]
) -> None:
    monkeypatch.setattr(dispatch, "DEADLINE_KILL_S", 0.2)

    async def scene() -> None:
        async with stage(model, predict_timeout_s=0.3, **settings) as it:
            run = obey(it, "import ctypes; ctypes.PyDLL(None).pause()")
            result = await run.wait()
            assert result["status"] == "failed"
            assert result["error"] == "the prediction took longer than 0.3 s"
            await it.service.wait_ready()
            assert (await obey(it, "").wait())["output"] == "fine"

    play(scene())


def test_a_cancel_before_the_deadline_stays_a_cancel(stage: Stage, play: Play) -> None:
    code = "import time\nprint('waiting')\ntry: time.sleep(600)\nfinally: time.sleep(0.5)"

    async def scene() -> None:
        async with stage("obeys", predict_timeout_s=0.4, cancel_timeout_s=600.0) as it:
            run = obey(it, code)
            await wait_for_log(run, "waiting")
            it.service.cancel(run)
            assert (await run.wait())["status"] == "canceled"

    play(scene())


def test_an_async_model_that_blocks_its_loop_is_still_asked_and_ended(
    stage: Stage, play: Play
) -> None:
    async def scene() -> None:
        async with stage("obeys_async", cancel_timeout_s=0.3) as it:
            blocking = obey(
                it, "print('waiting'); import time; await asyncio.sleep(0); time.sleep(600)"
            )
            await wait_for_log(blocking, "waiting")
            assert await it.service.workers[0].healthcheck() is None
            waiting = obey(it, "await asyncio.sleep(600)")
            it.service.cancel(blocking)
            assert (await blocking.wait())["status"] == "canceled"
            other = await waiting.wait()
            assert other["status"] == "failed"
            assert other["error"] == "worker was killed: a canceled prediction did not end in time"
            await it.service.wait_ready()

    play(scene())


def test_a_model_that_took_or_blocked_the_signal_once_can_be_canceled_the_next_time(
    stage: Stage, play: Play
) -> None:
    sleep = "\nimport time\nprint('waiting')\nfor _ in range(20): time.sleep(0.01)"
    taken = "import signal; signal.signal(signal.SIGUSR1, signal.SIG_DFL)"
    blocked = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])"

    async def scene() -> None:
        async with stage("obeys") as it:
            worker = it.service.workers[0].pid
            for code in (taken, blocked):
                run = obey(it, code + sleep)
                await wait_for_log(run, "waiting")
                it.service.cancel(run)
                assert (await run.wait())["status"] == "succeeded"
                run = obey(it, "import time; print('waiting'); time.sleep(600)")
                await wait_for_log(run, "waiting")
                it.service.cancel(run)
                assert (await run.wait())["status"] == "canceled"
            assert it.service.workers[0].pid == worker

    play(scene())


def test_a_cancel_where_no_exception_gets_out_is_not_lost(stage: Stage, play: Play) -> None:
    code = (
        "import time\n"
        "class Slow:\n"
        "    def __del__(self):\n"
        "        print('waiting')\n"
        "        time.sleep(600)\n"
        "Slow()\n"
        "time.sleep(600)"
    )

    async def scene() -> None:
        async with stage("obeys") as it:
            run = obey(it, code)
            await wait_for_log(run, "waiting")
            it.service.cancel(run)
            assert (await run.wait())["status"] == "canceled"

    play(scene())


def test_a_cancel_while_an_input_is_fetched_leaves_no_file(stage: Stage, play: Play) -> None:
    async def scene() -> None:
        asked = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 500_000)
            asked.set()
            with contextlib.suppress(OSError):
                await reader.read(-1)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/file.txt"
        variables = {"COG_ALLOW_PRIVATE_URLS": "1"}
        async with server, stage("files", variables=variables) as it:
            run = it.service.submit(PredictionRequest({"document": url}))
            await asked.wait()
            it.service.cancel(run)
            assert (await run.wait())["status"] == "canceled"
            assert list(it.service.workers[0].temp_dir.iterdir()) == []

    play(scene())


def test_a_queued_prediction_is_canceled_at_once_also_while_its_worker_comes_back(
    stage: Stage, play: Play
) -> None:
    async def scene() -> None:
        async with stage("obeys", queue_size=2) as it:
            dying = obey(it, "import time; print('waiting'); time.sleep(600)")
            first, second = obey(it, ""), obey(it, "")
            it.service.cancel(second)
            assert (await second.wait())["status"] == "canceled"
            await wait_for_log(dying, "waiting")
            it.service.workers[0].kill("the test wants it")
            assert (await dying.wait())["error"] == "worker was killed: the test wants it"
            it.service.cancel(first)
            assert (await first.wait())["status"] == "canceled"
            await it.service.wait_ready()
            assert (await obey(it, "").wait())["output"] == "fine"

    play(scene())


@pytest.mark.parametrize("model", ["obeys", "obeys_async"])
def test_a_late_cancel_never_hits_the_next_prediction(stage: Stage, play: Play, model: str) -> None:
    chance = random.Random(4)

    async def scene() -> None:
        async with stage(model) as it:
            worker = it.service.workers[0]
            for _ in range(300):
                first = obey(it, f"sum(range({chance.randrange(3000)}))")
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                it.service.cancel(first)
                worker.cancel(first.run_id)  # What the dispatcher would not send twice.
                assert (await first.wait())["status"] in ("succeeded", "canceled")
                worker.cancel(first.run_id)
                second = await obey(it, "result = sum(range(1000))").wait()
                assert (second["status"], second["error"]) == ("succeeded", None)
            assert worker.restarts == 0

    play(scene())


def test_a_shutdown_cancels_what_still_runs_and_lets_it_clean_up(stage: Stage, play: Play) -> None:
    code = "import time\nprint('waiting')\ntry: time.sleep(600)\nfinally: print('clean')"

    async def scene() -> None:
        async with stage("obeys") as it:
            run = obey(it, code)
            await wait_for_log(run, "waiting")
            await it.service.stop(0.05)
            result = await run.wait()
            assert (result["status"], result["logs"]) == ("canceled", "waiting\nclean\n")

    play(scene())


def test_a_cancel_while_the_worker_leaves_is_no_error(stage: Stage, play: Play) -> None:
    code = "import atexit, time; atexit.register(lambda: time.sleep(0.2))"

    async def scene() -> None:
        async with stage("obeys") as it:
            run = obey(it, code)
            await run.wait()
            worker = it.service.workers[0]
            stopping = asyncio.create_task(it.service.stop())
            while not stopping.done():
                worker.cancel(run.run_id)
                await asyncio.sleep(0.01)
            assert worker.pid is None

    play(scene())

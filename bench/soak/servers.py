"""Servers under load: started with a model of ours, their workers killed, looked at when at rest."""

import asyncio
import json
import os
import random
import re
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.overhead.processes import PROC, Process, find_tree, read_stat
from bench.overhead.server import Launch, Server, find_free_port
from bench.soak.clients import Crowd
from bench.soak.http import Client
from bench.soak.ledger import KILLED, Ledger
from bench.soak.samples import Sample, count_entries, take_sample

MODELS = Path(__file__).with_name("models")
QUEUE_SIZE = 6
"""Less than there are clients: some must be told that the queue is full."""

SETTLE_S = 1.0
"""How long after a server was seen ready again a 503 may still be on its way."""

QUIET_S = 10.0
"""How long a server may take to come to rest."""

EXPECTED_LINES = (KILLED, "Starting Cogworks server")
"""How the lines begin that the log holds in any case."""

TOTAL = re.compile(r"^\w*predictions_total\{[^}]*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Model:
    """A model of ours: its reference, how many clients it gets, how often its worker is killed."""

    name: str
    ref: str
    clients: int
    kill_every_s: tuple[float, float]


MODEL_TABLE = (
    Model("tokens", "tokens.py:Tokens", clients=12, kill_every_s=(3.0, 9.0)),
    Model("pages", "pages.py:Pages", clients=8, kill_every_s=(3.0, 9.0)),
)


class _Process(Server):
    """A server process whose number is known."""

    @property
    def process(self) -> Process:
        """The server's own process."""
        stat = read_stat(self._process.pid)
        if stat is None:
            raise OSError("the server is gone")
        return stat[1]


class Soak:
    """One server, its clients and its account; a context manager that ends the server."""

    def __init__(self, model: Model, directory: Path, started: float) -> None:
        """Prepare; ``directory`` takes its log and temporary files."""
        self.model = model
        self.samples: list[Sample] = []
        self.kills = 0
        self.ledger = Ledger()
        self.log = directory / f"{model.name}.log"
        self._temp_dir = directory / model.name
        self._started = started
        self._port = find_free_port()
        self._client = Client(self._port)
        self._crowd = Crowd(
            model.name, self._client, self.ledger, may_refuse=lambda: self._is_excused()
        )
        self._ready_again_at: float | None = started
        self._server = _Process(self._launch())

    def _launch(self) -> Launch:
        self._temp_dir.mkdir()
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("COG_")}
        return Launch(
            command=[sys.executable, "-m", "cogworks.server", "--host", "127.0.0.1"],
            directory=MODELS,
            variables={
                **inherited,
                "PORT": str(self._port),
                "TMPDIR": str(self._temp_dir),
                "COG_CACHE_DIR": str(self._temp_dir.parent / "cache"),
                "COG_PREDICT_TYPE_STUB": self.model.ref,
                "COG_QUEUE_SIZE": str(QUEUE_SIZE),
                "COG_LOG_LEVEL": "warning",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cpus=frozenset(os.sched_getaffinity(0)),
            log=self.log,
            port=self._port,
            health_path="/health-check",
            ready_text='"READY"',
        )

    def __enter__(self) -> "Soak":
        self._server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.__exit__(None, None, None)

    async def load(self, seconds: float) -> None:
        """Let the clients come and the worker be killed, then wait until all clients are done."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        async with asyncio.TaskGroup() as tasks:
            watching = [tasks.create_task(self._sample_often())]
            clients = [self._crowd.run_one(until) for _ in range(self.model.clients)]
            await asyncio.gather(self._kill_often(until), *clients)
            for task in watching:
                task.cancel()

    async def rest(self) -> None:
        """Wait until nothing goes on; then count and look."""
        await self._wait_ready()
        await self._crowd.settle()
        deadline = time.monotonic() + QUIET_S
        while not self._is_quiet() and time.monotonic() < deadline:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
        self.samples.append(self._look(is_rest=True))
        await self._check_totals()

    def check_log(self) -> None:
        """Report what the server has logged beside the deaths of its workers: signs of defects."""
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"level": "error", "message": line}
            is_known = entry["level"] == "info" or entry["message"].startswith(EXPECTED_LINES)
            if not is_known:
                self.ledger.report(f"logged: {entry.get('exception') or entry['message']}")

    def _is_quiet(self) -> bool:
        """Tell whether the server has but one folder, that of its worker, and no connection of ours."""
        return count_entries(self._temp_dir)[0] <= 1 and not self._connections()

    def _connections(self) -> int:
        """Return how many TCP sockets of the server's port are established."""
        port = f":{self._port:04X}"
        lines = (PROC / "net" / "tcp").read_text().splitlines()[1:]
        fields = (line.split() for line in lines)
        return sum(field[1].endswith(port) and field[3] == "01" for field in fields)

    async def _check_totals(self) -> None:
        """Compare what the server has counted with what the clients know: each end counts once."""
        text = (await self._client.request("GET", "/metrics")).body.decode()
        total = sum(int(float(number)) for number in TOTAL.findall(text))
        if total != len(self.ledger.ends):
            self.ledger.report(f"the server ended {total} predictions, not {len(self.ledger.ends)}")
        page = (await self._client.request("GET", "/predictions?limit=100")).data["results"]
        for prediction in page:
            if prediction["completed_at"] is None:
                self.ledger.report(f"{prediction['id']}: still {prediction['status']} at rest")

    async def _sample_often(self) -> None:
        while True:
            self.samples.append(self._look(is_rest=False))
            await asyncio.sleep(1.0)

    def _look(self, *, is_rest: bool) -> Sample:
        return take_sample(self._server.process, self._temp_dir, self._started, is_rest=is_rest)

    async def _kill_often(self, until: float) -> None:
        """Kill the worker now and then, but never one that had no time for a success."""
        loop = asyncio.get_running_loop()
        while True:
            wait_s = random.uniform(*self.model.kill_every_s)
            if loop.time() + wait_s > until:
                return
            await asyncio.sleep(wait_s)
            worker = self._find_worker()
            if worker is not None:
                self._ready_again_at = None
                self.kills += 1
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
                await self._wait_ready(worker)

    def _find_worker(self) -> Process | None:
        server = self._server.process
        for process in find_tree(server.pid):
            stat = read_stat(process.pid)
            if stat is not None and stat[0] == server.pid:
                return process
        return None

    async def _wait_ready(self, killed: Process | None = None) -> None:
        """Wait until another worker than ``killed`` serves."""
        deadline = time.monotonic() + 3 * QUIET_S
        while time.monotonic() < deadline:
            worker = self._find_worker()
            if worker is not None and worker != killed:
                answer = await self._client.request("GET", "/readyz")
                if answer.status == 200:
                    self._ready_again_at = time.monotonic()
                    return
            await asyncio.sleep(0.02)
        self.ledger.report(f"no worker was ready {3 * QUIET_S:g} s after the last one died")

    def _is_excused(self) -> bool:
        ready_at = self._ready_again_at
        return ready_at is None or time.monotonic() < ready_at + SETTLE_S

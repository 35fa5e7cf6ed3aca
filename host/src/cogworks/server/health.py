"""What the server says of its own state."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from cogworks import _version
from cogworks.server.lifecycle import WorkerState
from cogworks.server.service import PredictionService
from cogworks.server.supervisor import SetupReport, Supervisor

_STATUS = {
    WorkerState.STARTING: "STARTING",
    WorkerState.WAITING: "STARTING",
    WorkerState.STOPPED: "STARTING",
    WorkerState.SETUP_FAILED: "SETUP_FAILED",
    WorkerState.DEFUNCT: "DEFUNCT",
}


def has_check(service: PredictionService) -> bool:
    """Tell whether a model that is ready has a healthcheck of its own to be asked for."""
    return any(worker.has_healthcheck for worker in service.ready_workers)


async def find_problem(service: PredictionService) -> str | None:
    """Ask the healthcheck of each model that is ready; return the first that finds something."""
    problems = await asyncio.gather(*(worker.healthcheck() for worker in service.ready_workers))
    return next((problem for problem in problems if problem is not None), None)


def status(service: PredictionService) -> str:
    """Return ``READY``, ``BUSY`` (no slot is free), ``STARTING``, ``SETUP_FAILED`` or ``DEFUNCT``."""
    if service.is_ready():
        return "BUSY" if service.is_busy() else "READY"
    states = [_STATUS.get(worker.state, "STARTING") for worker in service.workers]
    return "STARTING" if "STARTING" in states else states[0]


def report(service: PredictionService, problem: str | None = None) -> dict[str, Any]:
    """Return the body of ``GET /health-check``; ``problem`` is what the model's own check found."""
    worker = _representative(service)
    version = {"cogworks": _version.__version__, "python": worker.python, "python_sdk": worker.sdk}
    data = {
        "status": "UNHEALTHY" if problem is not None else status(service),
        "setup": _setup(worker.setup),
        "version": {name: text for name, text in version.items() if text},
    }
    if problem is not None:
        data["user_healthcheck_error"] = problem
    return data


class Reporter:
    """Writes ``report`` as JSON, once for each state: probes ask often, and little changes."""

    def __init__(self, service: PredictionService) -> None:
        """Report on ``service``."""
        self._service = service
        self._seen: tuple[str, SetupReport, str | None] | None = None
        self._body = b""

    def body(self) -> bytes:
        """Return the body of ``GET /health-check`` where no model has a check of its own."""
        worker = _representative(self._service)
        seen = (status(self._service), worker.setup, worker.setup.error)
        if seen != self._seen or worker.setup.completed_at is None:  # Until then, its logs grow.
            self._body = msgspec.json.encode(report(self._service))
            self._seen = seen
        return self._body


def reason_not_ready(service: PredictionService) -> str:
    """Say in a sentence why predictions cannot come."""
    reasons = [worker.reason for worker in service.workers if worker.reason]
    return reasons[0] if reasons else "Setup has not finished yet."


def has_failed(service: PredictionService) -> bool:
    """Tell whether no worker will ever be ready."""
    return status(service) in ("SETUP_FAILED", "DEFUNCT")


def is_defunct(service: PredictionService) -> bool:
    """Tell whether workers died so often that this server has given up: another one may fare better."""
    return status(service) == "DEFUNCT"


def _representative(service: PredictionService) -> Supervisor:
    """Return the worker whose setup is reported: one that is ready, else the first."""
    ready = [worker for worker in service.workers if worker.state is WorkerState.READY]
    return (ready or list(service.workers))[0]


def _setup(setup: SetupReport) -> dict[str, Any]:
    data: dict[str, Any] = {"started_at": _iso(setup.started_at)}
    if setup.completed_at is None:
        data["status"] = "starting"
    else:
        data["completed_at"] = _iso(setup.completed_at)
        data["status"] = "failed" if setup.error is not None else "succeeded"
    data["logs"] = setup.logs
    if setup.error is not None:
        data["error"] = setup.error
    return data


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")

"""One run of the server on the event loop: start, serve, reload, stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cogworks import _version
from cogworks.server import health, prediction_log
from cogworks.server.app import App
from cogworks.server.auth import BearerAuth, NoAuth
from cogworks.server.http.listener import Listener
from cogworks.server.launch import WorkerLaunch
from cogworks.server.log import ModelLog
from cogworks.server.loop_lag import LoopLag
from cogworks.server.process import WorkerProcess
from cogworks.server.routes import Routes
from cogworks.server.run import Run
from cogworks.server.service import PredictionService
from cogworks.server.settings import Settings
from cogworks.server.store import Limits, open_store
from cogworks.server.tracing import open_spans
from cogworks.server.webhooks import Webhooks

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from cogworks.server.spans import Spans

CLOSE_S = 5.0
"""How long connections that are still open may take to end after the last prediction."""

COLLECTIONS = (20_000, 20, 20)
"""Objects, and younger collections, between two collections; Python's own are 700, 10 and 10. A tenth of a
quick prediction's time went there."""

logger = logging.getLogger(__name__)


class Lifetime:
    """Owns the service, the HTTP server and the watcher of files."""

    def __init__(
        self,
        settings: Settings,
        launch: WorkerLaunch,
        document: dict[str, Any] | None,
        processes: Sequence[WorkerProcess],
        reload_paths: Path | None,
    ) -> None:
        """Only keep what is needed; see ``serve``."""
        self._settings = settings
        self._launch = launch
        self._document = document
        self._processes = processes
        self._reload_paths = reload_paths

    async def run(self, sock: socket.socket, announce: Callable[[], None]) -> int:
        """Serve on ``sock`` until asked to stop; return 1 if no worker would ever have been ready, else 0."""
        stopping = asyncio.Event()
        settings = self._settings
        spans = open_spans(settings)
        limits = Limits(
            settings.store_max_records, settings.store_max_age_s, settings.store_max_bytes
        )
        store = open_store(settings.store, limits)
        service = PredictionService(
            settings,
            self._launch,
            self._document,
            on_log=ModelLog(settings.log_format, lambda id: _find_trace(service, id)).write,
            processes=self._processes,
            store=store,
            webhooks=Webhooks(
                interval_s=settings.throttle_s,
                auth_token=settings.webhook_auth_token,
                secret=settings.webhook_secret,
                user_agent=f"cogworks/{_version.__version__}",
                on_failure=lambda: service.metrics.record_webhook_failure(),
                on_told=store.forget_webhook,
                spans=spans,
            ),
            watchers=_watchers(spans),
        )
        self._handle_signals(stopping)
        await service.start()
        auth = BearerAuth(settings.api_token) if settings.api_token else NoAuth()
        routes = Routes(service, settings, stopping.set, self._launch.mode)
        app = App(routes, service.metrics, auth)
        lag = LoopLag(service.metrics.record_loop_lag)
        lag.start()
        if spans is None:
            listener = Listener(app, app.prompt)
        else:  # Each request has a span, but for those of probes.
            listener = Listener(_traced(app, spans, routes), app.prompt_probe)
        await listener.start(sock)
        watching = [
            asyncio.create_task(self._reload_on_change(service)),
            asyncio.create_task(self._reload_on_hangup(service)),
        ]
        announce()
        _spare_garbage_collection()
        await stopping.wait()
        logger.info("shutting down")
        failed = health.has_failed(service)
        lag.close()
        for task in watching:
            task.cancel()
        listener.stop_accepting()
        await service.stop(self._settings.shutdown_grace_s)
        await listener.close(CLOSE_S)
        if spans is not None:
            await spans.close()
        return 1 if failed else 0

    def _handle_signals(self, stopping: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, stopping.set)
        if self._settings.await_explicit_shutdown:
            loop.add_signal_handler(
                signal.SIGTERM, logger.info, "SIGTERM ignored until POST /shutdown"
            )
        else:
            loop.add_signal_handler(signal.SIGTERM, stopping.set)

    async def _reload_on_change(self, service: PredictionService) -> None:
        if self._reload_paths is None:
            return
        from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType] - a union of its own

        from cogworks.server.reload import SourceFilter

        async for changes in awatch(self._reload_paths, watch_filter=SourceFilter()):
            names = sorted({Path(path).name for _, path in changes})
            logger.info("changed: %s; restarting the worker", ", ".join(names[:5]))
            await service.restart_workers()

    async def _reload_on_hangup(self, service: PredictionService) -> None:
        if not self._settings.reload_on_hangup:
            return
        hung_up = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up.set)
        while await hung_up.wait():
            hung_up.clear()
            logger.info("SIGHUP; restarting the worker")
            await service.restart_workers()


def _spare_garbage_collection() -> None:
    """Let the collector look for circles less often: a prediction makes none, but hundreds of objects."""
    gc.freeze()  # What lives as long as the server need not be looked at again and again.
    gc.set_threshold(*COLLECTIONS)


def _watchers(spans: Spans | None) -> list[Callable[[Run], None]]:
    """Return who is told of each prediction; the spans come first, as the log names them."""
    watchers: list[Callable[[Run], None]] = []
    if spans is not None:
        watchers.append(spans.watch)
    if prediction_log.is_wanted():
        watchers.append(prediction_log.watch)
    return watchers


def _traced(app: App, spans: Spans, routes: Routes) -> ASGIApp:
    from cogworks.server.traced_app import TracedApp

    return TracedApp(app, spans, (path for _, path, _ in routes.table()))


def _find_trace(service: PredictionService, prediction_id: str) -> dict[str, str]:
    run = service.find_run(prediction_id)
    if run is None or not run.trace:
        return {}
    return prediction_log.find_trace_ids(run.trace.get("traceparent", ""))

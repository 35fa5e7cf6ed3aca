"""What is told of a prediction to OpenTelemetry: one span for each thing that takes time.

    POST /predictions            the request (``traced_app``)
      prediction                 from its acceptance to its end
        queue                    until there was a slot
        run                      in the worker
        POST                     each delivery of a webhook

Attributes tell ids, states and times; never inputs or outputs. An error's text is told, as it is in
the log. Imports OpenTelemetry, so it is imported only where traces are wanted (``tracing``).
Source: OpenTelemetry specification, "Trace API"; semantic conventions, "HTTP spans".
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cogworks import _version
from cogworks.server import predictions
from cogworks.server.predictions import Event, Prediction, Started
from cogworks.server.run import Run

DEFAULT_SERVICE_NAME = "cogworks"
"""Without ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES``."""

CLOSE_S = 5.0
"""How long the last spans may take to be sent at shutdown, if the collector is slow or gone."""

MAX_ERROR_CHARACTERS = 200
"""How much of an error's text is told."""

PREDICTION_ID = "cogworks.prediction.id"
PREDICTION_STATUS = "cogworks.prediction.status"
WORKER_PID = "cogworks.worker.pid"
"""Attributes of ours; all others are those of the semantic conventions."""

logger = logging.getLogger(__name__)


class Spans:
    """Begins and ends the spans of one server; ``close`` sends what is left."""

    def __init__(self, provider: TracerProvider) -> None:
        """Take over a provider, with the processors that it has."""
        self._provider = provider
        self.tracer: Tracer = provider.get_tracer("cogworks", _version.__version__)
        self._propagator = TraceContextTextMapPropagator()

    def extract(self, headers: Mapping[str, str]) -> Context:
        """Return the trace that the headers of a request name; without one, a new one begins."""
        # An empty context: a task may have inherited that of another request.
        return self._propagator.extract(headers, Context())

    def inject(self, span: Span) -> dict[str, str]:
        """Return the headers that make what a receiver does a part of ``span``."""
        headers: dict[str, str] = {}
        self._propagator.inject(headers, trace.set_span_in_context(span))
        return headers

    def watch(self, run: Run) -> None:
        """Trace a run that has just been made; what it sends out belongs to its span from now on."""
        request = trace.get_current_span()
        is_in_request = request.get_span_context().is_valid
        parent = trace.set_span_in_context(request) if is_in_request else self.extract(run.trace)
        request.set_attribute(PREDICTION_ID, run.id)
        spans = _PredictionSpans(self.tracer, run, parent)
        run.trace = self.inject(spans.whole)
        run.observers.append(spans.observe)

    @contextmanager
    def request(
        self, method: str, url: str, trace_headers: Mapping[str, str], prediction_id: str
    ) -> Generator[ClientSpan]:
        """Trace one request of ours; of the URL only what can hold no secret is told."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        span = self.tracer.start_span(
            method,
            self.extract(trace_headers),
            SpanKind.CLIENT,
            {
                "http.request.method": method,
                "server.address": parts.hostname or "",
                "server.port": port,
                "url.scheme": parts.scheme,
                PREDICTION_ID: prediction_id,
            },
        )
        try:
            yield ClientSpan(span, self.inject(span))
        except BaseException as error:
            fail(span, type(error).__name__, "")
            raise
        finally:
            span.end()

    async def close(self) -> None:
        """Send what is left, for at most ``CLOSE_S``."""
        loop = asyncio.get_running_loop()
        closed = asyncio.Event()

        def work() -> None:
            self._provider.shutdown()
            loop.call_soon_threadsafe(closed.set)

        # A thread that nothing waits for at exit: the library offers no deadline of its own.
        threading.Thread(target=work, name="close-traces", daemon=True).start()
        try:
            async with asyncio.timeout(CLOSE_S):
                await closed.wait()
        except TimeoutError:
            logger.warning("the last traces were not sent within %g s", CLOSE_S)


class ClientSpan:
    """A request of ours on its way; ``headers`` carry the trace to its receiver."""

    def __init__(self, span: Span, headers: dict[str, str]) -> None:
        """Only keep what is needed."""
        self._span = span
        self.headers = headers

    def fail(self, reason: str, kind: str = "request_failed") -> None:
        """Note that it did not arrive; ``kind`` is one of a few words, ``reason`` for people."""
        fail(self._span, kind, reason)


class _PredictionSpans:
    """The spans of one prediction; ``observe`` is an observer of its run."""

    def __init__(self, tracer: Tracer, run: Run, parent: Context) -> None:
        self._tracer = tracer
        self._run = run
        self._own = {PREDICTION_ID: run.id}
        created_at = _ns(run.prediction.created_at)
        self.whole = tracer.start_span(
            "prediction", parent, attributes=self._own, start_time=created_at
        )
        self._inside = trace.set_span_in_context(self.whole)
        self._part = self._begin_part("queue", created_at)

    def observe(self, prediction: Prediction, event: Event) -> None:
        """Begin and end spans as the prediction begins and ends."""
        if isinstance(event, Started):
            self._part.end(_ns(event.at))
            self._part = self._begin_part("run", _ns(event.at))
            worker = self._run.worker
            if worker is not None and worker.pid is not None:
                self._part.set_attribute(WORKER_PID, worker.pid)
        elif prediction.is_terminal and isinstance(event, _ENDS):
            self._end(prediction, _ns(event.at))

    def _end(self, prediction: Prediction, at_ns: int) -> None:
        for span in (self._part, self.whole):
            if prediction.status is predictions.Status.FAILED:
                fail(span, "prediction_failed", prediction.error or "")
            span.set_attribute(PREDICTION_STATUS, prediction.status.value)
            span.end(at_ns)

    def _begin_part(self, name: str, at_ns: int) -> Span:
        return self._tracer.start_span(name, self._inside, attributes=self._own, start_time=at_ns)


_ENDS = (predictions.Succeeded, predictions.Failed, predictions.Canceled)


def new_spans(processor: SpanProcessor | None = None) -> Spans:
    """Return spans that go to the collector of ``OTEL_EXPORTER_OTLP_ENDPOINT``, or to ``processor``.

    The library itself reads the other standard variables: the sampler, headers, limits, timeouts.
    """
    # The library calls a service that has no name `unknown_service`.
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: DEFAULT_SERVICE_NAME}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


def fail(span: Span, kind: str, reason: str) -> None:
    """Mark a span as failed."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, reason[:MAX_ERROR_CHARACTERS] or None))


def _ns(at: float) -> int:
    return int(at * 1e9)

"""Traces, as a collector gets them from a real server: by OTLP over HTTP, decoded."""

from __future__ import annotations

import gzip
import logging
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from cogworks.server.settings import Settings
from cogworks.server.tracing import is_wanted, open_spans

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PARENT_ID = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
TIMEOUT_S = 20.0


class Collector:
    """Takes traces at ``/v1/traces`` and webhooks at any other path."""

    def __init__(self) -> None:
        self.services: set[str] = set()
        self.webhooks: queue.Queue[dict[str, str]] = queue.Queue()
        self._spans: queue.Queue[Span] = queue.Queue()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    collector.take(ExportTraceServiceRequest.FromString(body))
                else:
                    collector.webhooks.put({k.lower(): v for k, v in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            named = {item.key: item.value.string_value for item in resource.resource.attributes}
            self.services.add(named["service.name"])
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self._spans.put(span)

    def wait(self, count: int) -> dict[str, Span]:
        """Return so many spans by their names."""
        spans = [self._spans.get(timeout=TIMEOUT_S) for _ in range(count)]
        return {span.name: span for span in spans}

    @property
    def is_empty(self) -> bool:
        return self._spans.empty()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, args=(0.01,))
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def attributes(span: Span) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in span.attributes:
        value = item.value
        found[item.key] = getattr(value, value.WhichOneof("value") or "string_value")
    return found


def tell_at_once(collector: Collector) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "10"}


@pytest.mark.slow
def test_a_prediction_is_a_trace_from_the_request_to_the_webhook(
    launch_server: Any, collector: Collector
) -> None:
    server = launch_server(
        "echo", **tell_at_once(collector), OTEL_SERVICE_NAME="greeter", LOG_FORMAT="json"
    )
    done = server.client.post(
        "/predictions?secret=no",
        json={
            "input": {"text": "confidential"},
            "webhook": f"{collector.url}/hook",
            "webhook_events_filter": ["completed"],
        },
        headers={"traceparent": TRACEPARENT, "tracestate": "vendor=1"},
    ).json()

    spans = collector.wait(5)
    request, whole = spans["POST /predictions"], spans["prediction"]
    wait, run, webhook = spans["queue"], spans["run"], spans["POST"]
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE_ID}
    assert request.parent_span_id.hex() == PARENT_ID
    assert whole.parent_span_id == request.span_id
    assert {span.parent_span_id for span in (wait, run, webhook)} == {whole.span_id}
    assert (request.kind, webhook.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT)
    assert {attributes(span)["cogworks.prediction.id"] for span in spans.values()} == {done["id"]}

    told = attributes(request)
    assert told["http.request.method"] == "POST"
    assert told["http.route"] == told["url.path"] == "/predictions"
    assert told["http.response.status_code"] == 200
    assert told["url.scheme"] == "http"
    assert told["server.port"] == int(server.url.rpartition(":")[2])
    assert attributes(run)["cogworks.prediction.status"] == "succeeded"
    assert attributes(run)["cogworks.worker.pid"] > 0
    assert wait.end_time_unix_nano == run.start_time_unix_nano
    assert run.end_time_unix_nano == whole.end_time_unix_nano
    assert collector.services == {"greeter"}
    assert "confidential" not in "".join(map(str, spans.values()))
    assert "secret" not in "".join(map(str, spans.values()))

    headers = collector.webhooks.get(timeout=TIMEOUT_S)
    assert headers["traceparent"] == f"00-{TRACE_ID}-{webhook.span_id.hex()}-01"
    assert headers["tracestate"] == "vendor=1"
    assert f'"trace_id":"{TRACE_ID}"' in server.log()


@pytest.mark.slow
def test_failures_are_marked_and_probes_are_not_traced(
    launch_server: Any, collector: Collector
) -> None:
    server = launch_server("misbehaves", **tell_at_once(collector))
    for path in ("/livez", "/readyz", "/health-check", "/metrics"):
        server.client.get(path)
    failed = server.predict(how="raise").json()
    assert failed["status"] == "failed"
    spans = collector.wait(4)
    assert set(spans) == {"POST /predictions", "prediction", "queue", "run"}
    for name in ("prediction", "run"):
        assert spans[name].status.code == Status.STATUS_CODE_ERROR
        assert spans[name].status.message == failed["error"][:200]
        assert attributes(spans[name])["error.type"] == "prediction_failed"
    assert spans["POST /predictions"].status.code == Status.STATUS_CODE_UNSET
    assert collector.services == {"cogworks"}

    server.client.get(f"/predictions/{failed['id']}")
    server.client.get("/no/such/path")
    spans = collector.wait(2)
    assert attributes(spans["GET /predictions/{id}"])["url.path"] == f"/predictions/{failed['id']}"
    assert attributes(spans["GET"])["http.response.status_code"] == 404
    assert "http.route" not in attributes(spans["GET"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_SAMPLER": "always_off"},
    ],
)
def test_traces_can_be_switched_off(
    launch_server: Any, collector: Collector, variables: dict[str, str]
) -> None:
    server = launch_server("echo", **tell_at_once(collector), **variables)
    assert server.predict(text="x").status_code == 200
    server.client.post("/shutdown")
    assert server.process.wait(TIMEOUT_S) == 0
    assert collector.is_empty


@pytest.mark.slow
def test_the_last_spans_are_sent_before_the_server_ends(
    launch_server: Any, collector: Collector
) -> None:
    server = launch_server("echo", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces")
    server.predict(text="x")
    server.client.post("/shutdown")
    assert server.process.wait(TIMEOUT_S) == 0
    assert set(collector.wait(5)) == {
        *("POST /predictions", "prediction", "queue", "run", "POST /shutdown")
    }


@pytest.mark.slow
def test_a_collector_that_is_gone_hurts_nobody(launch_server: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # Nothing listens there.
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        server = launch_server(
            "echo",
            OTEL_EXPORTER_OTLP_ENDPOINT=url,
            OTEL_BSP_SCHEDULE_DELAY="10",
            OTEL_EXPORTER_OTLP_TIMEOUT="1",
        )
        assert {server.predict(text="x").status_code for _ in range(50)} == {200}
        server.client.post("/shutdown")
        assert server.process.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, False),
        ({"OTEL_SDK_DISABLED": "no", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True),
    ],
)
def test_the_standard_variables_decide(environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(Settings.from_environment(environment)) is wanted


def test_an_exporter_that_is_not_there_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert open_spans(Settings(otel_traces_exporter="jaeger")) is None
    assert 'OTEL_TRACES_EXPORTER="jaeger"' in caplog.text


@pytest.mark.slow
def test_without_the_extra_the_log_says_what_to_install() -> None:
    code = """
import sys
sys.modules["opentelemetry"] = None
from cogworks.server.settings import Settings
from cogworks.server.tracing import open_spans
assert open_spans(Settings(otel_endpoint="http://c:4318")) is None
"""
    assert "cogworks[otel]" in run_python(code)


@pytest.mark.slow
def test_a_server_that_traces_nothing_loads_nothing_of_it() -> None:
    code = """
import sys
from cogworks.server import lifetime, tracing
from cogworks.server.settings import Settings
assert tracing.open_spans(Settings()) is None
sys.stderr.write(str([name for name in sys.modules if name.startswith("opentelemetry")]))
"""
    assert run_python(code) == "[]"


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stderr

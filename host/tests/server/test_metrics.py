"""What is counted is what Prometheus reads, and counting costs a prediction next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.parser import text_string_to_metric_families

from cogworks._version import __version__
from cogworks.server.metrics import CONTENT_TYPE, Distribution, Levels, Metrics
from cogworks.server.predictions import Canceled, Event, Failed, Prediction, Started, Succeeded

NOTHING = Levels(0, 0, 0)


def ended(*events: Event, created_at: float = 10.0) -> Prediction:
    prediction = Prediction("p1", {}, created_at)
    for event in events:
        prediction.handle(event)
    return prediction


def read(metrics: Metrics, levels: Levels = NOTHING) -> dict[str, float]:
    """Return each sample under its name and labels, as Prometheus would."""
    return read_text(metrics.render(levels).decode())


def read_text(text: str) -> dict[str, float]:
    samples: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}"] = sample.value
    return samples


def test_predictions_are_counted_by_how_they_ended() -> None:
    metrics = Metrics()
    metrics.record_end(ended(Started(11.0), Succeeded(13.0)))
    metrics.record_end(ended(Started(11.0), Succeeded(13.0)))
    metrics.record_end(ended(Started(11.0), Failed(13.0, "why")))
    samples = read(metrics)
    assert samples["cogworks_predictions_total{status=succeeded}"] == 2
    assert samples["cogworks_predictions_total{status=failed}"] == 1
    assert samples["cogworks_predictions_total{status=canceled}"] == 0


def test_a_prediction_is_measured_in_the_queue_and_in_the_worker() -> None:
    metrics = Metrics()
    metrics.record_end(ended(Started(10.25), Succeeded(12.25)))
    samples = read(metrics)
    assert samples["cogworks_queue_seconds_sum{}"] == 0.25
    assert samples["cogworks_queue_seconds_count{}"] == 1
    assert samples["cogworks_predict_seconds_sum{}"] == 2.0
    assert samples["cogworks_predict_seconds_bucket{le=1.0}"] == 0
    assert samples["cogworks_predict_seconds_bucket{le=2.5}"] == 1
    assert samples["cogworks_predict_seconds_bucket{le=+Inf}"] == 1


def test_one_that_never_began_took_no_time() -> None:
    metrics = Metrics()
    metrics.record_end(ended(Canceled(11.0)))
    samples = read(metrics)
    assert samples["cogworks_predictions_total{status=canceled}"] == 1
    assert samples["cogworks_predict_seconds_count{}"] == 0
    assert samples["cogworks_queue_seconds_count{}"] == 0


def test_a_clock_that_is_set_back_takes_nothing_away() -> None:
    metrics = Metrics()
    metrics.record_end(ended(Started(9.0), Succeeded(8.0)))
    samples = read(metrics)
    assert samples["cogworks_predict_seconds_sum{}"] == 0
    assert samples["cogworks_queue_seconds_sum{}"] == 0


def test_answers_are_counted_by_status_and_measured() -> None:
    metrics = Metrics()
    metrics.record_response(200, 256, 257)
    metrics.record_response(200, 0, 2**31)
    metrics.record_response(409, 10, 20)
    samples = read(metrics)
    assert samples["cogworks_http_responses_total{code=200}"] == 2
    assert samples["cogworks_http_responses_total{code=409}"] == 1
    assert samples["cogworks_request_bytes_bucket{le=256.0}"] == 3
    assert samples["cogworks_response_bytes_bucket{le=256.0}"] == 1
    assert samples["cogworks_response_bytes_count{}"] == 3
    assert samples["cogworks_response_bytes_sum{}"] == 257 + 2**31 + 20


def test_the_first_error_is_an_increase() -> None:
    samples = read(Metrics())
    assert samples["cogworks_http_responses_total{code=500}"] == 0
    assert samples["cogworks_http_responses_total{code=409}"] == 0


def test_setups_are_told_apart_by_their_result() -> None:
    metrics = Metrics()
    metrics.record_setup(3.0, succeeded=True)
    metrics.record_setup(40.0, succeeded=False)
    samples = read(metrics)
    assert samples["cogworks_setup_seconds_sum{result=succeeded}"] == 3
    assert samples["cogworks_setup_seconds_bucket{le=30.0,result=failed}"] == 0
    assert samples["cogworks_setup_seconds_bucket{le=60.0,result=failed}"] == 1


def test_levels_are_those_of_the_moment() -> None:
    samples = read(Metrics(), Levels(queue_depth=7, slots=4, slots_busy=3))
    assert samples["cogworks_queue_depth{}"] == 7
    assert samples["cogworks_slots{}"] == 4
    assert samples["cogworks_slots_busy{}"] == 3


def test_failures_restarts_and_lag_are_counted() -> None:
    metrics = Metrics()
    metrics.record_webhook_failure()
    metrics.record_worker_restart()
    metrics.record_worker_restart()
    metrics.record_loop_lag(0.02)
    samples = read(metrics)
    assert samples["cogworks_webhook_failures_total{}"] == 1
    assert samples["cogworks_worker_restarts_total{}"] == 2
    assert samples["cogworks_event_loop_lag_seconds_sum{}"] == 0.02


def test_a_server_that_did_nothing_shows_every_metric_already() -> None:
    names = {name.partition("{")[0] for name in read(Metrics())}
    assert {
        "cogworks_predictions_total",
        "cogworks_predict_seconds_count",
        "cogworks_setup_seconds_count",
        "cogworks_webhook_failures_total",
        "cogworks_worker_restarts_total",
    } <= names


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_the_memory_and_the_descriptors_of_the_process_are_shown() -> None:
    samples = read(Metrics())
    assert samples["process_resident_memory_bytes{}"] > 2**20
    assert samples["process_open_fds{}"] >= 3


def test_two_servers_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.record_webhook_failure()
    assert read(other)["cogworks_webhook_failures_total{}"] == 0


def test_the_content_type_is_that_of_the_format() -> None:
    assert CONTENT_TYPE == CONTENT_TYPE_PLAIN_0_0_4


@given(st.lists(st.floats(0, 1e6)), st.lists(st.floats(0, 1e6), unique=True, min_size=1))
def test_a_value_counts_in_the_first_range_that_holds_it(
    values: list[float], bounds: list[float]
) -> None:
    distribution = Distribution(sorted(bounds))
    for value in values:
        distribution.observe(value)
    assert sum(distribution.counts) == len(values)
    for index, bound in enumerate(distribution.bounds):
        assert sum(distribution.counts[: index + 1]) == sum(value <= bound for value in values)


def test_the_library_of_prometheus_is_not_loaded_before_the_first_scrape() -> None:
    code = "import cogworks.server.metrics, sys; print('prometheus_client' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"


def test_readiness_followers_and_the_build_are_shown() -> None:
    samples = read(Metrics(), Levels(0, 1, 0, is_ready=True, stream_subscribers=5))
    assert samples["cogworks_ready{}"] == 1
    assert samples["cogworks_stream_subscribers{}"] == 5
    assert read(Metrics())["cogworks_ready{}"] == 0
    (build,) = [name for name in samples if name.startswith("cogworks_build_info")]
    assert f"version={__version__}" in build
    assert samples[build] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_each_worker_that_lives_shows_its_memory() -> None:
    samples = read(Metrics(), Levels(0, 1, 0, worker_pids=(os.getpid(), None)))
    assert samples["cogworks_worker_resident_memory_bytes{worker=0}"] > 2**20
    assert "cogworks_worker_resident_memory_bytes{worker=1}" not in samples


@pytest.mark.slow
def test_a_stream_is_counted_while_it_is_followed_and_after(launch_server: Any) -> None:
    server = launch_server("streams_forever")
    headers = {"Accept": "text/event-stream"}
    call = server.client.stream("POST", "/predictions", json={"input": {}}, headers=headers)
    with call as response:
        assert response.status_code == 200
        pieces = response.iter_raw()  # Kept: it closes the answer when it goes.
        size_bytes = len(next(pieces))
        samples = read_text(server.client.get("/metrics").text)
        assert samples["cogworks_stream_subscribers{}"] == 1
    # Its client has left: the server notices that in its own time.
    canceled = "cogworks_predictions_total{status=canceled}"
    while not (samples := read_text(server.client.get("/metrics").text))[canceled]:
        pass
    assert samples["cogworks_stream_subscribers{}"] == 0
    assert samples["cogworks_response_bytes_sum{}"] >= size_bytes
    assert samples["cogworks_ready{}"] == 1
    assert samples["cogworks_worker_resident_memory_bytes{worker=0}"] > 2**20

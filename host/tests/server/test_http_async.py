"""Predictions that outlive their request: asynchronous ones, ids, polling, cancelling, waiting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ASYNC = {"Prefer": "respond-async"}


def start(server: Any, headers: dict[str, str] | None = None, **inputs: Any) -> Any:
    return server.client.post("/predictions", json={"input": inputs}, headers=headers or ASYNC)


def put(server: Any, name: str, headers: dict[str, str] | None = None, **inputs: Any) -> Any:
    return server.client.put(f"/predictions/{name}", json={"input": inputs}, headers=headers or {})


def poll(server: Any, name: str) -> dict[str, Any]:
    """Return a prediction once it is over."""
    while True:
        body: dict[str, Any] = server.client.get(f"/predictions/{name}").json()
        if body["status"] not in ("starting", "processing"):
            return body


def test_an_asynchronous_prediction_is_accepted_at_once_and_polled(launch_server: Any) -> None:
    server = launch_server("sleeps")
    response = start(server, seconds=0.3)
    assert response.status_code == 202
    assert response.headers["preference-applied"] == "respond-async"
    body = response.json()
    assert body["status"] == "starting"
    assert body["input"] == {"seconds": 0.3}
    assert server.client.get(f"/predictions/{body['id']}").json()["status"] == "processing"
    ended = poll(server, body["id"])
    assert (ended["status"], ended["output"]) == ("succeeded", "slept")


def test_an_unknown_id_is_not_found(launch_server: Any) -> None:
    server = launch_server("echo")
    assert server.client.get("/predictions/nobody").status_code == 404
    assert server.client.post("/predictions/nobody/cancel").status_code == 404
    assert server.client.get("/predictions/a%20b").status_code == 422


def test_an_id_runs_once_however_often_it_is_put(launch_server: Any) -> None:
    server = launch_server("echo")
    first = put(server, "mine", text="x")
    assert (first.status_code, first.json()["id"]) == (200, "mine")
    again = put(server, "mine", text="x")
    assert again.status_code == 200
    assert again.json() == first.json()
    posted = server.client.post("/predictions", json={"id": "mine", "input": {"text": "x"}})
    assert posted.json() == first.json()


def test_a_put_while_it_runs_tells_how_far_it_is(launch_server: Any) -> None:
    server = launch_server("sleeps")
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(put, server, "mine", seconds=0.5)
        server.wait_for("BUSY")
        again = put(server, "mine", seconds=0.5)
        assert (again.status_code, again.json()["status"]) == (202, "processing")
        assert first.result().json()["status"] == "succeeded"


def test_the_same_id_with_another_input_is_a_conflict(launch_server: Any) -> None:
    server = launch_server("echo")
    put(server, "mine", text="x")
    response = put(server, "mine", text="y")
    assert response.status_code == 409
    assert "different input" in response.json()["error"]


def test_the_id_of_the_body_must_be_that_of_the_url(launch_server: Any) -> None:
    server = launch_server("echo")
    response = server.client.put("/predictions/a", json={"id": "b", "input": {"text": "x"}})
    assert response.status_code == 422
    (problem,) = response.json()["detail"]
    assert problem["loc"] == ["body", "id"]
    assert problem["msg"] == "prediction ID must match the ID supplied in the URL"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/cancel"), ("PUT", "/cancel"), ("DELETE", "")]
)
def test_a_cancel_by_id_ends_the_prediction(launch_server: Any, method: str, path: str) -> None:
    server = launch_server("sleeps")
    name = start(server, seconds=60).json()["id"]
    server.wait_for("BUSY")
    for _ in range(2):
        response = server.client.request(method, f"/predictions/{name}{path}")
        assert (response.status_code, response.json()) == (200, {})
    assert poll(server, name)["status"] == "canceled"
    assert server.predict(seconds=0).json()["status"] == "succeeded"


def test_the_list_shows_the_newest_first_page_by_page(launch_server: Any) -> None:
    server = launch_server("echo")
    for number in range(5):
        put(server, f"p{number}", text="x")
    seen: list[str] = []
    url: str | None = "/predictions?limit=2"
    while url:
        page = server.client.get(url).json()
        seen += [item["id"] for item in page["results"]]
        url = page["next"]
    assert seen == ["p4", "p3", "p2", "p1", "p0"]
    assert server.client.get("/predictions?limit=0").status_code == 422
    assert server.client.get("/predictions?cursor=nonsense").status_code == 400


def test_predictions_wait_in_order_where_a_queue_is_allowed(launch_server: Any) -> None:
    server = launch_server("sleeps", COG_QUEUE_SIZE="2")
    names = [start(server, seconds=0.1).json()["id"] for _ in range(3)]
    refused = start(server, seconds=0.1)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    ends = [poll(server, name)["completed_at"] for name in names]
    assert ends == sorted(ends)


def test_a_waiting_prediction_can_be_canceled(launch_server: Any) -> None:
    server = launch_server("sleeps", COG_QUEUE_SIZE="2")
    running = start(server, seconds=0.5).json()["id"]
    waiting = start(server, seconds=60).json()["id"]
    assert server.client.get(f"/predictions/{waiting}").json()["status"] == "starting"
    server.client.post(f"/predictions/{waiting}/cancel")
    assert poll(server, waiting)["status"] == "canceled"
    assert poll(server, running)["status"] == "succeeded"


def test_a_prediction_over_its_deadline_fails_and_says_so(launch_server: Any) -> None:
    server = launch_server("sleeps", COG_PREDICT_TIMEOUT="0.3")
    body = server.predict(seconds=60).json()
    assert body["status"] == "failed"
    assert body["error"] == "the prediction took longer than 0.3 s"
    assert server.predict(seconds=0).json()["status"] == "succeeded"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("webhook", "ftp://example.com"),
        ("webhook", 3),
        ("webhook_events_filter", ["nonsense"]),
        ("webhook_events_filter", "completed"),
    ],
)
def test_bad_fields_are_named(launch_server: Any, field: str, value: Any) -> None:
    server = launch_server("echo")
    response = server.client.post("/predictions", json={"input": {"text": "x"}, field: value})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", field]


def test_an_id_that_the_server_gave_stands_for_one_input_too(launch_server: Any) -> None:
    server = launch_server("secrets")
    first = server.predict(token="geheim").json()
    path = f"/predictions/{first['id']}"
    assert server.client.put(path, json={"input": {"token": "geheim"}}).json() == first
    assert server.client.put(path, json={"input": {"token": "falsch"}}).status_code == 409
    assert server.client.put(path, json={"input": {}}).status_code == 409
    assert server.client.put(path, json={"input": {"token": 3}}).status_code == 409

"""Objects as inputs and output, through a real server and a real worker."""

from __future__ import annotations

import base64
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def data_url(text: str) -> str:
    return "data:text/plain;base64," + base64.b64encode(text.encode()).decode()


def test_a_model_gets_objects_with_open_files_and_gives_one(launch_server: Any) -> None:
    server = launch_server("typed")
    scene = {
        "layers": [{"image": data_url("one"), "color": "blue", "at": [3, 4]}],
        "token": "geheim",
        "mode": "good",
    }
    body = server.predict(scene=scene, extra={"image": data_url(" two")}).json()
    assert body["status"] == "succeeded", body["logs"]
    assert body["output"]["text"] == "one two"
    assert body["output"]["color"] == "blue"
    assert body["output"]["copy"] == data_url("one two at (3, 4)")
    assert body["input"]["scene"]["token"] == "**********"
    assert "geheim" not in str(body)


def test_what_does_not_fit_is_refused_with_its_place_before_the_model_sees_it(
    launch_server: Any,
) -> None:
    server = launch_server("typed")
    scene = {"layers": [{"image": "photo.jpg", "at": [1, "x"]}], "mode": "slow"}
    response = server.predict(scene=scene, extra=3)
    assert response.status_code == 422
    found = {(item["loc"][-1], item["msg"]) for item in response.json()["detail"]}
    assert found == {
        (
            "scene/layers/0/image",
            'input "scene/layers/0/image": must be an http(s) URL or a data URL',
        ),
        ("scene/layers/0/at/1", 'input "scene/layers/0/at/1": must be of type integer, got string'),
        ("scene/mode", 'input "scene/mode": must be one of: fast, good'),
        ("extra", 'input "extra": must be of type object or string, got integer'),
    }


def test_a_file_that_cannot_be_fetched_fails_the_prediction(launch_server: Any) -> None:
    server = launch_server("typed")
    body = server.predict(scene={"layers": [{"image": "http://127.0.0.1:9/x"}]}).json()
    assert body["status"] == "failed"
    assert "127.0.0.1" in body["error"]

"""Examples as images: built, pushed, pulled by docker and podman, run as in production, asked over HTTP, ended by SIGTERM."""

from __future__ import annotations

import base64
import json
import math
import struct
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.parts.container import Container, container
from tests.parts.dockerd import Docker
from tests.parts.engine import Engine

from .conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.network]

HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")
"""How careful people run a server: nothing but /tmp can be written, and nobody can become root."""
STOP_S = 15.0
"""What ending may take; docker's own grace, 10 s, must be enough, and this machine may be slow to see it."""


def data_url(path: Path, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"


def predict(server: Container, **inputs: object) -> Any:
    answer = httpx2.post(f"{server.url}/predictions", json={"input": inputs}, timeout=60)
    prediction = answer.json()
    assert prediction["status"] == "succeeded", prediction
    return prediction


def png_size(url: str) -> tuple[int, int]:
    kind, _, text = url.partition(",")
    assert kind == "data:image/png;base64"
    width, height = struct.unpack(">II", base64.b64decode(text)[16:24])
    return width, height


def check_blur(server: Container, directory: Path) -> None:
    photo = data_url(directory / "photo.jpg", "image/jpeg")
    prediction = predict(server, image=photo, radius=6, scale=2)
    assert png_size(prediction["output"]) == (902, 600)
    assert prediction["logs"] == "read 451x300 pixels\n"


def test_blur_serves_as_anybody_without_rights_and_ends_in_time(desk: Desk, docker: Docker) -> None:
    directory = desk.copy("blur")
    image = desk.push(directory)
    docker.run("pull", "--quiet", image)
    with container(docker, image, HARDENED) as server:
        server.wait_until_ready()
        assert httpx2.get(f"{server.url}/livez").status_code == 200
        assert server.run("id", "-u").strip() == "1000"
        check_blur(server, directory)
        assert server.stop() < STOP_S
        assert server.exit_code == 0
        events = [json.loads(line) for line in server.logs.splitlines() if line.startswith("{")]
    said = [(one["logger"].rpartition(".")[2], one["message"]) for one in events]
    assert ("model", "read 451x300 pixels") in said
    assert ("prediction_log", "prediction succeeded") in said
    assert ("lifetime", "shutting down") in said


def test_digits_yields_its_lines(desk: Desk, docker: Docker) -> None:
    directory = desk.copy("digits")
    image = desk.push(directory)
    docker.run("pull", "--quiet", image)
    with container(docker, image, HARDENED) as server:
        server.wait_until_ready()
        output = predict(server, image=data_url(directory / "digit.png", "image/png"))["output"]
    assert output[0] == "read 160x160 pixels"
    assert output[-1] == "digit: 7"


def test_embed_computes_with_the_weights_of_a_package(desk: Desk, docker: Docker) -> None:
    directory = desk.copy("embed")
    image = desk.push(directory)
    docker.run("pull", "--quiet", image)
    texts = json.loads((directory / "texts.json").read_text())
    with container(docker, image, HARDENED) as server:
        server.wait_until_ready()
        output = predict(server, **texts)["output"]
    cat_kitten, cat_law = output["similarities"][0][1:]
    assert abs(cat_kitten - 0.7374) < 1e-3
    assert abs(cat_law - 0.1703) < 1e-3
    assert abs(math.hypot(*output["vectors"][0]) - 1) < 1e-4


def test_podman_runs_the_same_image(desk: Desk, podman: Engine) -> None:
    directory = desk.copy("blur")
    image = desk.push(directory)
    podman.run("pull", "--quiet", "--tls-verify=false", image)
    with container(podman, image, HARDENED) as server:
        server.wait_until_ready()
        check_blur(server, directory)
        assert server.stop() < STOP_S
        assert server.exit_code == 0


def test_buildah_runs_what_is_in_the_image(desk: Desk, buildah: Engine) -> None:
    image = desk.push(desk.copy("blur"))
    buildah.run("pull", "--tls-verify=false", image)
    working = buildah.run("from", image).stdout.strip()
    code = "import sys, PIL, cog; print(sys.executable, PIL.__version__)"
    said = buildah.run("run", working, "python", "-c", code).stdout
    buildah.run("rm", working)
    assert said.split() == ["/opt/venv/bin/python", "13.0.0"]

"""Files that come with a request: given to the model by path, and gone when it is over."""

from __future__ import annotations

import base64
import hashlib
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from cogworks.server.uploads import MAX_NAME_BYTES, safe_name

pytestmark = pytest.mark.slow

GIB = 1024**3
MIB = 1024**2
BOUND_S = 20.0


class Receiver:
    """A server with a folder of its own for temporary files."""

    def __init__(self, server: Any, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def post(self, url: str = "/predictions", **request: Any) -> httpx2.Response:
        response: httpx2.Response = self.server.client.post(url, **request)
        return response

    def left(self) -> list[Path]:
        # Unlike a glob, this does not mind that folders go away meanwhile.
        walk = os.walk(self.folder)
        return [Path(at, name) for at, _, names in walk for name in names if "cog-uploads" in at]

    def wait_clean(self) -> None:
        deadline = time.monotonic() + BOUND_S
        while self.left():
            assert time.monotonic() < deadline, self.left()
            self.server.health()

    def resident_bytes(self) -> int:
        fields = Path(f"/proc/{self.server.process.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGESIZE")


@pytest.fixture
def receiver(launch_server: Callable[..., Any], tmp_path: Path) -> Iterator[Receiver]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    receiver = Receiver(launch_server("uploads", TMPDIR=str(folder)), folder)
    yield receiver
    receiver.wait_clean()


def test_a_form_carries_files_and_texts_of_every_kind(receiver: Receiver) -> None:
    answer = receiver.post(
        files=[
            ("image", ("ä b.png", b"picture", "image/png")),
            ("frames", ("1.txt", b"one")),
            ("frames", ("2.txt", b"two")),
            ("stream", ("s", b"stream")),
        ],
        data={"scale": "2.5", "steps": "3", "flag": "on", "tags": ["x", "y"], "extra": '{"a": 1}'},
    ).json()
    assert answer["output"] == {
        "image": ["ä b.png", 7, hashlib.sha256(b"picture").hexdigest()],
        "mask": None,
        "frames": [["1.txt", "one"], ["2.txt", "two"]],
        "stream": "stream",
        "rest": [2.5, 3, True, ["x", "y"], {"a": 1}],
    }
    assert answer["input"]["image"] == "ä b.png"
    assert answer["input"]["frames"] == ["1.txt", "2.txt"]


def test_a_form_may_name_files_by_url_and_leave_boxes_empty(receiver: Receiver) -> None:
    answer = receiver.post(
        files=[("mask", ("", b"")), ("image", ("../../x.txt", b"text"))],
        data={"frames": "data:text/plain;base64,b25l", "steps": ""},
    ).json()
    assert answer["output"]["image"][:2] == ["x.txt", 4]
    assert answer["output"]["mask"] is None
    assert answer["output"]["frames"][0][1] == "one"
    assert answer["output"]["rest"][1] == 1


def test_a_form_has_the_fields_of_a_request_too(receiver: Receiver) -> None:
    answer = receiver.post(
        headers={"Prefer": "respond-async"},
        files=[("image", ("x", b"text"))],
        data={"id": "mine", "input": '{"steps": 5, "tags": ["a"]}', "context": '{"who": "me"}'},
    )
    assert answer.status_code == 202
    while (found := receiver.server.client.get("/predictions/mine").json())["output"] is None:
        assert found["status"] in ("starting", "processing")
    assert found["output"]["rest"] == [1.0, 5, False, ["a"], None]


def test_a_body_that_is_a_file_is_the_first_file_input(receiver: Receiver) -> None:
    url = "/predictions?steps=4&tags=q&tags=r"
    answer = receiver.post(url, content=b"raw", headers={"Content-Type": "image/png"}).json()
    assert answer["output"]["image"][:2] == ["file.png", 3]
    assert answer["output"]["rest"][1:] == [4, False, ["q", "r"], None]
    named = {"Content-Type": "image/png", "Content-Disposition": 'attachment; filename="a.gif"'}
    put = receiver.server.client.put("/predictions/raw", content=b"raw", headers=named)
    assert put.json()["output"]["image"][0] == "a.gif"


def test_the_same_files_under_the_same_id_run_once(receiver: Receiver) -> None:
    def put(content: bytes) -> httpx2.Response:
        files = {"image": ("x", content)}
        response: httpx2.Response = receiver.server.client.put("/predictions/one", files=files)
        return response

    first = put(b"a")
    assert put(b"a").json() == first.json()
    assert put(b"b").status_code == 409


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"files": {"nope": ("x", b"1")}}, 422, "is no input of this model"),
    ({"files": {"scale": ("x", b"1")}}, 422, "is no file"),
    ({"files": {"image": ("x", b"1")}, "data": {"steps": "many"}}, 422, "of type integer"),
    ({"files": [("image", ("x", b"1")), ("image", ("y", b"2"))]}, 422, "given twice"),
    ({"files": {"image": ("x", b"1")}, "data": {"mask": "cog-upload:a"}}, 422, "URL"),
    ({"files": {"mask": ("x", b"1")}}, 422, "Field required"),
    ({"files": {"image": ("x", b"1")}, "data": {"input": "{"}}, 400, "part input is not JSON"),
    (
        {"files": {"image": ("x", b"1")}, "data": {"extra": '{"a":' * 200 + "1" + "}" * 200}},
        *(400, "more than 100 levels"),
    ),
    ({"json": {"input": {"image": "cog-upload:a"}}}, 422, "URL"),
    (
        {"files": {"image": ("x", b"1")}, "headers": {"Sec-Fetch-Site": "cross-site"}},
        *(403, "other sites"),
    ),
    (
        {"files": {"image": ("x", b"1")}, "headers": {"Origin": "https://evil.example"}},
        *(403, "other sites"),
    ),
    ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
    (
        {
            "content": b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\nabc',
            "headers": {"Content-Type": "multipart/form-data; boundary=b"},
        },
        *(400, "before its last boundary"),
    ),
    (
        {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        *(400, "malformed"),
    ),
]


def test_what_makes_no_sense_is_refused_and_leaves_nothing(receiver: Receiver) -> None:
    answers = [(receiver.post(**request), status, says) for request, status, says in REFUSED]
    wrong = [
        (answer.status_code, answer.text)
        for answer, status, says in answers
        if answer.status_code != status or says not in answer.text
    ]
    assert wrong == []
    receiver.wait_clean()


def test_an_upload_beyond_the_limit_is_refused(
    launch_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = launch_server("uploads", TMPDIR=str(tmp_path), COG_MAX_UPLOAD="1000")
    receiver = Receiver(server, tmp_path)
    headers = {"Content-Type": "image/png"}
    assert receiver.post(content=b"x" * 1000, headers=headers).status_code == 200
    assert receiver.post(content=b"x" * 1001, headers=headers).status_code == 413
    assert receiver.post(content=iter([b"x" * 999, b"yy"]), headers=headers).status_code == 413
    receiver.wait_clean()


def test_a_model_that_failed_in_setup_refuses_forms_with_its_reason(
    launch_server: Callable[..., Any], tmp_path: Path
) -> None:
    server = launch_server("setup_raises", wait=False, TMPDIR=str(tmp_path))
    server.wait_for("SETUP_FAILED")
    receiver = Receiver(server, tmp_path)
    answer = receiver.post(files={"image": ("x.png", b"x")})
    assert answer.status_code == 503
    assert answer.json()["error"] == "The model cannot be served: weights are corrupt"
    receiver.wait_clean()


def test_a_full_disk_is_said_and_leaves_nothing(receiver: Receiver) -> None:
    data = bytes(3 * MIB)
    url = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    requests: list[dict[str, Any]] = [
        {"content": data, "headers": {"Content-Type": "image/png"}},
        {"files": {"image": ("x.png", data)}},
        {"json": {"input": {"image": url}}},
    ]
    process_id = receiver.server.process.pid
    limits = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    # To a process, a limit on the size of files looks like a disk that is full at that size.
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (MIB, limits[1]))
    for request in requests:
        answer = receiver.post(**request)
        assert (answer.status_code, answer.json()) == (
            507,
            {"error": "There is no room on the server's disk for the files", "status": "failed"},
        )
    receiver.wait_clean()
    assert receiver.server.health()["status"] == "READY"
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, limits)
    for request in requests:
        assert receiver.post(**request).json()["output"]["image"][1] == len(data)


def test_a_client_that_leaves_midway_leaves_nothing(receiver: Receiver) -> None:
    port = urlsplit(str(receiver.server.url)).port
    with socket.create_connection(("127.0.0.1", port), BOUND_S) as connection:
        head = b"POST /predictions HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\n"
        connection.sendall(head + b"content-length: 9000000\r\n\r\n" + b"x" * 3 * MIB)
        while not receiver.left():
            receiver.server.health()
    receiver.wait_clean()


def test_the_files_of_a_worker_that_dies_are_removed(receiver: Receiver) -> None:
    answer = receiver.post(files={"image": ("x", b"1")}, data={"tags": "die"}).json()
    assert (answer["status"], "exited with code 3" in answer["error"]) == ("failed", True)
    receiver.wait_clean()
    receiver.server.wait_for("READY")


def test_a_server_that_ends_leaves_no_folder(receiver: Receiver) -> None:
    assert receiver.post(files={"image": ("x", b"1")}).status_code == 200
    assert list(receiver.folder.glob("cog-uploads-*")) != []
    receiver.server.client.post("/shutdown")
    receiver.server.process.wait(BOUND_S)
    assert list(receiver.folder.glob("cog-uploads-*")) == []


def test_what_a_killed_server_leaves_is_removed_by_the_next_one(
    receiver: Receiver, launch_server: Callable[..., Any]
) -> None:
    killed = receiver.server
    with socket.create_connection(("127.0.0.1", urlsplit(str(killed.url)).port)) as connection:
        head = b"POST /predictions HTTP/1.1\r\nhost: x\r\ncontent-type: image/png\r\n"
        connection.sendall(head + b"content-length: 9000000\r\n\r\n" + b"x" * 3 * MIB)
        while not receiver.left():
            killed.health()
        os.kill(killed.process.pid, signal.SIGKILL)
        killed.process.wait(BOUND_S)
    (left,) = receiver.folder.glob("cog-uploads-*")
    assert receiver.left()
    receiver.server = launch_server("uploads", TMPDIR=str(receiver.folder))
    receiver.wait_clean()
    while left.exists():
        receiver.server.health()
    # One that lives keeps its own.
    assert receiver.post(files={"image": ("x", b"1")}).status_code == 200
    (own,) = receiver.folder.glob("cog-uploads-*")
    another = launch_server("uploads", TMPDIR=str(receiver.folder))
    another.client.post("/shutdown")
    another.process.wait(BOUND_S)
    assert own.exists()


def test_a_model_without_files_takes_forms_but_no_file(launch_server: Callable[..., Any]) -> None:
    client = launch_server("echo").client
    answer = client.post("/predictions", content=b"x", headers={"Content-Type": "image/png"})
    assert (answer.status_code, "no input is a file" in answer.text) == (415, True)
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello\r\n--b--\r\n'
    answer = client.post("/predictions", content=part, headers=form)
    assert (answer.status_code, answer.json()["input"]) == (200, {"text": "hello"})
    assert client.post("/predictions", content=b"--b--\r\n", headers=form).status_code == 422


@pytest.mark.parametrize("is_form", [True, False])
def test_a_gibibyte_goes_to_disk_and_not_to_memory(receiver: Receiver, is_form: bool) -> None:
    receiver.post(content=b"x" * 4 * MIB, headers={"Content-Type": "image/png"})
    before = receiver.resident_bytes()
    block = bytes(MIB)
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
    ends = (head, b"\r\n--b--\r\n") if is_form else (b"", b"")
    hashed = hashlib.sha256()
    most_bytes = 0

    def body() -> Iterator[bytes]:
        nonlocal most_bytes
        yield ends[0]
        for number in range(GIB // MIB):
            if number % 64 == 0:
                most_bytes = max(most_bytes, receiver.resident_bytes())
            hashed.update(block)
            yield block
        yield ends[1]

    media_type = "multipart/form-data; boundary=b" if is_form else "image/png"
    length = str(GIB + sum(map(len, ends)))
    headers = {"Content-Type": media_type, "Content-Length": length}
    answer = receiver.post(content=body(), headers=headers, timeout=120).json()
    assert answer["output"]["image"][1:] == [GIB, hashed.hexdigest()]
    assert max(most_bytes, receiver.resident_bytes()) - before < 100 * MIB


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("photo.png", "photo.png"),
        ("C:\\fakepath\\photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("a\x00b\n.png", "ab.png"),
        ("..", "file"),
        ("", "file"),
    ],
)
def test_a_name_is_never_a_path(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_a_long_name_keeps_its_extension() -> None:
    name = safe_name("ü" * 300 + ".png")
    assert name.endswith("ü.png")
    assert len(name.encode()) <= MAX_NAME_BYTES

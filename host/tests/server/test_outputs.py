"""Output files are sent to where the operator wants them, and the output says where they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cogworks.server.upload_sender import public_url, target_url

pytestmark = pytest.mark.slow

GIB = 1024**3
MIB = 1024**2
BOUND_S = 20.0


class Bucket:
    """Takes files by PUT; ``answers`` are the next statuses, with a Location if there is one."""

    def __init__(self) -> None:
        self.puts: list[tuple[str, dict[str, str], bytes]] = []
        self.sizes: list[int] = []
        self.answers: list[tuple[int, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Event()
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                bucket.arrived.set()
                bucket.gate.wait(BOUND_S)
                left = size = int(self.headers["Content-Length"])
                head = b""
                while left:
                    chunk = self.rfile.read(min(left, MIB))
                    if not chunk:
                        return
                    left -= len(chunk)
                    head = head or chunk
                bucket.sizes.append(size)
                headers = {name.lower(): value for name, value in self.headers.items()}
                bucket.puts.append((self.path, headers, head))
                status, location = bucket.answers.pop(0) if bucket.answers else (200, "")
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    bucket = Bucket()
    yield bucket
    bucket.close()


Launch = Callable[..., Any]


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("cogworks-worker-*/**/*") if path.is_file()]


def test_files_are_sent_in_order_however_deep_they_are(
    launch_server: Launch, bucket: Bucket, tmp_path: Path
) -> None:
    server = launch_server(
        "gives_files", COG_UPLOAD_URL=bucket.url + "/out?key=secret", TMPDIR=str(tmp_path)
    )
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    body: dict[str, Any] = {"id": "mine", "input": {}}
    answer = server.client.post("/predictions", json=body, headers={"traceparent": trace}).json()
    first, second = bucket.url + "/out/a%20b.txt", bucket.url + "/out/a%20b-1.txt"
    assert answer["output"] == [first, {"deep": [second, first]}, bucket.url + "/out/picture"]
    assert [put[0] for put in bucket.puts] == [
        *("/out/a%20b.txt?key=secret", "/out/a%20b-1.txt?key=secret", "/out/picture?key=secret")
    ]
    assert [put[2] for put in bucket.puts] == [b"x1", b"x2", b"GIF89a"]
    headers = bucket.puts[0][1]
    assert headers["content-type"] == "text/plain"
    assert bucket.puts[2][1]["content-type"] == "image/gif"
    assert headers["x-prediction-id"] == "mine"
    assert trace[:35] in headers["traceparent"]
    assert headers["user-agent"].startswith("cogworks/")
    assert left(tmp_path) == []


def test_a_location_is_where_the_file_is_and_redirects_are_followed(
    launch_server: Launch, bucket: Bucket
) -> None:
    server = launch_server("gives_files", "--upload-url", bucket.url)
    bucket.answers = [(201, "https://cdn.example/a?signed=1"), (307, "/else/b"), (200, "")]
    output = server.predict().json()["output"]
    assert output[0] == "https://cdn.example/a"
    assert output[1]["deep"][0] == bucket.url + "/else/b"


def test_the_module_of_upstream_takes_its_flag_which_wins_over_the_variable(
    launch_server: Launch, bucket: Bucket
) -> None:
    flags = ("--upload-url", bucket.url + "/flag")
    server = launch_server(
        "gives_files", *flags, module="cog.server.http", COG_UPLOAD_URL=bucket.url + "/variable"
    )
    assert server.predict().json()["output"][0] == bucket.url + "/flag/a%20b.txt"
    assert [put[2] for put in bucket.puts] == [b"x1", b"x2", b"GIF89a"]


def test_what_may_pass_is_tried_again_and_the_rest_fails_the_prediction(
    launch_server: Launch, bucket: Bucket, tmp_path: Path
) -> None:
    server = launch_server("gives_files", COG_UPLOAD_URL=bucket.url, TMPDIR=str(tmp_path))
    bucket.answers = [(503, ""), (429, "")]
    assert server.predict().json()["status"] == "succeeded"
    bucket.answers = [(403, "")]
    answer = server.predict().json()
    assert answer["status"] == "failed"
    assert "a b.txt cannot be uploaded: the receiver answered 403" in answer["error"]
    bucket.answers = [(500, ""), (500, ""), (500, "")]
    assert "answered 500 (3 tries)" in server.predict().json()["error"]
    assert left(tmp_path) == []
    metrics = server.client.get("/metrics").text
    assert "cogworks_upload_failures_total 2.0" in metrics


def test_each_item_is_sent_before_its_event_and_is_what_the_model_had_written(
    launch_server: Launch, bucket: Bucket
) -> None:
    server = launch_server("yields_files", COG_UPLOAD_URL=bucket.url)
    names = ["frame.txt", "frame-1.txt", "frame-2.txt"]
    assert server.predict().json()["output"] == [f"{bucket.url}/{name}" for name in names]
    assert [put[2] for put in bucket.puts] == [b"frame 0", b"frame 1", b"frame 2"]


def test_a_failed_item_ends_the_model_and_the_slot_is_free_with_the_answer(
    launch_server: Launch, bucket: Bucket
) -> None:
    server = launch_server("yields_files", COG_UPLOAD_URL=bucket.url)
    bucket.answers = [(400, "")]
    answer = server.predict(last_s=60.0).json()
    assert (answer["status"], "answered 400" in answer["error"]) == ("failed", True)
    assert server.predict(count=1).json()["status"] == "succeeded"


def test_a_slow_upload_takes_no_slot_and_a_cancel_ends_it(
    launch_server: Launch, bucket: Bucket, tmp_path: Path
) -> None:
    server = launch_server("gives_files", COG_UPLOAD_URL=bucket.url, TMPDIR=str(tmp_path))
    bucket.gate.clear()
    for name in ("one", "two"):  # The second one finds a slot while the first one is sent.
        bucket.arrived.clear()
        begun = server.client.put(
            f"/predictions/{name}", json={}, headers={"Prefer": "respond-async"}
        )
        assert begun.status_code == 202
        assert bucket.arrived.wait(BOUND_S)
    assert server.health()["status"] == "READY"
    server.client.post("/predictions/one/cancel")
    while (one := server.client.get("/predictions/one").json())["status"] == "processing":
        server.health()
    assert one["status"] == "canceled"
    bucket.gate.set()
    while (two := server.client.get("/predictions/two").json())["status"] == "processing":
        server.health()
    assert two["status"] == "succeeded"
    assert left(tmp_path) == []


def test_shutdown_ends_an_upload_that_does_not_end(launch_server: Launch, bucket: Bucket) -> None:
    server = launch_server("gives_files", COG_UPLOAD_URL=bucket.url, COG_SHUTDOWN_GRACE="0.1")
    bucket.gate.clear()
    server.client.put("/predictions/one", json={}, headers={"Prefer": "respond-async"})
    assert bucket.arrived.wait(BOUND_S)
    server.client.post("/shutdown")
    assert server.process.wait(BOUND_S) == 0


def test_a_gibibyte_goes_out_and_not_through_memory(launch_server: Launch, bucket: Bucket) -> None:
    import os

    server = launch_server("gives_files", COG_UPLOAD_URL=bucket.url)
    statm = Path(f"/proc/{server.process.pid}/statm")

    def resident_bytes() -> int:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    assert server.predict(size=4 * MIB).json()["status"] == "succeeded"
    before = resident_bytes()
    begun = {"id": "large", "input": {"size": GIB}}
    server.client.post("/predictions", json=begun, headers={"Prefer": "respond-async"})
    most_bytes = 0
    while (found := server.client.get("/predictions/large").json())["completed_at"] is None:
        most_bytes = max(most_bytes, resident_bytes())
    assert found["output"] == bucket.url + "/large.bin"
    assert bucket.sizes == [4 * MIB, GIB]
    assert most_bytes - before < 100 * MIB


def test_a_name_is_put_below_the_url_whose_query_stays() -> None:
    assert target_url("http://h/a/?k=1#f", "x/y z.png") == "http://h/a/x%2Fy%20z.png?k=1"
    assert target_url("http://h", "x") == "http://h/x"


def test_a_url_for_clients_has_no_secrets() -> None:
    assert public_url("https://me:pass@h:1/a?sig=2#f") == "https://h:1/a"

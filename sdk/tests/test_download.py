"""Downloads against a real server: what arrives, and what is said when it does not."""

from __future__ import annotations

import io
import pickle
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cog.download import (
    DEFAULT_MAX_SIZE_BYTES,
    DEFAULT_USER_AGENT,
    DownloadSettings,
    configure_downloads,
    download_settings,
    is_http_url,
    open_url,
    save_stream,
    set_user_agent,
)
from cog.errors import DownloadError, DownloadTooLargeError

if TYPE_CHECKING:
    from .conftest import FileServer


def fetch(url: str, **settings: Any) -> bytes:
    with open_url(url, DownloadSettings(**settings)) as stream:
        return stream.read()


def test_a_file_arrives_whole(server: FileServer) -> None:
    body = bytes(range(256)) * 5000
    assert fetch(server.serve("/big.bin", body)) == body


def test_an_empty_file_arrives(server: FileServer) -> None:
    assert fetch(server.serve("/empty")) == b""


def test_the_default_limit_is_ten_gibibytes() -> None:
    assert DEFAULT_MAX_SIZE_BYTES == download_settings().max_size_bytes == 10 * 1024**3


def test_the_user_agent_is_ours_until_it_is_set(server: FileServer) -> None:
    url = server.serve("/a")
    open_url(url).close()
    set_user_agent("robot/1")
    open_url(url).close()
    assert [headers["User-Agent"] for _, headers in server.requests] == [
        DEFAULT_USER_AGENT,
        "robot/1",
    ]


def test_a_redirect_is_followed(server: FileServer) -> None:
    server.serve("/target", b"there")
    for status in (301, 302, 303, 307, 308):
        url = server.serve("/start", status=status, headers=(("Location", "/target"),))
        assert fetch(url) == b"there"


def test_redirects_end_at_the_limit(server: FileServer) -> None:
    for number in range(6):
        server.serve(f"/{number}", status=302, headers=(("Location", f"/{number + 1}"),))
    server.serve("/6", b"end")
    assert fetch(server.url + "/1") == b"end"
    with pytest.raises(DownloadError, match="302"):
        fetch(server.url + "/0")


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_a_redirect_to_another_scheme_is_refused(server: FileServer, target: str) -> None:
    url = server.serve("/start", status=302, headers=(("Location", target),))
    with pytest.raises(DownloadError):
        fetch(url)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_http_error_names_the_status_and_hides_the_query(
    server: FileServer, status: int
) -> None:
    server.serve("/x.png", b"a page", status=status)
    with pytest.raises(DownloadError) as caught:
        fetch(server.url + "/x.png?token=hidden")
    assert str(caught.value).startswith(f"cannot download {server.url}/x.png: ")
    assert f"the server answered {status}" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_refused_connection_is_a_download_error(server: FileServer) -> None:
    with pytest.raises(DownloadError, match="refused"):
        fetch("http://127.0.0.1:1/x")


def test_a_url_without_a_host_is_a_download_error() -> None:
    with pytest.raises(DownloadError, match="no host"):
        fetch("http:///x")


def test_a_host_that_is_none_is_a_download_error() -> None:
    with pytest.raises(DownloadError):
        fetch("http://[nonsense/x")


def test_a_stalled_server_runs_into_the_timeout(server: FileServer) -> None:
    released = threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.wfile.flush()
        released.wait(10)

    server.answers["/slow"] = stall
    with pytest.raises(DownloadError, match=r"no answer within 0\.05 s"):
        fetch(server.url + "/slow", timeout_s=0.05)
    released.set()


def test_a_body_that_ends_early_is_no_file(server: FileServer) -> None:
    url = server.serve("/cut", b"half", announced_bytes=8)
    with pytest.raises(DownloadError, match="ended after 4 of 8 bytes"):
        fetch(url)


def test_a_chunked_body_that_ends_early_is_no_file(server: FileServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"4\r\nhalf\r\n8\r\nno")
        handler.close_connection = True

    server.answers["/chunked"] = answer
    with pytest.raises(DownloadError):
        fetch(server.url + "/chunked")


def test_a_file_over_the_limit_is_refused_before_it_is_read(server: FileServer) -> None:
    url = server.serve("/big", b"x" * 11)
    with pytest.raises(DownloadTooLargeError, match="larger than the limit of 10 bytes"):
        open_url(url, DownloadSettings(max_size_bytes=10))
    assert fetch(url, max_size_bytes=11) == b"x" * 11


def test_a_file_of_unknown_size_is_refused_at_the_limit(server: FileServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"x" * 11)

    server.answers["/endless"] = answer
    with pytest.raises(DownloadTooLargeError):
        fetch(server.url + "/endless", max_size_bytes=10)


def test_spaces_and_foreign_letters_in_a_url_are_encoded_once(server: FileServer) -> None:
    server.serve("/%C3%A4%20b%2Fc", b"ok")
    assert fetch(server.url + "/ä b%2Fc?q=ü") == b"ok"
    assert server.requests[0][0] == "/%C3%A4%20b%2Fc?q=%C3%BC"


def test_a_login_in_the_url_is_sent_but_not_to_where_a_redirect_leads(server: FileServer) -> None:
    server.serve("/start", status=302, headers=(("Location", server.url + "/target"),))
    server.serve("/target", b"ok")
    host = server.url.partition("://")[2]
    assert fetch(f"http://me:p%40ss@{host}/start") == b"ok"
    assert [headers["Authorization"] for _, headers in server.requests] == [
        "Basic bWU6cEBzcw==",
        None,
    ]


def test_a_download_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(DownloadError("http://u:p@h/x?q", "why")))
    assert (str(error), error.url) == ("cannot download http://h/x: why", "http://h/x")


def test_a_stream_is_saved_under_a_random_prefix(tmp_path: Path) -> None:
    first = Path(save_stream(io.BytesIO(b"one"), "a.txt", str(tmp_path)))
    second = Path(save_stream(io.BytesIO(b"two"), "a.txt", str(tmp_path)))
    assert first != second
    assert first.name.endswith("a.txt")
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")


def test_a_stream_that_breaks_leaves_no_file(server: FileServer, tmp_path: Path) -> None:
    url = server.serve("/cut", b"half", announced_bytes=8)
    with open_url(url) as stream, pytest.raises(DownloadError):
        save_stream(stream, "x", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_settings_hold_for_the_process(server: FileServer) -> None:
    configure_downloads(DownloadSettings(max_size_bytes=1))
    with pytest.raises(DownloadTooLargeError):
        open_url(server.serve("/two", b"22"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("http://x", True), ("HTTPS://x", True), ("ftp://x", False), ("http:/x", False), ("", False)],
)
def test_http_urls_are_known_by_their_scheme(text: str, expected: bool) -> None:
    assert is_http_url(text) is expected

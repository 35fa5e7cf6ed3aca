"""What the tests of files share: a real HTTP server on the loopback, and settings that are put back."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cog.download import configure_downloads, download_settings

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FileServer:
    """Answers GETs as its tests say; ``requests`` are the paths and headers that it saw."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    requests: list[tuple[str, Message]] = field(default_factory=list[tuple[str, Message]])

    def serve(
        self,
        path: str,
        body: bytes = b"",
        *,
        status: int = 200,
        headers: tuple[tuple[str, str], ...] = (),
        announced_bytes: int = -1,
    ) -> str:
        """Give a path an answer; return the URL. ``announced_bytes`` may lie about the length."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers:
                handler.send_header(name, value)
            announced = len(body) if announced_bytes < 0 else announced_bytes
            handler.send_header("Content-Length", str(announced))
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer
        return self.url + path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Run a file server while the test runs."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.requests.append((self.path, self.headers))
            files.answers[self.path.partition("?")[0]](self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    files = FileServer(f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield files
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory that temporary files of this test go to."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@pytest.fixture(autouse=True)
def _settings_are_put_back() -> Iterator[None]:
    before = download_settings()
    yield
    configure_downloads(before)

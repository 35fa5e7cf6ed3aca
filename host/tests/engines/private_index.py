"""A package index, and git repositories, on loopback that want a user name and a password."""

from __future__ import annotations

import base64
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "someone", "hunter2"


@contextmanager
def private_index(folder: Path) -> Generator[str]:
    """Serve the wheels of a folder, and what is in its `git`; yield the index's URL with its credentials."""
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = find(folder, self.path)
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                body = b""
            else:
                self.send_response(404 if body is None else 200)
            kind = "text/html" if self.path.startswith("/simple/") else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        do_HEAD = do_GET  # noqa: N815 - the name is the standard library's

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://{USER}:{PASSWORD}@127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def find(folder: Path, path: str) -> bytes | None:
    """Return the page of a package, the content of a wheel, or a file of a repository."""
    name = path.strip("/").rpartition("/")[2]
    if path.startswith("/git/"):
        file = folder / path.partition("?")[0].strip("/")
        return file.read_bytes() if file.is_file() else None
    if path.startswith("/files/"):
        wheel = folder / name
        return wheel.read_bytes() if wheel.is_file() else None
    wheels = sorted(each.name for each in folder.glob(f"{name}-*.whl"))
    links = "".join(f'<a href="/files/{each}">{each}</a>' for each in wheels)
    return links.encode() if wheels else None

"""A model's server as others write it: it answers what a test says, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """What is sent; a dict goes as JSON."""

    body: Any
    status: int = 200
    content_type: str = "application/json"

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class ModelServer:
    """Health in turn, the last for ever; a document; and what a prediction's headers and body are answered with."""

    health: list[Any] = field(default_factory=lambda: [{"status": "READY"}])
    document: Any = None
    predict: Callable[[dict[str, str], Any], Answer] = lambda headers, body: Answer({})
    requests: list[tuple[str, dict[str, str], Any]] = field(
        default_factory=list[tuple[str, dict[str, str], Any]]
    )
    address: str = ""

    def answer(self, path: str, headers: dict[str, str], body: Any) -> Answer:
        self.requests.append((path, headers, body))
        if path == "/health-check":
            return Answer(self.health.pop(0) if len(self.health) > 1 else self.health[0])
        if path == "/openapi.json":
            return Answer(self.document or b"no", 200 if self.document else 404)
        return self.predict(headers, body)

    @contextmanager
    def running(self) -> Generator[ModelServer]:
        """Listen while the block runs."""
        with ThreadingHTTPServer(("127.0.0.1", 0), _handler(self)) as server:
            self.address = f"127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def _handler(model: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(None)

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, body: Any) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = model.answer(self.path, headers, body)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            self.wfile.write(answer.data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler

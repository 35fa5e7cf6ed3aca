"""The server of an image that another tool built: it runs in the container, alone, and does what MODE says."""

from __future__ import annotations

import http.server
import json
import os
import signal
import sys
import time

MODE = os.environ.get("MODE", "")
DOCUMENT = {
    "openapi": "3.0.2",
    "info": {"title": "Cog", "version": "0.1.0"},
    "paths": {},
    "components": {
        "schemas": {
            "Input": {
                "type": "object",
                "required": ["text"],
                "properties": {
                    "text": {"type": "string", "x-order": 0},
                    "count": {"type": "integer", "minimum": 1, "x-order": 1},
                    "file": {"type": "string", "format": "uri", "x-order": 2},
                },
            },
            "Output": {"$ref": "#/components/schemas/Said"},
            "Said": {"type": "string"},
        }
    },
}
LOG = sys.stderr if MODE != "prints" else sys.stdout


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as such servers do."""

    def do_GET(self) -> None:
        if self.path == "/health-check":
            if MODE == "dies":
                os._exit(3)
            status = {"fails": "SETUP_FAILED", "starts": "STARTING"}.get(MODE, "READY")
            self.reply(200, {"status": status})
        else:
            self.reply(200, DOCUMENT)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "event-stream" in self.headers.get("Accept", ""):
            self.reply(406, {"error": "no events"})
            return
        print("predicting", file=LOG, flush=True)
        if MODE in ("hangs", "deaf"):
            time.sleep(600)
        if MODE == "dies-late":
            os._exit(3)
        if MODE == "refuses":
            self.reply(422, {"detail": [{"loc": ["body", "input", "text"], "msg": "too short"}]})
            return
        said = {
            "text": body["input"]["text"],
            "context": body.get("context"),
            "path": self.path,
            "variables": {
                name: os.environ.get(name) for name in ("RUST_LOG", "LOG_FORMAT", "MINE")
            },
            "shm": os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize,
            "argv": sys.argv[1:],
        }
        output = json.dumps(said) if MODE == "tells" else body["input"]["text"].upper()
        status = "failed" if MODE == "unlucky" else "succeeded"
        self.reply(200, {"status": status, "output": output, "error": "no luck", "metrics": {}})

    def reply(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def end(signum: int, frame: object) -> None:
    os._exit(0)


if MODE == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, end)
print("setting up", file=LOG, flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", 5000), Handler).serve_forever()

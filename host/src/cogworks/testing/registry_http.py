"""The HTTP of a fake registry: one method for each thing that the distribution-spec lets a client do."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

from cogworks.testing.registry_faults import Fault
from cogworks.testing.registry_state import Seen, Upload

if TYPE_CHECKING:
    from cogworks.testing.registry import FakeRegistry

_ROUTE = re.compile(
    r"/v2/(?P<name>.+?)/(?P<kind>blobs/uploads|blobs|manifests|referrers|tags)/(?P<rest>.*)"
)
_BLOCK_BYTES = 64 * 1024
_JSON = "application/json"


class ConnectionCut(Exception):
    """The connection is to end now, whatever was promised."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a fake registry."""

    protocol_version = "HTTP/1.1"
    # Many small writes with Nagle's algorithm would take 40 ms each.
    disable_nagle_algorithm = True
    wbufsize = -1
    _fault: Fault | None = None

    @property
    def fake(self) -> FakeRegistry:
        """The registry that the connection belongs to."""
        return cast("FakeRegistry", self.server.fake)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]

    def handle_one_request(self) -> None:
        """Handle one request; a cut ends the connection."""
        try:
            super().handle_one_request()
        except (ConnectionCut, ConnectionError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Read."""
        self._handle()

    def do_HEAD(self) -> None:
        """Ask whether something is there."""
        self._handle()

    def do_POST(self) -> None:
        """Start an upload, mount, or buy a token."""
        self._handle()

    def do_PATCH(self) -> None:
        """Take a chunk."""
        self._handle()

    def do_PUT(self) -> None:
        """Finish an upload, or take a manifest."""
        self._handle()

    def _handle(self) -> None:
        self._url = urlsplit(self.path)
        self._query = parse_qs(self._url.query)
        self._left = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, self._left)
        with self.fake.state.lock:
            self.fake.state.seen.append(seen)
        self._fault = fault = self.fake.faults.take(seen)
        if fault is not None and fault.delay_s:
            threading.Event().wait(fault.delay_s)
        if fault is not None and fault.status:
            self._read_all()
            self._error(fault.status, fault.code or "UNKNOWN", fault.message, fault.headers)
        elif self._url.path == "/token":
            self._token()
        else:
            self._serve()
        self.wfile.flush()

    def _serve(self) -> None:
        route = _ROUTE.fullmatch(self._url.path)
        wanted = self._wanted(route)
        if not self._may(wanted):
            self._read_all()
            host = self.fake.host
            self._error(401, "UNAUTHORIZED", "", self.fake.access.challenge(host, wanted))
        elif self.fake.limits.body_max and self._left > self.fake.limits.body_max:
            self._read_all()
            # As proxies answer: no envelope.
            self._answer(413, b"<html>413</html>", {"Content-Type": "text/html"})
        elif self._url.path == "/v2/":
            self._answer(200, b"{}", {"Content-Type": _JSON})
        elif route is None:
            self._read_all()
            self._error(404, "NAME_UNKNOWN")
        else:
            kinds = {
                "blobs/uploads": self._uploads,
                "blobs": self._blobs,
                "manifests": self._manifests,
                "referrers": self._referrers,
                "tags": self._tags,
            }
            kinds[route["kind"]](route["name"], route["rest"])

    def _wanted(self, route: re.Match[str] | None) -> set[str]:
        """Return the rights that a request needs."""
        if route is None:
            return set()
        is_read = self.command in ("GET", "HEAD") and route["kind"] != "blobs/uploads"
        actions = ("pull",) if is_read else ("pull", "push")
        return {f"repository:{route['name']}:{action}" for action in actions}

    def _may(self, wanted: set[str]) -> bool:
        access, authorization = self.fake.access, self.headers.get("Authorization", "")
        is_reading = bool(wanted) and all(one.endswith(":pull") for one in wanted)
        if access.kind == "basic" and access.anonymous_pull and is_reading:
            return True
        return access.allows(authorization, wanted)

    def _token(self) -> None:
        access = self.fake.access
        if self.command == "POST":
            form = parse_qs(self._read_all().decode())
            is_user = form.get("refresh_token", [""])[0] in access.identity_tokens
            scopes = form.get("scope", [""])[0].split()
            refused = not is_user
        else:
            authorization = self.headers.get("Authorization", "")
            is_user = access.knows(authorization)
            scopes = self._query.get("scope", [])
            refused = not is_user and (bool(authorization) or not access.anonymous_pull)
        if refused:
            self._error(401, "UNAUTHORIZED", "incorrect username or password")
            return
        sold = access.sell(scopes, is_user=is_user)
        self._answer(200, json.dumps(sold).encode(), {"Content-Type": _JSON})

    def _uploads(self, name: str, rest: str) -> None:
        if self.command == "POST":
            self._read_all()
            self._start(name)
            return
        state = self.fake.state
        upload = state.uploads.get(rest)
        turn = self._query.get("turn", [""])[0]
        if upload is None or upload.repository != name or turn != str(upload.turn):
            self._read_all()
            self._error(404, "BLOB_UPLOAD_UNKNOWN")
        elif self.command == "PATCH":
            self._take_chunk(rest, upload)
        elif self.command == "PUT":
            self._finish(name, rest, upload)
        else:
            self._say_where(204, rest, upload)

    def _start(self, name: str) -> None:
        state = self.fake.state
        mount, source = self._query.get("mount", [""])[0], self._query.get("from", [""])[0]
        found = state.find_blob(source, mount) if source else None
        if found is not None and self._may({f"repository:{source}:pull"}):
            state.add_blob(name, found)
            self._answer(201, b"", {"Location": f"/v2/{name}/blobs/{mount}"})
            return
        identity = uuid.uuid4().hex
        with state.lock:
            state.uploads[identity] = upload = Upload(name)
        limits = self.fake.limits
        extra = {
            "OCI-Chunk-Min-Length": str(limits.chunk_min),
            "OCI-Chunk-Max-Length": str(limits.chunk_max),
        }
        self._say_where(202, identity, upload, {k: v for k, v in extra.items() if v != "0"})

    def _take_chunk(self, identity: str, upload: Upload) -> None:
        start, _, end = self.headers.get("Content-Range", "").partition("-")
        limits, size = self.fake.limits, self._left
        is_in_order = not start or int(start) == len(upload.data)
        fits = not limits.chunk_max or size <= limits.chunk_max
        if not is_in_order or not fits or (upload.data and not limits.takes_chunks):
            self._read_all()
            self._say_where(416, identity, upload)
            return
        if start and int(end) - int(start) + 1 != size:
            self._read_all()
            self._error(400, "SIZE_INVALID")
            return
        self._read_into(upload.data)
        self._say_where(202, identity, upload)

    def _finish(self, name: str, identity: str, upload: Upload) -> None:
        self._read_into(upload.data)
        digest = self._query.get("digest", [""])[0]
        state = self.fake.state
        with state.lock:
            state.uploads.pop(identity, None)
        if digest != f"sha256:{hashlib.sha256(upload.data).hexdigest()}":
            self._error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return
        state.add_blob(name, bytes(upload.data))
        where = f"/v2/{name}/blobs/{digest}"
        self._answer(201, b"", {"Location": where, "Docker-Content-Digest": digest})

    def _say_where(
        self,
        status: int,
        identity: str,
        upload: Upload,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with the upload's next address, and what is there of it."""
        upload.turn += 1
        where = f"/v2/{upload.repository}/blobs/uploads/{identity}?turn={upload.turn}"
        last = max(0, len(upload.data) - 1)
        self._answer(status, b"", {"Location": where, "Range": f"0-{last}", **(extra or {})})

    def _blobs(self, name: str, digest: str) -> None:
        limits = self.fake.limits
        data = self.fake.state.find_blob(name, digest)
        if data is None:
            self._error(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        if limits.redirect_blobs_to and self.command == "GET":
            self._answer(307, b"", {"Location": limits.redirect_blobs_to + digest})
            return
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted is not None and limits.takes_ranges:
            start = int(wanted[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._answer(206, data[start:], headers)
        else:
            self._answer(200, data, headers)

    def _manifests(self, name: str, target: str) -> None:
        if self.command == "PUT":
            self._put_manifest(name, target)
            return
        found = self.fake.state.find_manifest(name, target)
        if found is None:
            self._error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return
        digest, stored = found
        headers = {"Content-Type": stored.media_type, "Docker-Content-Digest": digest}
        self._answer(200, stored.data, headers)

    def _put_manifest(self, name: str, target: str) -> None:
        data, state, limits = self._read_all(), self.fake.state, self.fake.limits
        with state.lock:
            for digest in limits.lose_at_manifest:
                state.blobs.get(name, {}).pop(digest, None)
            limits.lose_at_manifest.clear()
        missing = [one for one in _blobs_of(data) if state.find_blob(name, one) is None]
        if missing:
            self._error(404, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {missing[0]}")
            return
        media_type = self.headers.get("Content-Type", "")
        digest = state.add_manifest(name, target, media_type, data)
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
        subject = state.manifests[name][digest].subject
        if subject and limits.has_referrers:
            headers["OCI-Subject"] = subject
        self._answer(201, b"", headers)

    def _referrers(self, name: str, subject: str) -> None:
        if not self.fake.limits.has_referrers:
            self._error(404, "NAME_UNKNOWN")
            return
        wanted = self._query.get("artifactType", [""])[0]
        index = self.fake.state.referrers(name, subject, wanted)
        headers = {"Content-Type": "application/vnd.oci.image.index.v1+json"}
        if wanted:
            headers["OCI-Filters-Applied"] = "artifactType"
        self._answer(200, json.dumps(index).encode(), headers)

    def _tags(self, name: str, rest: str) -> None:
        tags = sorted(self.fake.state.tags.get(name, {}))
        if not tags:
            self._error(404, "NAME_UNKNOWN")
            return
        count = int(self._query.get("n", ["0"])[0]) or len(tags)
        last = self._query.get("last", [""])[0]
        later = [tag for tag in tags if tag > last]
        page = later[: min(count, 100)]
        headers = {"Content-Type": _JSON}
        if len(later) > len(page):
            headers["Link"] = f'</v2/{name}/tags/list?n={count}&last={page[-1]}>; rel="next"'
        self._answer(200, json.dumps({"name": name, "tags": page}).encode(), headers)

    def _read_all(self) -> bytes:
        data = bytearray()
        self._read_into(data)
        return bytes(data)

    def _read_into(self, data: bytearray) -> None:
        """Read the body, or as much of it as a fault lets through."""
        cut = self._fault.cut_after_bytes if self._fault else None
        taken = 0
        while self._left:
            wanted = min(_BLOCK_BYTES, self._left)
            wanted = wanted if cut is None else min(wanted, cut - taken)
            block = self.rfile.read(wanted) if wanted else b""
            if not block:
                raise ConnectionCut
            data += block
            taken += len(block)
            self._left -= len(block)

    def _error(
        self, status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        value = {"errors": [{"code": code, "message": message, "detail": None}]}
        self._answer(status, json.dumps(value).encode(), {"Content-Type": _JSON, **(headers or {})})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        fault = self._fault
        if fault is not None and fault.replace_body is not None and status == 200:
            body = fault.replace_body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = fault.cut_after_bytes if fault else None
        if cut is not None:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            raise ConnectionCut
        self.wfile.write(body)


def _blobs_of(data: bytes) -> list[str]:
    """Return the digests that a manifest refers to; none for an index."""
    value = cast("dict[str, object]", json.loads(data))
    layers = cast("list[dict[str, str]]", value.get("layers", []))
    config = cast("list[dict[str, str]]", [value["config"]] if "config" in value else [])
    return [entry["digest"] for entry in [*layers, *config]]

"""What a browser gets at ``/docs`` while it has no token: a field for it, and the status 401."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.server import docs_page
from cogworks.server.requests import find_header
from cogworks.server.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.types import Scope

_SCRIPT = Path(__file__).with_name("docs_gate.js").read_text(encoding="utf-8")

_BODY = """<header><h1>Model</h1></header>
<section class="card">
<form id="gate">
<div class="field"><label for="token">API token</label>
<input id="token" type="password" autocomplete="off" required></div>
<p class="actions"><button>Open</button><span id="state" role="status"></span></p>
</form>
<noscript><p>The form needs JavaScript.</p></noscript>
</section>"""


def refuse(scope: Scope, refusal: JsonResponse) -> JsonResponse:
    """Return the refusal of a request without a token, as a page where it came from a browser."""
    if scope["path"] != "/docs" or b"text/html" not in find_header(scope, b"accept"):
        return refusal
    page = docs_page.whole(_BODY, _SCRIPT)
    headers = {**docs_page.headers(_SCRIPT), **(refusal.headers or {})}
    return JsonResponse(page, refusal.status, headers, docs_page.CONTENT_TYPE.encode())

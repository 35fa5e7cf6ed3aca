"""The page at ``/docs``: what the model takes, a form to try it, and the command that does the same.

One HTML text that loads nothing, so it works without a network, and under a policy that allows
its own script alone. Whatever comes from the document is escaped: authors' words are no markup.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from cog._schema.kinds import is_dict, is_list
from cogworks.server.docs_inputs import NO_DEFAULT, InputView, Kind, read_inputs

_HERE = Path(__file__).parent
_STYLE = (_HERE / "docs_page.css").read_text(encoding="utf-8")
_SCRIPT = (_HERE / "docs_page.js").read_text(encoding="utf-8")

ORIGIN = "http://localhost:5000"
"""Stands in the command until the script puts the page's own address there."""

CONTENT_TYPE = "text/html; charset=utf-8"


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_source(_SCRIPT)}",
        f"style-src {_source(_STYLE)}",
        "img-src data:",
        "media-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the page may do: run its own script, and talk to its own server. Source: W3C CSP level 3."""

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""What the answer must carry besides its type."""


def render(document: dict[str, Any], mode: str = "run", *, needs_token: bool = False) -> bytes:
    """Return the page of a model.

    Args:
        document: the OpenAPI document.
        mode: ``run`` or ``train``: what the server does.
        needs_token: the server has an API token; the page asks for it.
    """
    inputs = read_inputs(document, mode)
    path = "trainings" if mode == "train" else "predictions"
    info = document.get("info")
    version = info.get("version", "") if is_dict(info) else ""
    body = "\n".join(
        (
            f"<h1>Model <small>Cogworks {escape(str(version))}</small></h1>",
            '<p>The whole schema: <a href="openapi.json">openapi.json</a></p>',
            "<h2>Inputs</h2>",
            _table(inputs),
            "<h2>Try it</h2>",
            _form(inputs, path, needs_token),
            "<h2>From a terminal</h2>",
            f'<pre><code id="command">{escape(_command(inputs, path, needs_token))}</code></pre>',
        )
    )
    return _whole(body).encode()


def _whole(body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<title>Model</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


# -- what it takes ----------------------------------------------------------------------------


def _table(inputs: list[InputView]) -> str:
    if not inputs:
        return "<p>The model takes no inputs.</p>"
    head = "<tr><th>Name</th><th>Type</th><th>Default</th><th>Description</th></tr>"
    rows = "\n".join(_row(view) for view in inputs)
    return f'<div class="wide"><table>\n{head}\n{rows}\n</table></div>'


def _row(view: InputView) -> str:
    marks = "".join(
        f" <small>{mark}</small>"
        for mark, applies in (("required", view.is_required), ("deprecated", view.is_deprecated))
        if applies
    )
    default = "" if view.default is NO_DEFAULT else f"<code>{escape(_json(view.default))}</code>"
    limits = "".join(f"<br><small>{escape(limit)}</small>" for limit in view.limits)
    return (
        f"<tr><td><code>{escape(view.name)}</code>{marks}</td>"
        f"<td>{escape(view.type)}{limits}</td><td>{default}</td>"
        f"<td>{escape(view.description)}</td></tr>"
    )


# -- the form ---------------------------------------------------------------------------------


def _form(inputs: list[InputView], path: str, needs_token: bool) -> str:
    fields = "\n".join(_field(view, f"input{number}") for number, view in enumerate(inputs))
    token = (
        '<p><label for="token">API token</label>'
        '<input id="token" type="password" autocomplete="off"></p>\n'
        if needs_token
        else ""
    )
    return (
        f'<form id="form" data-url="{path}">\n{token}{fields}\n'
        '<p><button id="run">Run</button> <button id="cancel" type="button" disabled>Cancel</button>'
        ' <span id="state" role="status"></span></p>\n</form>\n'
        '<section id="result" aria-live="polite"></section>\n'
        "<noscript><p>The form needs JavaScript.</p></noscript>"
    )


def _field(view: InputView, id: str) -> str:
    mark = " <small>required</small>" if view.is_required else ""
    attributes = _attributes(
        {
            "id": id,
            "name": view.name,
            "data-kind": view.kind.value,
            "data-required": "yes" if view.is_required else None,
        }
    )
    control = _control(view, attributes)
    return f'<p><label for="{id}">{escape(view.name)}{mark}</label>{control}</p>'


def _control(view: InputView, attributes: str) -> str:
    schema = view.schema
    default = None if view.default is NO_DEFAULT else view.default
    match view.kind:
        case Kind.CHOICE:
            return f"<select{attributes}>{_options(view, default)}</select>"
        case Kind.NUMBER:
            step = "1" if schema.get("type") == "integer" else "any"
            limits = {"min": schema.get("minimum"), "max": schema.get("maximum"), "step": step}
            limits["value"] = None if default is None else _json(default)
            return f'<input type="number"{attributes}{_attributes(limits)}>'
        case Kind.SECRET:
            return f'<input type="password" autocomplete="off"{attributes}>'
        case Kind.FILE | Kind.FILES:
            many = " multiple" if view.kind is Kind.FILES else ""
            accept = _attributes({"accept": schema.get("x-cog-accept")})
            urls = default if is_list(default) else [default or ""]
            url = _attributes({"value": " ".join(map(str, urls)) or None})
            place = "or a URL" if view.kind is Kind.FILE else "or URLs, with spaces between them"
            return (
                f'<input type="file"{attributes}{accept}{many}>'
                f'<input type="text" aria-label="URL" placeholder="{place}"{url}>'
            )
        case Kind.TEXT:
            # A parser drops the first newline after the tag; so there is always one to drop.
            return f"<textarea{attributes}>\n{escape(str(default or ''))}</textarea>"
        case _:
            text = "" if default is None else _json(default)
            return (
                f'<textarea{attributes} spellcheck="false" placeholder="JSON">\n'
                f"{escape(text)}</textarea>"
            )


def _options(view: InputView, default: Any) -> str:
    """Return the choices, each with its JSON as the value; an empty one where none need be made."""
    chosen = [_json(choice) for choice in view.choices]
    given = None if view.default is NO_DEFAULT or default is None else _json(default)
    options = "".join(
        f'<option value="{escape(text)}"{" selected" if text == given else ""}>'
        f"{escape(str(choice) if isinstance(choice, str) else text)}</option>"
        for choice, text in zip(view.choices, chosen, strict=True)
    )
    return (
        options if view.is_required or given in chosen else f'<option value=""></option>{options}'
    )


def _attributes(values: dict[str, Any]) -> str:
    """Write the attributes that have a value."""
    return "".join(
        f' {name}="{escape(str(value))}"' for name, value in values.items() if value is not None
    )


# -- the command ------------------------------------------------------------------------------


def _command(inputs: list[InputView], path: str, needs_token: bool) -> str:
    values = {view.name: view.example for view in inputs if view.is_required}
    lines = [f"curl {ORIGIN}/{path}", "-H 'Content-Type: application/json'"]
    if needs_token:
        lines.append('-H "Authorization: Bearer $COG_API_TOKEN"')
    lines.append(f"-d {shlex.quote(_json({'input': values}))}")
    return " \\\n  ".join(lines)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

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


def policy(*more_scripts: str) -> str:
    """Return what a page may do: run its own scripts, and talk to its own server. Source: W3C CSP level 3."""
    scripts = " ".join(map(_source, (_SCRIPT, *more_scripts)))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src {_source(_STYLE)}",
            "img-src data:",
            "media-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def headers(*more_scripts: str) -> dict[str, str]:
    """Return what an answer with a page must carry besides its type."""
    return {
        "Content-Security-Policy": policy(*more_scripts),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


HEADERS = headers()
"""The headers of the page itself."""


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
    command = escape(_command(inputs, path, needs_token))
    body = "\n".join(
        (
            f"<header><h1>Model <small>Cogworks {escape(str(version))}</small></h1>",
            '<a href="openapi.json">openapi.json</a></header>',
            '<div class="columns">',
            f'<section class="card">\n<h2>Inputs</h2>\n{_form(inputs, path, needs_token)}</section>',
            '<div class="side">\n<section class="card">\n<h2>Output</h2>',
            '<div id="result" aria-live="polite"><p class="about">Nothing has run yet.</p></div>',
            '</section>\n<section class="card">\n<h2>From a terminal</h2>',
            f'<pre><code id="command">{command}</code></pre>\n</section>\n</div>\n</div>',
        )
    )
    return whole(body)


def whole(body: str, script: str = _SCRIPT) -> bytes:
    """Return a page with this body, in the page's style."""
    text = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<title>Model</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )
    return text.encode()


# -- the form ---------------------------------------------------------------------------------


def _form(inputs: list[InputView], path: str, needs_token: bool) -> str:
    fields = "\n".join(_field(view, f"input{number}") for number, view in enumerate(inputs))
    token = (
        '<div class="field"><label for="token">API token</label>'
        '<input id="token" type="password" autocomplete="off"></div>\n'
        if needs_token
        else ""
    )
    nothing = "" if inputs else '<p class="about">The model takes no inputs.</p>\n'
    return (
        f'<form id="form" data-url="{path}">\n{token}{nothing}{fields}\n'
        '<p class="actions"><button id="run">Run</button>'
        '<button id="cancel" type="button" disabled>Cancel</button>'
        '<span id="state" role="status"></span></p>\n</form>\n'
        "<noscript><p>The form needs JavaScript.</p></noscript>"
    )


def _field(view: InputView, id: str) -> str:
    must = ' <small class="must">required</small>' if view.is_required else ""
    old = " <small>deprecated</small>" if view.is_deprecated else ""
    kind = escape(" · ".join((view.type, *view.limits)))
    about = f'<p class="about">{escape(view.description)}</p>' if view.description else ""
    attributes = _attributes(
        {
            "id": id,
            "name": view.name,
            "data-kind": view.kind.value,
            "data-required": "yes" if view.is_required else None,
        }
    )
    return (
        f'<div class="field"><label for="{id}">{escape(view.name)}{must}{old}'
        f' <small class="type">{kind}</small></label>{about}{_control(view, attributes)}</div>'
    )


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

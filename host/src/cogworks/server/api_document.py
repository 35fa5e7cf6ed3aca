"""The OpenAPI document that a server answers with: the model's own, and all that this server does.

What the model's document has stays where it is, under the same names and operation ids; what it
lacks is added: paths, answers, and which fields may be null. Sources: OpenAPI 3.0.2; docs/http-api.md.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from cog._schema.kinds import is_dict
from cogworks.server import api_components as components
from cogworks.server import api_requests as requests
from cogworks.server.api_components import Schema, reference
from cogworks.server.api_requests import JSON
from cogworks.server.paging import CURSOR
from cogworks.server.redaction import find_redaction

EVENTS = "text/event-stream"

TOKEN = "token"
"""The name of the security scheme, where a token is set."""

_RETRY_AFTER = {"Retry-After": ("seconds until another try may succeed", {"type": "integer"}, True)}
_PREFERENCE = {"Preference-Applied": ("``respond-async``", {"type": "string"}, False)}
_CHALLENGE = {"WWW-Authenticate": ("what is missing", {"type": "string"}, True)}

_ERRORS: dict[int, tuple[str, dict[str, tuple[str, Schema, bool]]]] = {
    400: ("The body is not what its type says, or nested too deeply", {}),
    401: ("The token is missing or wrong", _CHALLENGE),
    403: ("Forms and files are not taken from pages of other sites", {}),
    404: ("There is no such prediction", {}),
    406: ("The model's author has not opted in to events", {}),
    409: ("Every slot is taken, or the id belongs to another input", {}),
    413: ("The body is too large, or has too many parts", {}),
    415: ("The body is neither JSON nor a form, and no input is a file", {}),
    429: ("The queue is full, or too many clients follow one prediction", _RETRY_AFTER),
    503: ("The model is not set up, or the server is shutting down", _RETRY_AFTER),
    507: ("The server's disk has no room for the files", {}),
}

_INFO = {"title": "Cog", "version": "unknown"}
"""For an author's document that has none."""


@dataclass(frozen=True)
class _Words:
    """How a mode is called in the document."""

    noun: str
    plural: str
    verb: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    prefix: str

    @property
    def id(self) -> str:
        return f"{self.noun}_id"


_WORDS = {
    "run": _Words("prediction", "predictions", "predict", ("Input",), ("Output",), "Prediction"),
    "train": _Words(
        "training",
        "trainings",
        "train",
        ("TrainingInput", "Input"),
        ("TrainingOutput", "Output"),
        "Training",
    ),
}


def describe_api(document: Schema, mode: str, *, needs_token: bool = False) -> Schema:
    """Return the document of a server that runs a model; the model's own is not changed.

    Args:
        document: what the model has, perhaps its author's file: nothing of its shape is certain.
        mode: ``run`` or ``train``.
        needs_token: all but the probes want the token.
    """
    return _Description(document, mode, needs_token).whole()


class _Description:
    """Puts one document together."""

    def __init__(self, document: Schema, mode: str, needs_token: bool) -> None:
        self._document: Schema = {"openapi": "3.0.2", "info": _INFO, **copy.deepcopy(document)}
        self._words = _WORDS[mode]
        self._needs_token = needs_token
        parts = self._document["components"] = _dict(self._document.get("components"))
        self._schemas: Schema = _dict(parts.get("schemas"))
        parts["schemas"] = self._schemas
        paths = _dict(self._document.get("paths"))
        hidden = tuple(f"/{words.plural}" for words in _WORDS.values() if words != self._words)
        self._paths: Schema = {k: v for k, v in paths.items() if not k.startswith(hidden)}
        self._names = self._add_components()

    def whole(self) -> Schema:
        """Return the document."""
        self._describe_server()
        self._describe_predictions()
        if self._needs_token:
            schemes = self._document["components"].setdefault("securitySchemes", {})
            schemes[TOKEN] = {"type": "http", "scheme": "bearer"}
        self._document["paths"] = self._paths
        return self._document

    # -- components -------------------------------------------------------------------------------

    def _add_components(self) -> dict[str, str]:
        """Add the components; return the name of each by what it is."""
        schemas, words = self._schemas, self._words
        input_name = self._find(words.inputs)
        names = {
            "Input": input_name,
            "Output": self._find(words.outputs),
            "Status": self._find(("Status",)),
            "Invalid": self._find(("HTTPValidationError",)),
        }
        inputs = _dict(schemas[input_name])
        request, response = f"{words.prefix}Request", f"{words.prefix}Response"
        own = {name: _dict(schemas.get(name)) for name in (request, response)}
        schemas[request] = requests.request_component(own[request], input_name, inputs)
        schemas[response] = components.response_component(
            own[response],
            names,
            _dict(schemas[names["Output"]]),
            is_input_changed=self._is_changed(inputs),
        )
        names |= {"Request": request, "Response": response}
        form = requests.form_component(f"{words.prefix}Form", inputs, schemas)
        page = components.page_component(f"{words.prefix}List", response)
        for name, schema in (
            ("Error", components.ERROR),
            ("Index", components.INDEX),
            ("HealthCheck", components.HEALTH),
            ("Readiness", components.READINESS),
            (f"{words.prefix}List", page),
        ):
            names[name] = self._add(name, schema)
        names["Form"] = self._add(f"{words.prefix}Form", form)
        return names

    def _is_changed(self, inputs: Schema) -> bool:
        """Tell whether stars stand for a secret when inputs are shown, or a name for a file."""
        properties = _dict(inputs.get("properties")).values()
        has_secrets = any(find_redaction(schema) is not None for schema in properties)
        return has_secrets or bool(requests.form_of(inputs, self._schemas).file_names)

    def _find(self, candidates: tuple[str, ...]) -> str:
        """Return the first name that there is; the last one, for anything, if there is none."""
        for name in candidates:
            if is_dict(self._schemas.get(name)):
                return name
        self._schemas[candidates[-1]] = {"title": candidates[-1]}
        return candidates[-1]

    def _add(self, name: str, schema: Schema) -> str:
        """Add a component under a name that no enum of the model's inputs has."""
        while name in self._schemas:
            name = f"Server{name}"
        self._schemas[name] = copy.deepcopy(schema)
        return name

    # -- paths ------------------------------------------------------------------------------------

    def _describe_server(self) -> None:
        index = self._ok(reference(self._names["Index"]))
        health = self._ok(reference(self._names["HealthCheck"]))
        ready = reference(self._names["Readiness"])
        self._put("/", "get", "Root", index)
        self._put("/health-check", "get", "Healthcheck", health, is_open=True)
        given_up = {"503": _answer("The server has to be replaced, and why", ready)}
        live_answers = {**self._ok(ready), **given_up}
        self._put("/livez", "get", "Whether the server may live on", live_answers, is_open=True)
        not_ready = {"503": _answer("Predictions may not come, and why", ready)}
        ready_answers = {**self._ok(ready), **not_ready}
        self._put("/readyz", "get", "Whether predictions may come", ready_answers, is_open=True)
        document = {**self._ok({"type": "object"}), **self._no_document()}
        self._put("/openapi.json", "get", "This document", document)
        page = {**self._ok({"type": "string"}, "text/html"), **self._no_document()}
        self._put("/docs", "get", "A page to try the model", page)
        if self._needs_token:
            refused = self._paths["/docs"]["get"]["responses"]["401"]
            refused["content"]["text/html"] = {"schema": {"type": "string"}}
        metrics = self._ok({"type": "string"}, "text/plain")
        self._put("/metrics", "get", "Measurements, as Prometheus reads them", metrics)
        self._put("/shutdown", "post", "Finish what runs, then end", self._ok(components.EMPTY))

    def _describe_predictions(self) -> None:
        words = self._words
        root, one = f"/{words.plural}", f"/{words.plural}/{{{words.id}}}"
        prefer = _parameter("prefer", "header", {"title": "Prefer", "type": "string"})
        inputs = _dict(self._schemas[self._names["Input"]])
        body = requests.request_body(self._names, inputs, self._schemas)
        extra = {"requestBody": body, "parameters": [prefer]}
        self._put(root, "post", words.verb.capitalize(), self._run_answers(root), extra)
        listing = {"parameters": _page_parameters()}
        page = self._ok(reference(self._names[f"{words.prefix}List"]))
        answers = {**page, **self._errors(400), **self._invalid()}
        self._put(
            root, "get", f"The {words.plural}, those that run or wait first", answers, listing
        )
        named = {"parameters": [self._id_parameter()]}
        with_id = {**extra, "parameters": [self._id_parameter(), prefer]}
        summary = f"Run the {words.noun} of this id, once"
        self._put(one, "put", summary, self._run_answers(root), with_id)
        self._put(one, "get", f"A {words.noun} as it is now", self._find_answers(), named)
        for path, method in ((one, "delete"), (f"{one}/cancel", "post"), (f"{one}/cancel", "put")):
            self._put(path, method, "Cancel", self._cancel_answers(), named)

    def _run_answers(self, root: str) -> Schema:
        response = reference(self._names["Response"])
        accepted = _answer("It runs, or waits to", response, headers=_PREFERENCE)
        answers = {**self._ok(response), "202": accepted, **self._invalid()}
        answers |= self._errors(400, 403, 406, 409, 413, 415, 429, 503, 507)
        if self._is_streaming(root):
            answers["200"]["content"][EVENTS] = {"schema": {"type": "string"}}
        return answers

    def _find_answers(self) -> Schema:
        answers = self._ok(reference(self._names["Response"]))
        answers["200"]["content"][EVENTS] = {"schema": {"type": "string"}}
        return {**answers, **self._invalid(), **self._errors(404, 429)}

    def _cancel_answers(self) -> Schema:
        unknown = {"404": _answer(_ERRORS[404][0], components.EMPTY)}
        return {**self._ok(components.EMPTY), **self._invalid(), **unknown}

    def _put(
        self,
        path: str,
        method: str,
        summary: str,
        answers: Schema,
        extra: Schema | None = None,
        *,
        is_open: bool = False,
    ) -> None:
        """Describe one operation; what the model's document says of it already stays, but for answers."""
        item = self._paths[path] = _dict(self._paths.get(path))
        name = path.strip("/").replace("/", "_").translate({ord(c): "_" for c in "{}-."})
        operation: Schema = {"summary": summary, "operationId": f"{name or 'root'}_{method}"}
        operation |= _dict(item.get(method))
        operation |= copy.deepcopy(extra or {})
        operation["responses"] = answers
        if self._needs_token and not is_open:
            operation["security"] = [{TOKEN: []}]
            operation["responses"] = {**answers, **self._errors(401)}
        item[method] = operation

    def _is_streaming(self, root: str) -> bool:
        operation = _dict(_dict(self._paths.get(root)).get("post"))
        return bool(operation.get("x-cog-streaming"))

    def _id_parameter(self) -> Schema:
        title = f"{self._words.noun.capitalize()} ID"
        return _parameter(self._words.id, "path", {"title": title, **components.ID})

    # -- answers ----------------------------------------------------------------------------------

    def _ok(self, schema: Schema, media_type: str = JSON) -> Schema:
        return {"200": _answer("Successful Response", schema, media_type)}

    def _invalid(self) -> Schema:
        return {"422": _answer("Validation Error", reference(self._names["Invalid"]))}

    def _no_document(self) -> Schema:
        text = "Setup has not told what the model takes"
        return {"503": _answer(text, self._error_schema(), headers=_RETRY_AFTER)}

    def _errors(self, *statuses: int) -> Schema:
        return {
            str(status): _answer(text, self._error_schema(), headers=headers)
            for status in statuses
            for text, headers in (_ERRORS[status],)
        }

    def _error_schema(self) -> Schema:
        return reference(self._names["Error"])


def _answer(
    text: str,
    schema: Schema,
    media_type: str = JSON,
    headers: dict[str, tuple[str, Schema, bool]] | None = None,
) -> Schema:
    answer: Schema = {"description": text, "content": {media_type: {"schema": schema}}}
    if headers:
        answer["headers"] = {
            name: {"description": about, "schema": of, "required": always}
            for name, (about, of, always) in headers.items()
        }
    return copy.deepcopy(answer)


def _parameter(name: str, place: str, schema: Schema) -> Schema:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _page_parameters() -> list[Schema]:
    limit = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    cursor = {"type": "string", "pattern": CURSOR}
    return [_parameter("limit", "query", limit), _parameter("cursor", "query", cursor)]


def _dict(value: Any) -> Schema:
    return value if is_dict(value) else {}

"""What schemathesis may send: no address that it makes up leads out of this machine.

Files come as data URLs, and what else looks like a URL is led to a port where nobody listens. What
a schema cannot say of forms and files is done here, too.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData

from cog._schema.kinds import is_dict, is_list

FILES = ("data:,x", "data:text/plain;base64,aGVsbG8=", "data:text/plain,hello%20you")
NOWHERE = "http://127.0.0.1:9/"
URL = re.compile(r"\s*[a-z][a-z0-9+.-]*:/", re.IGNORECASE)

FORM = "multipart/form-data"
JSON = "application/json"
SIMPLE = {"string": "a", "integer": "3"}
"""A text for a required input beside a file that is the body."""

schemathesis.openapi.format("uri", st.sampled_from(FILES))
schemathesis.openapi.media_type("audio/wav", st.binary(max_size=100), aliases=["video/mp4"])


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType]
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Change what is about to be sent."""
    tamed = tame(case.body)
    if tamed != case.body:
        case.body = tamed
    for name, value in case.path_parameters.items():
        if unquote(str(value)) == f"{{{name}}}":
            case.path_parameters[name] = (
                "nobody"  # From ``GET /``, which says so where an id belongs.
            )
    if case.method == "PUT" and is_dict(case.body) and case.meta.generation.mode.is_positive:
        case.body.pop("id", None)  # It must be the one in the path, which a schema cannot say.
    if case.media_type == FORM and is_dict(case.body):
        for name, value in case.body.items():
            if value == [""]:  # One empty text stands for none, as forms send boxes without text.
                case.body[name] = ["a"]
    elif case.media_type not in (None, FORM, JSON):
        case.query.update(required_beside_a_file(case))


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType]
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keep a failure, unless it is about a body in which nothing need be wrong.

    Any bytes are a file. Texts of a form have no types: that of 0 is one of false, too, and that of a
    value one of a list. So only a form's names are judged here; other tests are about its values.
    """
    if not isinstance(failure, AcceptedNegativeData) or case.media_type in (None, JSON):
        return True
    if case.media_type != FORM:
        return False
    schema = case.operation.get_body_for_media_type(FORM).resolved_schema
    names: set[str] = set(case.body) if is_dict(case.body) else set()
    return not set(schema.get("required", ())) <= names <= set(schema["properties"])


def required_beside_a_file(case: Any) -> dict[str, str]:
    """Return a query with the inputs that the model wants besides, which a schema cannot say."""
    schemas = case.operation.schema.raw_schema["components"]["schemas"]
    inputs = schemas["Input"]
    query: dict[str, str] = {}
    for name in inputs.get("required", ()):
        schema = inputs["properties"][name]
        for member in schema.get("allOf", ()):
            schema = schemas[member["$ref"].rpartition("/")[2]]
        item = schema.get("items", schema)
        if item.get("format") != "uri":  # That is the body.
            query[name] = SIMPLE[item["type"]]
    return query


def tame(value: Any) -> Any:
    """Return the same with addresses that lead nowhere."""
    if is_dict(value):
        return {key: tame(item) for key, item in value.items()}
    if is_list(value):
        return [tame(item) for item in value]
    if isinstance(value, str) and URL.match(value):
        return NOWHERE
    return value

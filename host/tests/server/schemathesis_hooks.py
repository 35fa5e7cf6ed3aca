"""What schemathesis may send: no address that it makes up leads out of this machine.

Files come as data URLs, and what else looks like a URL is led to a port where nobody listens.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import schemathesis
from hypothesis import strategies as st

from cog._schema.kinds import is_dict, is_list

FILES = ("data:,x", "data:text/plain;base64,aGVsbG8=", "data:text/plain,hello%20you")
NOWHERE = "http://127.0.0.1:9/"
URL = re.compile(r"\s*[a-z][a-z0-9+.-]*:/", re.IGNORECASE)

schemathesis.openapi.format("uri", st.sampled_from(FILES))


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


def tame(value: Any) -> Any:
    """Return the same with addresses that lead nowhere."""
    if is_dict(value):
        return {key: tame(item) for key, item in value.items()}
    if is_list(value):
        return [tame(item) for item in value]
    if isinstance(value, str) and URL.match(value):
        return NOWHERE
    return value

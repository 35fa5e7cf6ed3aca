"""What a client prefers, read as the standards say: lists, parameters, any case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope


def prefers_async(scope: Scope) -> bool:
    """Tell whether ``Prefer`` asks for ``respond-async``, alone or among others.

    Source: RFC 7240, sections 2 and 4.1; names are case-insensitive, the first of a name counts.
    """
    names = (item.partition(";")[0].partition("=")[0] for item in _items(scope, b"prefer"))
    return "respond-async" in (name.strip().lower() for name in names)


def accepts_events(scope: Scope) -> bool:
    """Tell whether ``Accept`` names ``text/event-stream``; ``q=0`` refuses it. Source: RFC 9110, 12.5.1."""
    # To read a list character by character is not for every request.
    for key, value in scope["headers"]:
        if key == b"accept" and b"event-stream" in value.lower():
            break
    else:
        return False
    for item in _items(scope, b"accept"):
        media_type, _, parameters = item.partition(";")
        if media_type.strip().lower() == "text/event-stream":
            return not _is_refused(parameters)
    return False


def _items(scope: Scope, name: bytes) -> Iterable[str]:
    """Yield the items of a header that may come several times; a comma in quotes ends none."""
    for key, value in scope["headers"]:
        if key == name:
            item, is_quoted = "", False
            for character in value.decode("latin-1"):
                if character == '"':
                    is_quoted = not is_quoted
                if character == "," and not is_quoted:
                    yield item
                    item = ""
                else:
                    item += character
            yield item


def _is_refused(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value) == 0
            except ValueError:
                return False
    return False

"""Call the author's ``setup``, with the weights if it asks for them."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any, Callable, Optional

from cog._schema.plain import is_url
from cog.types import File, Path, URLPath

if TYPE_CHECKING:
    import asyncio

WEIGHTS_FOLDER = "weights"
"""Looked for in the project when COG_WEIGHTS is not set."""


def run_setup(
    setup: Callable[..., Any], weights: Optional[str], loop: Optional[asyncio.AbstractEventLoop]
) -> None:
    """Run ``setup`` to its end; an async one on ``loop``, which predictions will use too.

    Raises:
        BaseException: whatever it raises, ``SystemExit`` included.
    """
    arguments = {}
    parameter = inspect.signature(setup).parameters.get("weights")
    if parameter is not None:
        arguments["weights"] = _weights(parameter.annotation, weights)
    result = setup(**arguments)
    if inspect.iscoroutine(result):
        import asyncio  # It would take a sixth of the time until a synchronous model is ready.

        (loop or asyncio.new_event_loop()).run_until_complete(result)


def _weights(annotation: Any, source: Optional[str]) -> Any:
    """Make of COG_WEIGHTS (a URL or a path) what the annotation of the parameter says."""
    if not source:
        source = WEIGHTS_FOLDER if os.path.exists(WEIGHTS_FOLDER) else None
    if source is None:
        return None
    text = annotation if isinstance(annotation, str) else repr(annotation)
    if "File" in text:
        return File.validate(source) if is_url(source) else open(source, "rb")
    if "Path" in text:
        path = Path.validate(source)
        return path.convert() if isinstance(path, URLPath) else path
    return source

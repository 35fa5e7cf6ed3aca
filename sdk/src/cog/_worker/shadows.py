"""Keep files of the project from taking the place of modules that the worker loads late.

The project comes before the standard library on ``sys.path``, so its ``email.py`` or ``queue.py`` is
what anybody would get who imports that name from then on, ``urllib.request`` included.
"""

from __future__ import annotations

import importlib
import os
import sys

LATE = (
    "cog._worker.execute_async",
    "cog._worker.healthcheck",
    "cog.public_address",
    "concurrent.futures.thread",
    "encodings.idna",
    "urllib.request",
)
"""What only some models need: it takes half as long to load as all the rest."""


def load_what_is_shadowed(ref: str) -> None:
    """Load all of ``LATE`` if a file beside the model, or at the top of the project, has a standard name.

    Args:
        ref: the model, ``file.py:Name`` below the working directory.
    """
    folders = {"", os.path.dirname(ref.partition(":")[0])}
    if any(_has_standard_name(folder or ".") for folder in folders):
        for name in LATE:
            importlib.import_module(name)


def _has_standard_name(folder: str) -> bool:
    names = getattr(sys, "stdlib_module_names", None)  # Since Python 3.10.
    try:
        files = os.listdir(folder)
    except OSError:
        return False  # It cannot be imported from either.
    return names is None or any(file.partition(".")[0] in names for file in files)

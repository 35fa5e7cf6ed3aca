"""Where the cache is: `COG_CACHE_DIR`, else the platform's folder for such things."""

from __future__ import annotations

import os
from collections.abc import Mapping


def cache_folder(environ: Mapping[str, str]) -> str:
    """Return the absolute path of the cache's folder, as a text: reading one file there needs no more."""
    given = environ.get("COG_CACHE_DIR")
    if given:
        return os.path.join(os.getcwd(), os.path.expanduser(given))
    from platformdirs import user_cache_dir

    return user_cache_dir("cogworks")

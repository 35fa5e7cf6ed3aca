"""Let uv use the registries that pip is configured for.

uv reads no pip configuration. A machine with a mirror in ``pip.conf`` or in ``PIP_*`` variables would work with
pip and fail with uv; so what pip would use is translated, unless uv has settings of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from configparser import ConfigParser, Error
from pathlib import Path

OPTIONS = ("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert")
"""The settings of pip that decide where packages come from."""


def read_pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings of where packages come from, by the long name of the option.

    Later sources win, as in pip: the files of the machine, the user, the environment that this
    Python runs in, the file of PIP_CONFIG_FILE, then the variables. A file that cannot be read
    counts for nothing, for pip itself will say what is wrong with it.
    Source: pip's user guide, "Configuration".
    """
    found: dict[str, str] = {}
    for path in pip_files(environ):
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (Error, UnicodeDecodeError, OSError):
            continue
        for section in ("global", "install"):
            for name in OPTIONS:
                value = parser.get(section, name, fallback="").strip()
                if value:
                    found[name] = value
    for name in OPTIONS:
        value = environ.get("PIP_" + name.upper().replace("-", "_"), "").strip()
        if value:
            found[name] = value
    return found


def uv_variables(pip: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the uv variables that stand for pip's settings and are not in ``environ`` already.

    Args:
        pip: pip's settings by their long option's name, lists separated by white space.
    """
    found: dict[str, str] = {}
    own_index = any(name in environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX"))
    if "index-url" in pip and not own_index:
        found["UV_DEFAULT_INDEX"] = pip["index-url"]
    if "extra-index-url" in pip and not own_index and "UV_EXTRA_INDEX_URL" not in environ:
        found["UV_INDEX"] = " ".join(pip["extra-index-url"].split())
        # pip takes the best version of all indexes; uv by default those of the first that has the name.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if "find-links" in pip:
        found["UV_FIND_LINKS"] = ",".join(pip["find-links"].split())
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        # uv has no variable for "no index"; offline, it takes local directories and its own cache only.
        found["UV_OFFLINE"] = "1"
    if "trusted-host" in pip:
        found["UV_INSECURE_HOST"] = " ".join(pip["trusted-host"].split())
    if "cert" in pip:
        found["SSL_CERT_FILE"] = pip["cert"]
    return {name: value for name, value in found.items() if name not in environ}


def pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where pip's settings may be, the last to win last."""
    chosen = environ.get("PIP_CONFIG_FILE", "")
    if chosen == "/dev/null":
        return  # pip's own way to say: no files at all.
    for folder in reversed(environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")):
        yield Path(folder) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    home = Path(environ.get("HOME") or "/nonexistent")
    yield home / ".pip" / "pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if sys.platform == "darwin":
        yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if chosen:
        yield Path(chosen)

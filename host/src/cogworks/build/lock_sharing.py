"""One project's lock among those that machines share by their index of layers, if there is one.

It is taken only by a machine that has the same requirements, target and indexes, and whatever files of its own the lock
names; whoever packs everything anew (`--no-cache`, `--verify-layers`) resolves anew, too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cogworks.build.cache import Cache
from cogworks.build.shared_layers import SharedLayers
from cogworks.build.shared_locks import SharedLock, now_utc
from cogworks.engines.inputs import UV_SETTINGS, hash_all
from cogworks.engines.pip_settings import read_pip_settings, uv_variables
from cogworks.engines.redact import redact


@dataclass(frozen=True, slots=True)
class LockSharing:
    """Finds and offers the lock of a key; ``shared`` is None where nobody shares."""

    shared: SharedLayers | None
    key: str

    def find(self) -> str:
        """Return a lock of this day; nothing if nobody has put one there."""
        found = self.shared.find_lock(self.key) if self.shared is not None else None
        return found.text if found is not None else ""

    def offer(self, text: str) -> None:
        """Let others have a lock, for as long as it is new."""
        made_at = _made_at(text)
        if self.shared is not None and made_at is not None:
            self.shared.offer_lock(self.key, SharedLock(text, made_at))


def lock_sharing(cache: Cache, key: str, environment: Mapping[str, str] | None) -> LockSharing:
    """Return what shares a lock.

    Args:
        key: stands for the project's requirements and the target; what this machine's settings say is added.
    """
    if cache.shared is None or not cache.is_reused or cache.is_verified:
        return LockSharing(None, key)
    return LockSharing(cache.shared, hash_all([key, *_settings(environment or {})]))


def time_line() -> str:
    """Return the line of a lock, in the table `tool.cogworks`, that tells when it is resolved."""
    return f"made-at = {now_utc().isoformat()}\n"


def _made_at(text: str) -> datetime | None:
    with suppress(ValueError, KeyError, TypeError):
        found = tomllib.loads(text)["tool"]["cogworks"]["made-at"]
        return found if isinstance(found, datetime) and found.tzinfo else None
    return None


def _settings(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what this machine says of indexes, without credentials: another one may know others."""
    variables = {**environment, **uv_variables(read_pip_settings(environment), environment)}
    yield from (f"{name}={redact(variables.get(name, ''))}" for name in UV_SETTINGS)
    for path in _uv_files(environment):
        with suppress(OSError, UnicodeDecodeError):
            yield redact(path.read_text(encoding="utf-8"))


def _uv_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield where settings of uv may be that are not the project's. Source: uv's guide, "Configuration files"."""
    if "UV_CONFIG_FILE" in environment:
        yield Path(environment["UV_CONFIG_FILE"])
        return
    home = Path(environment.get("HOME") or "/nonexistent")
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    for folder in environment.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"):
        yield Path(folder) / "uv" / "uv.toml"
    yield Path("/etc/uv/uv.toml")

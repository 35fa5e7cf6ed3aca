"""Entries of the local engine: environments, what requirements came to, copies of the SDK, and what is left of builds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cogworks.engines.health import broken_environments, leftovers
from cogworks.engines.store import MARKER, NOT_ENVIRONMENTS, Store
from cogworks.housekeeping.entry import Entry, Kind
from cogworks.housekeeping.measure import children, measure, modified_at

_NAME_CHARS = 12


def environment_entries(cache_dir: Path) -> Iterator[Entry]:
    """Yield what the local engine has in a cache."""
    broken = frozenset(broken_environments(cache_dir))
    yield from (_leftover(path, "environment that does not work") for path in sorted(broken))
    yield from (_leftover(path, "leftover of a build") for path in leftovers(cache_dir, broken))
    yield from _sound(cache_dir, broken)
    yield from _resolutions(cache_dir)
    for path in children(cache_dir / "sdk"):
        if not path.name.startswith("."):
            yield _entry(Kind.SDK, path, "", path, path / "__main__.py")


def _sound(cache_dir: Path, broken: frozenset[Path]) -> Iterator[Entry]:
    store = Store(cache_dir / "envs")
    for path in children(cache_dir / "envs"):
        found = None if path.name in NOT_ENVIRONMENTS or path in broken else store.find(path.name)
        if found is not None:
            made = found.directory / "pyvenv.cfg"
            whole = _entry(Kind.ENVIRONMENTS, path, _packages(found.directory), path / MARKER, made)
            # Without what a killed build left beside it: that is an entry of its own.
            yield replace(whole, size=measure([path / MARKER, found.directory]))


def _packages(environment: Path) -> str:
    """Return the Python and the packages of an environment: `Python 3.12: numpy-2.1.0, pillow-11.0`."""
    for site in sorted(environment.glob("[Ll]ib/python*/site-packages")):
        names = [path.stem for path in children(site) if path.suffix == ".dist-info"]
        return f"{site.parent.name.replace('python', 'Python ')}: {', '.join(names)}"
    return ""


def _resolutions(cache_dir: Path) -> Iterator[Entry]:
    """Yield what requirements came to; it is used whenever an environment is found by its inputs."""
    envs = cache_dir / "envs"
    for path in children(envs / "resolutions"):
        inputs, dash, version = path.name.partition("-")
        if dash and inputs != "new":
            detail = f"of an environment with Python {version}"
            used = envs / "inputs" / f"{inputs}.json"
            yield replace(_entry(Kind.LOCKS, path, detail, used, path), parts=(used,))


def _entry(kind: Kind, path: Path, detail: str, used: Path, made: Path) -> Entry:
    made_at = modified_at(made)
    used_at = modified_at(used) or made_at or 0.0
    name = path.name[:_NAME_CHARS]
    return Entry(kind, name, detail, path, measure([path]), used_at, made_at)


def _leftover(path: Path, detail: str) -> Entry:
    changed_at = modified_at(path)
    return Entry(
        Kind.LEFTOVERS, path.name, detail, path, measure([path]), changed_at or 0.0, changed_at
    )

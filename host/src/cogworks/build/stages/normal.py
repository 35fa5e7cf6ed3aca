"""What of a command's changes belongs into an image, so that the same commands give the same layer; pure.

Left out is what differs from run to run, or belongs to the engine or to the container that ran: logs, caches and lists of
apt, locks, identities of a machine, mounted files. Folders stay where programs may expect them. What is kept stays as it
is, modes and owners included; only its time is 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cogworks.build.stages.diff import Content, Diff, Kind, Node

NEVER = (
    *("dev", "proc", "sys", "run", ".dockerenv"),
    *("etc/hosts", "etc/hostname", "etc/resolv.conf"),
    *("etc/machine-id", "var/lib/dbus/machine-id", "var/lib/systemd/random-seed"),
    *("root/.cache/pip", "root/.cache/uv"),
)
"""Paths that are the engine's or the container's, or caches that nobody needs again, with all that is below."""

TEMPORARY = ("tmp", "var/tmp")
"""What is below is left out where only apt ran; commands of a project may have put there what the model needs."""

FILES_BELOW = ("var/log", "var/cache", "var/lib/apt/lists", "var/lib/dpkg/updates")
"""Folders that stay, without the files in them."""

KEPT = (
    "var/cache/debconf/config.dat",
    "var/cache/debconf/templates.dat",
    "var/cache/debconf/passwords.dat",
)
"""What packages have asked, and been answered: no cache, in spite of its place."""

_LEFTOVERS = re.compile(
    r"etc/\.pwd\.lock|etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-"
    r"|var/lib/dpkg/(?:lock|lock-frontend|triggers/Lock|[a-z]+-old)"
)
"""Locks, and copies of what a file was before."""

MERGED = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32", "tmp"})
"""Folders that may be links to others in the base: an entry of such a folder would break an image."""

_COMPILED = re.compile(r"(?:(.*)/)?__pycache__/([^/]+)\.cpython-\d+(?:\.opt-\d)?\.pyc")
PYC_HEADER_BYTES = 16
"""Magic number, flags, time and size of the source; source: PEP 552."""


def normalize(diff: Diff, *, keeps_temporary: bool, mounted: Iterable[str] = ()) -> None:
    """Take away what does not belong into an image.

    Args:
        keeps_temporary: leave what is in `/tmp` and `/var/tmp`.
        mounted: paths at which files were mounted while a command ran; engines leave empty ones behind.
    """
    for path in NEVER:
        diff.drop(path)
    for path in mounted:
        node = diff.nodes.get(path)
        if node is not None and node.content is not None and not node.content.size_bytes:
            diff.drop(path)
    if not keeps_temporary:
        for path in TEMPORARY:
            diff.drop(path)
    for path in [one.path for one in diff.nodes.values() if _is_dropped(one)]:
        del diff.nodes[path]
    # Engines put files of their own into it; with some bases and some engines that touches it, with others not.
    if not any(path.startswith("etc/") for path in (*diff.nodes, *diff.removed, *diff.opaque)):
        diff.nodes.pop("etc", None)
    # What the base has in these folders may stay.
    diff.removed = {path for path in diff.removed if not _is_in_dropped_folder(path)}
    diff.opaque = {path for path in diff.opaque if not _is_in_dropped_folder(f"{path}/")}


def source_of(path: str) -> str | None:
    """Return the source that a compiled module belongs to; None for every other file."""
    match = _COMPILED.fullmatch(path)
    if match is None:
        return None
    folder, name = match.groups()
    return f"{folder}/{name}.py" if folder else f"{name}.py"


def with_source_time_0(header: bytes) -> bytes:
    """Return the header of a compiled module whose source has got the time 0.

    Python takes a compiled module only if the time in it is that of its source; one that goes by the source's hash is
    left as it is.
    """
    if len(header) < PYC_HEADER_BYTES or header[4:8] != bytes(4):
        return header
    return header[:8] + bytes(4) + header[12:]


def links_of(nodes: Iterable[Node]) -> dict[Content, list[str]]:
    """Return content -> the paths of the files that have it, sorted: the names of one file."""
    found: dict[Content, list[str]] = {}
    for node in nodes:
        if node.content is not None:
            found.setdefault(node.content, []).append(node.path)
    return {content: sorted(paths) for content, paths in found.items()}


def _is_dropped(node: Node) -> bool:
    if node.kind is Kind.DIRECTORY:
        return node.path in MERGED
    return _is_in_dropped_folder(node.path) or _LEFTOVERS.fullmatch(node.path) is not None


def _is_in_dropped_folder(path: str) -> bool:
    return path not in KEPT and any(path.startswith(f"{folder}/") for folder in FILES_BELOW)

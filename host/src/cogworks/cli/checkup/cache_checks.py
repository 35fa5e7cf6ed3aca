"""The cache's health: that it can be written, and what broken builds left in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.cli.checkup.changes import Changes
from cogworks.cli.checkup.check import Context, Result
from cogworks.cli.findings import Finding, Severity

if TYPE_CHECKING:
    from cogworks.housekeeping.entry import Entry

CODE = "env-cache"

SCARCE_BYTES = 1024**3
"""An environment with a framework takes more than that."""


def find_cache_problems(context: Context) -> Result:
    """Find environments that do not work any more, and what killed builds left behind."""
    from cogworks.engines.health import find_write_problem
    from cogworks.housekeeping.measure import measure

    findings: list[Finding] = []
    problem = find_write_problem(context.cache_dir)
    if problem:
        message = f"{context.cache_dir} cannot be written: {problem}"
        hint = "Change its permissions, or set COG_CACHE_DIR to another folder"
        findings.append(Finding(message, CODE, hint=hint))
    findings += _scarce(context.cache_dir)
    for entry in _leftovers(context):
        message = f"{entry.path.relative_to(context.cache_dir)}: {entry.detail}"
        hint = "Run `cog doctor --fix` to remove it; it is made again when it is needed"
        findings.append(Finding(message, CODE, Severity.WARNING, hint=hint))
    size = f"{measure([context.cache_dir]).total_bytes / 1024**3:.1f} GiB"
    return Result(tuple(findings), note=f"{context.cache_dir}, {size}; see `cog cache ls`")


def _scarce(folder: Path) -> list[Finding]:
    existing = next((path for path in (folder, *folder.parents) if path.is_dir()), None)
    if existing is None:
        return []
    try:
        free_bytes = shutil.disk_usage(existing).free
    except OSError:
        return []
    if free_bytes >= SCARCE_BYTES or not free_bytes:  # ``/proc`` has no size at all.
        return []
    message = f"{folder}: only {free_bytes / 1024**2:.0f} MiB are free there"
    hint = "Run `cog cache prune`, or set COG_CACHE_DIR to a folder on another disk"
    return [Finding(message, CODE, Severity.WARNING, hint=hint)]


def repair_cache(context: Context) -> Changes:
    """Return a change that removes what does not work; what is in use is left alone."""
    from cogworks.housekeeping.prune import remove

    def also() -> None:
        remove(context.cache_dir, tuple(_leftovers(context)))

    return Changes(also=also)


def _leftovers(context: Context) -> Iterator[Entry]:
    from cogworks.housekeeping.entry import Kind
    from cogworks.housekeeping.inventory import survey

    found = survey(context.cache_dir)
    return (one for one in found if one.kind is Kind.LEFTOVERS and not one.is_in_use)

"""The cache's health: that it can be written, and what broken builds left in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cogworks.cli.checkup.changes import Changes
from cogworks.cli.checkup.check import Context, Result
from cogworks.cli.findings import Finding, Severity

if TYPE_CHECKING:
    from cogworks.housekeeping.entry import Entry

CODE = "env-cache"


def find_cache_problems(context: Context) -> Result:
    """Find environments that do not work any more, and what killed builds left behind."""
    from cogworks.engines.health import is_writable
    from cogworks.housekeeping.measure import measure

    findings: list[Finding] = []
    if not is_writable(context.cache_dir):
        message = f"{context.cache_dir} cannot be written"
        hint = "Change its permissions, or set COG_CACHE_DIR to another folder"
        findings.append(Finding(message, CODE, hint=hint))
    for entry in _leftovers(context):
        message = f"{entry.path.relative_to(context.cache_dir)}: {entry.detail}"
        hint = "Run `cog doctor --fix` to remove it; it is made again when it is needed"
        findings.append(Finding(message, CODE, Severity.WARNING, hint=hint))
    size = f"{measure([context.cache_dir]).total_bytes / 1024**3:.1f} GiB"
    return Result(tuple(findings), note=f"{context.cache_dir}, {size}; see `cog cache ls`")


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

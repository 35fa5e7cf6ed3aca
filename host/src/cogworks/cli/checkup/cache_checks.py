"""The cache's health: that it can be written, and what broken builds left in it."""

from __future__ import annotations

from cogworks.cli.checkup.changes import Changes
from cogworks.cli.checkup.check import Context, Result
from cogworks.cli.findings import Finding, Severity

CODE = "env-cache"


def find_cache_problems(context: Context) -> Result:
    """Find environments that do not work any more, and what killed builds left behind."""
    from cogworks.engines.health import survey

    health = survey(context.cache_dir)
    findings: list[Finding] = []
    if not health.is_writable:
        message = f"{context.cache_dir} cannot be written"
        hint = "Change its permissions, or set COG_CACHE_DIR to another folder"
        findings.append(Finding(message, CODE, hint=hint))
    for kind, paths in (
        ("environment that does not work", health.broken),
        ("leftover of a build", health.leftovers),
    ):
        for path in paths:
            message = f"{path.relative_to(context.cache_dir)}: {kind}"
            hint = "Run `cog doctor --fix` to remove it; it is made again when it is needed"
            findings.append(Finding(message, CODE, Severity.WARNING, hint=hint))
    size = f"{health.size_bytes / 1024**3:.1f} GiB"
    more = "more than " if health.is_size_partial else ""
    return Result(tuple(findings), note=f"{context.cache_dir}, {more}{size}")


def repair_cache(context: Context) -> Changes:
    """Return a change that removes what does not work; what is in use is left alone."""
    from cogworks.engines.health import repair

    return Changes(also=lambda: repair(context.cache_dir))

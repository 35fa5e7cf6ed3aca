"""Keep a cache within its limits without being asked: at most once a day, after something was added to it."""

from __future__ import annotations

import time
from pathlib import Path

from cogworks.housekeeping.inventory import survey
from cogworks.housekeeping.limits import Limits
from cogworks.housekeeping.policy import Policy, choose
from cogworks.housekeeping.prune import Removal, remove
from cogworks.housekeeping.stamp import NAME, is_time


def sweep_daily(cache_dir: Path, limits: Limits) -> Removal | None:
    """Remove what is beyond the limits, and leftovers; None if it is not time yet, or without limits.

    Nothing that a command uses is touched, this one included. What goes wrong goes wrong the next day, too: a cache that
    cannot be swept is no reason for a build to fail.
    """
    if limits.max_age_s is None and limits.max_bytes is None:
        return None
    if not is_time(cache_dir):
        return None
    policy = Policy(older_than_s=limits.max_age_s, max_bytes=limits.max_bytes)
    try:
        (cache_dir / NAME).touch()
        return remove(cache_dir, choose(survey(cache_dir), policy, time.time()))
    except OSError:
        return None

"""Where `cog` starts: a build or a push that was made before is made the short way, everything else by ``cogworks.cli.main``.

The short way loads neither click nor what builds images: that takes longer than all that it does.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from cogworks.repeat.call import may_repeat

COLLECT_EVERY = 50_000
"""New objects after which a build looks for garbage: Python does every 700, and most of what a build loads stays."""

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `cog` and exit; Ctrl-C while it is loaded is one like any other."""
    try:
        _main(arguments)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _main(arguments: Sequence[str] | None) -> NoReturn:
    given = sys.argv[1:] if arguments is None else list(arguments)
    if may_repeat(given):
        from cogworks.cli.repeat import repeat

        # What is loaded stays; to look for garbage in it meanwhile takes a while.
        gc.disable()
        code = repeat(given)
        if code is not None:
            _leave(code)
        gc.set_threshold(COLLECT_EVERY)
        gc.enable()
    from cogworks.cli.main import main as run

    run(arguments)


def _leave(code: int) -> NoReturn:
    """End without taking everything to pieces first, which takes a while; nothing is open that needs it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

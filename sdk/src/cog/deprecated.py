"""Names that older models import. ``cog`` loads them when they are asked for, and says so once."""

from __future__ import annotations

import sys
from typing import Any

from cog.scope import current_scope


class ExperimentalFeatureWarning(FutureWarning):
    """What older versions warned with; nothing does any more."""


def emit_metric(name: str, value: Any) -> None:
    """Record a metric of the running prediction, as ``current_scope().record_metric`` does."""
    current_scope().record_metric(name, value)


_NOTES = {
    "ExperimentalFeatureWarning": "nothing raises it any more",
    "emit_metric": "use current_scope().record_metric(name, value) instead",
}


def load_deprecated(name: str) -> Any:
    """Return one of the names above and print what to do about it."""
    print(f"cog.{name} is deprecated: {_NOTES[name]}", file=sys.stderr)
    return globals()[name]

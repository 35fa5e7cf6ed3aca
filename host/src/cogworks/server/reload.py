"""Which changes in a project's folder mean that the model is another one."""

from __future__ import annotations

from pathlib import Path

from watchfiles import Change, DefaultFilter

SUFFIXES = frozenset({".py", ".yaml", ".yml", ".toml"})
"""Source and configuration. A model may write outputs into its own folder; they must not restart it."""


class SourceFilter(DefaultFilter):
    """Lets changes of source and configuration pass; not those in ``.git``, caches and environments."""

    def __call__(self, change: Change, path: str) -> bool:
        """Tell whether a change counts."""
        return Path(path).suffix in SUFFIXES and super().__call__(change, path)

"""What can go wrong with a store.

CogworksError
├── StoreError      the file cannot be used, or no longer: its path and why
├── StoreUrlError   a URL names no store
└── CursorError     a page of the list was asked for that we never offered (also a ValueError)
"""

from __future__ import annotations

from pathlib import Path

from cogworks.errors import CogworksError


class StoreError(CogworksError):
    """The file of a store cannot be used; ``problem`` says why and what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        """Name the file."""
        super().__init__(f"store {path}: {problem}")
        self.path = path
        self.problem = problem


class StoreUrlError(CogworksError):
    """The URL names no store."""

    def __init__(self, url: str) -> None:
        """Quote it, cut; say what there is."""
        super().__init__(
            f'no store is called "{url[:80]}". Use memory:, sqlite:///file or sqlite:////absolute/file.'
        )


class CursorError(CogworksError, ValueError):
    """The cursor is none of ours."""

    def __init__(self, cursor: str) -> None:
        """Quote it, cut."""
        super().__init__(f'cursor "{cursor[:80]}" is unknown. Leave it out to begin at the newest.')

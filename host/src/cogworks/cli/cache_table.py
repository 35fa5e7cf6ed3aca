"""The entries of a cache as a table: for the terminal that standard output is, or for a pipe, where a row is a line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cogworks.cli.sizes import shown_size
from cogworks.housekeeping.entry import Kind, total_size
from cogworks.housekeeping.inventory import by_kind
from cogworks.housekeeping.limits import show_age

if TYPE_CHECKING:
    from cogworks.housekeeping.entry import Entry

HEADINGS = ("KIND", "NAME", "SIZE", "MADE", "LAST USED", "WHAT")
MIN_DETAIL = 16
"""Characters of the last column, however narrow the terminal is."""


def render(
    entries: Sequence[Entry], cache_dir: Path, folder_bytes: int, now: float, *, has_all: bool
) -> str:
    """Return the table with its sums.

    Args:
        folder_bytes: the size of the whole folder, each file once.
        now: seconds since 1970.
        has_all: the entries are those of every kind.
    """
    if not entries:
        return f"Nothing in {cache_dir}\n"
    rows = [HEADINGS, *(_row(entry, now) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    lines = [_line(row, widths) for row in rows]
    lines += ["", *_sums(entries)]
    if has_all:
        lines.append(f"{shown_size(folder_bytes)} in {cache_dir}")
    return "".join(f"{line}\n" for line in lines)


def _row(entry: Entry, now: float) -> tuple[str, ...]:
    made = "" if entry.made_at is None else show_age(now - entry.made_at)
    used = "now" if entry.is_in_use else show_age(now - entry.used_at)
    size = shown_size(entry.size.total_bytes)
    return entry.kind.value, entry.name, size, made, used, " ".join(entry.detail.split())


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    *cells, detail = row
    # Sizes are compared down the column: to the right.
    padded = [
        cell.rjust(width) if column == HEADINGS.index("SIZE") else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    start = "  ".join(padded)
    if sys.stdout.isatty():
        left = max(MIN_DETAIL, shutil.get_terminal_size().columns - len(start) - 3)
        detail = detail if len(detail) <= left else f"{detail[: left - 1]}…"
    return f"{start}  {detail}".rstrip()


def _sums(entries: Sequence[Entry]) -> list[str]:
    rows = [
        (kind.value, len(some), total_size(some).total_bytes) for kind, some in by_kind(entries)
    ]
    width = max(len(kind.value) for kind in Kind)
    return [f"{kind:<{width}}  {count:>5}  {shown_size(size):>8}" for kind, count, size in rows]

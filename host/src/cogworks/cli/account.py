"""What a build or a push says in the end: a title, and what there is to say of the image, in columns."""

from __future__ import annotations

from collections.abc import Sequence

from cogworks.cli.console import Console
from cogworks.cli.sizes import shown_size

Rows = list[tuple[str, str]]
"""(what, how it is)"""


def account_rows(digest: str, sizes: Sequence[int], new_bytes: int, base: str) -> Rows:
    """Return what there is to say of an image.

    Args:
        sizes: of all layers, those of the base included.
        new_bytes: how much of them was made now.
        base: its name and its digest.
    """
    made = f"{shown_size(new_bytes)} of them made now" if new_bytes else "none of them made now"
    return [
        ("digest", digest),
        ("size", f"{shown_size(sum(sizes))} in {len(sizes)} layers, {made}"),
        ("base", base),
    ]


def built_title(name: str, *, is_changed: bool) -> str:
    """Return what a build has come to."""
    if is_changed:
        return f"Image built as {name}"
    return f"Nothing has changed: {name} is as it was built before"


def sent_row(sizes: Sequence[int]) -> tuple[str, str]:
    """Return what there is to say of a push; sizes are those of the blobs that were sent."""
    if not sizes:
        return "sent", "nothing: the registry has it all"
    blobs = "1 blob" if len(sizes) == 1 else f"{len(sizes)} blobs"
    return "sent", f"{shown_size(sum(sizes))} in {blobs}"


def loaded_rows(
    engine: str, program: str, name: str, sent_bytes: int, sent_layers: int
) -> list[tuple[str, str]]:
    """Return what there is to say of an image that an engine has; nothing was sent if it had it before."""
    layers = "1 layer" if sent_layers == 1 else f"{sent_layers} layers"
    sent = f"{shown_size(sent_bytes)} in {layers} sent" if sent_layers else "which had it already"
    return [
        ("loaded", f"into {engine}, {sent}"),
        ("run it", f"{program} run --rm -p 5000:5000 {name}"),
    ]


def show_account(console: Console, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print it."""
    console.account(title, rows)

"""`cog cache`: what is in the cache, and the removal of what is not needed any more."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cogworks.cli.options import CONTEXT_SETTINGS, global_options
from cogworks.cli.prepare import find_cache_dir
from cogworks.cli.sizes import shown_size
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.housekeeping.entry import Entry, Kind
    from cogworks.housekeeping.policy import Policy

F = TypeVar("F", bound=Callable[..., Any])

KINDS = (
    *("environments", "images", "layers", "wheels", "bytecode", "pythons", "bases"),
    *("registries", "sdk", "locks", "leftovers"),
)
"""Spelled here, so that `cog cache --help` loads nothing; a test compares them."""

HELP = """Show and clear the cache.

Environments, packages and layers of images are kept so that they are made once. Whatever is removed is made again when
it is needed.

\b
Examples:
  cog cache ls
  cog cache prune
"""
LS_HELP = """Show what is in the cache.

\b
Examples:
  cog cache ls
  cog cache ls --kind environments
  cog cache ls --format json
"""
PRUNE_HELP = """Remove what was not used for long.

The least recently used goes first. What a running command uses is never removed. Without --older-than, --max-size and
--all, the limits are those of COG_CACHE_MAX_AGE and COG_CACHE_MAX_SIZE (30d, 50GB).

\b
Examples:
  cog cache prune --dry-run
  cog cache prune --older-than 2w --max-size 20GB
  cog cache prune --all --kind environments
"""


@click.group("cache", help=HELP, short_help="Show and clear the cache.")
@global_options
def command() -> None:
    """Show and clear the cache."""


def _kind_option(function: F) -> F:
    return click.option(
        "--kind",
        "kind_names",
        type=click.Choice(KINDS),
        multiple=True,
        help="Only entries of this kind; may be repeated.",
    )(function)


@command.command("ls", help=LS_HELP, short_help="Show it.", context_settings=CONTEXT_SETTINGS)
@_kind_option
@click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people, or an object for programs.",
)
@global_options
@click.pass_context
def ls(context: click.Context, kind_names: tuple[str, ...], style: str) -> None:
    """Show what is in the cache."""
    from cogworks.cli.cache_table import render
    from cogworks.housekeeping.inventory import survey
    from cogworks.housekeeping.measure import measure

    cache_dir = find_cache_dir(context.ensure_object(State).environ)
    kinds = _kinds(kind_names)
    entries = [one for one in survey(cache_dir) if not kinds or one.kind in kinds]
    if style == "json":
        click.echo(json.dumps(_as_json(cache_dir, entries), indent=2, ensure_ascii=False))
        return
    whole = measure([cache_dir]).total_bytes
    click.echo(render(entries, cache_dir, whole, time.time(), has_all=not kinds), nl=False)


@command.command(
    "prune",
    help=PRUNE_HELP,
    short_help="Remove what was not used for long.",
    context_settings=CONTEXT_SETTINGS,
)
@click.option("--older-than", "age", metavar="AGE", help="What was not used for 45m, 12h, 30d, 2w.")
@click.option("--max-size", "size", metavar="SIZE", help="Down to 500MB, 20GB, 1.5TiB.")
@click.option("--all", "everything", is_flag=True, help="Whenever it was used; locks, too.")
@_kind_option
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@global_options
@click.pass_context
def prune(
    context: click.Context,
    age: str | None,
    size: str | None,
    everything: bool,
    kind_names: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Remove what was not used for long."""
    from cogworks.housekeeping.inventory import survey
    from cogworks.housekeeping.policy import choose
    from cogworks.housekeeping.prune import Removal, remove

    state = context.ensure_object(State)
    cache_dir = find_cache_dir(state.environ)
    policy = _policy(state, age, size, kind_names, everything=everything)
    entries = survey(cache_dir)
    chosen = choose(entries, policy, time.time())
    done = Removal(tuple(chosen), ()) if dry_run else remove(cache_dir, chosen)
    _report(state, done.removed, dry_run=dry_run)
    in_use = sum(1 for one in entries if one.is_in_use and policy.concerns(one.kind))
    if in_use + len(done.kept):
        state.console.info(f"{_count(in_use + len(done.kept))} in use, and kept")


def _policy(
    state: State,
    age: str | None,
    size: str | None,
    kind_names: Sequence[str],
    *,
    everything: bool,
) -> Policy:
    from cogworks.housekeeping.limits import Limits, parse_age, parse_size, read_limits
    from cogworks.housekeeping.policy import Policy

    if everything and (age or size):
        raise click.UsageError("Give --all, or --older-than and --max-size, not both.")
    limits = Limits(parse_age(age) if age else None, parse_size(size) if size else None)
    if not (everything or age or size):
        limits = read_limits(state.environ)
    return Policy(_kinds(kind_names) or None, limits.max_age_s, limits.max_bytes, everything)


def _kinds(names: Sequence[str]) -> frozenset[Kind]:
    from cogworks.housekeeping.entry import Kind

    return frozenset(Kind(name) for name in names)


def _report(state: State, removed: Sequence[Entry], *, dry_run: bool) -> None:
    """Say what is gone: a line for each kind on standard error, the sum on standard output."""
    from cogworks.housekeeping.entry import total_size
    from cogworks.housekeeping.inventory import by_kind

    verb = "Would remove" if dry_run else "Removed"
    for kind, entries in by_kind(removed):
        size = shown_size(total_size(entries).total_bytes)
        state.console.info(f"{verb} {_count(len(entries))} of {kind.value}, {size}")
    freed = shown_size(total_size(removed).freed_bytes)
    click.echo(f"{'Would free' if dry_run else 'Freed'} {freed}")


def _count(number: int) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"


def _as_json(cache_dir: Path, entries: Sequence[Entry]) -> dict[str, Any]:
    from cogworks.housekeeping.entry import total_size
    from cogworks.housekeeping.inventory import by_kind

    return {
        "directory": str(cache_dir),
        "size_bytes": total_size(entries).total_bytes,
        "kinds": {
            kind.value: {"count": len(some), "size_bytes": total_size(some).total_bytes}
            for kind, some in by_kind(entries)
        },
        "entries": [_entry_as_json(one, cache_dir) for one in entries],
    }


def _entry_as_json(entry: Entry, cache_dir: Path) -> dict[str, Any]:
    return {
        "kind": entry.kind.value,
        "name": entry.name,
        "detail": entry.detail,
        "path": str(entry.path.relative_to(cache_dir)),
        "size_bytes": entry.size.total_bytes,
        "freed_bytes": entry.size.freed_bytes,
        "made_at": _time(entry.made_at),
        "used_at": _time(entry.used_at),
        "in_use": entry.is_in_use,
    }


def _time(at: float | None) -> str | None:
    """Return a time in UTC, as everywhere in the format."""
    from datetime import UTC, datetime

    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

"""The table of commands, and the click group that loads a command only when it is called."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import click


@dataclass(frozen=True)
class Entry:
    """One command: where it is, its line in `cog --help`, and words that people try for it."""

    module: str
    help: str
    name_in_module: str = "command"
    hidden: bool = False
    also: tuple[str, ...] = ()


COMMANDS: Mapping[str, Entry] = {
    "build": Entry("cogworks.cli.build", "Build an image of the model."),
    "cache": Entry(
        "cogworks.cli.cache", "Show and clear the cache.", also=("prune", "clean", "clear", "gc")
    ),
    "check": Entry(
        "cogworks.cli.check", "Check the project without building it.", also=("lint", "validate")
    ),
    "debug": Entry(
        "cogworks.cli.debug",
        "Print the Dockerfile that comes to the same image as `cog build`.",
        hidden=True,
    ),
    "doctor": Entry(
        "cogworks.cli.doctor", "Find what is wrong with the project and with this machine."
    ),
    "exec": Entry("cogworks.cli.exec", "Run a command in the model's environment."),
    "init": Entry("cogworks.cli.init", "Start a project in this folder.", also=("new", "start")),
    "login": Entry(
        "cogworks.cli.login",
        "Log in to a registry.",
        also=("auth", "authenticate", "authorize"),
    ),
    "push": Entry("cogworks.cli.push", "Push the model's image to a registry.", also=("upload",)),
    "run": Entry(
        "cogworks.cli.run",
        "Run a prediction of the project in this folder, or of an image.",
        also=("infer",),
    ),
    "schema": Entry("cogworks.cli.schema", "Print the model's OpenAPI schema.", also=("openapi",)),
    "serve": Entry("cogworks.cli.serve", "Serve the model over HTTP.", also=("http",)),
    "predict": Entry(
        "cogworks.cli.run",
        "Run a prediction of the project in this folder, or of an image.",
        name_in_module="predict_command",
        hidden=True,
    ),
    "train": Entry("cogworks.cli.train", "Run a training.", hidden=True),
}


class LazyGroup(click.Group):
    """Knows its commands by the table; imports the module of the one that is called."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take `cog help run` for `cog run --help`."""
        if args[:1] == ["help"]:
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, hidden ones included."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(entry.module)
        return cast(click.Command, getattr(module, entry.name_in_module))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the visible commands from the table alone."""
        rows = [(name, entry.help) for name, entry in sorted(COMMANDS.items()) if not entry.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a call, or say what may have been meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"No such command '{name}'.{suggestion(name)}")
        return super().resolve_command(ctx, args)


def suggestion(name: str) -> str:
    """Return ` Did you mean 'run'?`, or nothing if no command is near."""
    visible = {known: entry for known, entry in COMMANDS.items() if not entry.hidden}
    meant = [known for known, entry in visible.items() if name.lower() in entry.also]
    meant = meant or difflib.get_close_matches(name.lower(), visible, n=1)
    return f" Did you mean '{meant[0]}'?" if meant else ""

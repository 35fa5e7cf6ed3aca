from __future__ import annotations

import click
import pytest

from cogworks.cli.commands import COMMANDS, LazyGroup, suggestion


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_row_of_the_table_leads_to_a_command(name: str) -> None:
    command = LazyGroup().get_command(click.Context(click.Command("cog")), name)
    assert command is not None
    assert command.name == name
    assert command.hidden is COMMANDS[name].hidden


def test_the_table_says_what_the_commands_say() -> None:
    context = click.Context(click.Command("cog"))
    for name, entry in COMMANDS.items():
        command = LazyGroup().get_command(context, name)
        assert command is not None
        assert command.get_short_help_str(limit=200).rstrip(".") == entry.help.rstrip(".")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("new", "init"),
        ("start", "init"),
        ("http", "serve"),
        ("infer", "run"),
        ("Infer", "run"),
        ("serv", "serve"),
        ("exce", "exec"),
    ],
)
def test_what_was_meant_is_suggested(name: str, meant: str) -> None:
    assert suggestion(name) == f" Did you mean '{meant}'?"


def test_nothing_near_suggests_nothing() -> None:
    assert suggestion("frobnicate") == ""


def test_hidden_commands_are_not_suggested() -> None:
    assert suggestion("predic") == ""

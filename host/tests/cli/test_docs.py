from __future__ import annotations

from pathlib import Path

import click
import pytest

from cogworks.cli.commands import COMMANDS
from cogworks.cli.main import cli

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_and_every_option_is_on_the_page(name: str, page: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert f"`cog {name}" in page
    flags = [flag for each in with_subcommands(command) for flag in flags_of(each)]
    assert [flag for flag in flags if f"`{flag}`" not in page and f"`{flag} " not in page] == []


def with_subcommands(command: click.Command) -> list[click.Command]:
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return [command, *(one for each in inner for one in with_subcommands(each))]


def flags_of(command: click.Command) -> list[str]:
    options = [option for option in command.params if isinstance(option, click.Option)]
    return [flag for option in options for flag in option.opts]


def test_every_global_option_is_on_the_page(page: str) -> None:
    flags = [flag for option in cli.params for flag in option.opts]
    assert [flag for flag in flags if f"`{flag}`" not in page and f"`{flag} " not in page] == []


def test_every_suggested_command_is_on_the_page(page: str) -> None:
    visible = [name for name, entry in COMMANDS.items() if not entry.hidden]
    assert [name for name in visible if f"## `cog {name}`" not in page] == []

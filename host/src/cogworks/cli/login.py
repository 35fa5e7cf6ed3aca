"""`cog login`: credentials for a registry, tried before they are stored where docker and podman find them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cogworks.cli.errors import OptionError
from cogworks.cli.options import CONTEXT_SETTINGS, global_options, named_registry
from cogworks.cli.state import State

if TYPE_CHECKING:
    from cogworks.registry.auth import Credential

SECRET_MAX_CHARS = 65_536
"""No password is longer; whatever else is piped in was a mistake."""
TOKEN_USER = "token"
"""Registries that take a token as a password look at no user, but want one."""

HELP = """Log in to a registry.

The credentials are tried first. If the registry takes them, they are stored where docker and podman find them.

\b
Examples:
  cog login registry.example
  echo "$PASSWORD" | cog login registry.example --username me --password-stdin
  echo "$TOKEN" | cog login ghcr.io --token-stdin
"""


@click.command(
    "login", help=HELP, short_help="Log in to a registry.", context_settings=CONTEXT_SETTINGS
)
@click.argument("host", metavar="[REGISTRY]", required=False)
@click.option("-u", "--username", metavar="NAME", help="The user; asked for if not given.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option(
    "--token-stdin",
    is_flag=True,
    help="Read a token from standard input; it is used as the password, and needs no user name.",
)
@click.option(
    "--insecure-registry",
    is_flag=True,
    help="The registry may be talked to without encryption.",
)
@global_options
@click.pass_context
def command(
    context: click.Context,
    host: str | None,
    username: str | None,
    password_stdin: bool,
    token_stdin: bool,
    insecure_registry: bool,
) -> None:
    """Log in to a registry."""
    from cogworks.oci.reference import DEFAULT_REGISTRY, parse_registry
    from cogworks.registry.credentials import credential_store
    from cogworks.registry.login import log_in

    state = context.ensure_object(State)
    named = host or named_registry(context) or state.environ.get("COG_REGISTRY_HOST")
    registry = parse_registry(named or DEFAULT_REGISTRY)
    store = credential_store(state.environ, Path.home())
    credential = _credential(registry, username, password=password_stdin, token=token_stdin)
    done = log_in(registry, credential, store, is_insecure=insecure_registry)
    if not done.was_asked:
        state.console.warning(
            f"{registry} asks nobody who they are, so the credentials could not be tried"
        )
    state.console.info(f"Logged in to {registry} as {credential.username}")
    state.console.info(f"The credentials are in {done.stored_in}")


def _credential(registry: str, username: str | None, *, password: bool, token: bool) -> Credential:
    """Return what to log in with: from options, standard input, or questions to a person."""
    from cogworks.registry.auth import Credential

    if password and token:
        raise click.UsageError("Give --password-stdin or --token-stdin, not both.")
    if token:
        return Credential(username or TOKEN_USER, _read_secret("--token-stdin"))
    if password:
        if username is None:
            raise click.UsageError("--password-stdin needs --username.")
        return Credential(username, _read_secret("--password-stdin"))
    if not sys.stdin.isatty():
        raise OptionError(
            "there is no terminal to ask for a password. Pipe it in: "
            f"`cog login {registry} --username NAME --password-stdin`."
        )
    username = username or click.prompt("Username", err=True)
    return Credential(username, click.prompt("Password", hide_input=True, err=True))


def _read_secret(option: str) -> str:
    """Return what is piped in, without the line break at its end."""
    secret = sys.stdin.read(SECRET_MAX_CHARS + 1).rstrip("\r\n")
    if not secret:
        raise OptionError(f"{option}: nothing came from standard input.")
    if len(secret) > SECRET_MAX_CHARS or "\n" in secret:
        raise OptionError(f"{option}: standard input should hold one line.")
    return secret

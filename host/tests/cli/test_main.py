from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cogworks._version import __version__
from cogworks.cli.commands import COMMANDS
from cogworks.cli.main import main
from cogworks.cli.signals import Stopped

Capture = pytest.CaptureFixture[str]

HEAVY = {
    "asyncio",
    "httptools",
    "httpx2",
    "jsonschema_rs",
    "msgspec",
    "rich",
    "ruamel",
    "starlette",
    "uv",
    "uvloop",
    "watchfiles",
}


def cog(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def loaded_by(*arguments: str) -> set[str]:
    code = (
        "import sys; from cogworks.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()[-1].split()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["serve", "--help"],
        ["schema", "--help"],
        ["check", "--help"],
        ["doctor", "--help"],
    ],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(*arguments) & HEAVY == set()


def test_the_version_is_printed(capsys: Capture) -> None:
    assert cog("--version") == 0
    assert capsys.readouterr().out == f"cog version {__version__}\n"


def test_help_lists_the_visible_commands(capsys: Capture) -> None:
    assert cog("--help") == 0
    help_text = capsys.readouterr().out
    for name in ("check", "doctor", "init", "run", "schema", "serve", "exec"):
        assert f"\n  {name} " in help_text
    assert "\n  predict" not in help_text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_examples(name: str, capsys: Capture) -> None:
    assert cog(name, "--help") == 0
    assert "Examples:\n" in capsys.readouterr().out


def test_help_is_a_command_too(capsys: Capture) -> None:
    assert cog("help") == 0
    assert capsys.readouterr().out.startswith("Usage: cog [OPTIONS]")
    assert cog("help", "init") == 0
    assert capsys.readouterr().out.startswith("Usage: cog init [OPTIONS]")


def test_an_unknown_command_is_a_usage_error_with_a_suggestion(capsys: Capture) -> None:
    assert cog("infer") == 2
    err = capsys.readouterr().err
    assert err.startswith("Usage: cog [OPTIONS] COMMAND")
    assert err.endswith("error: No such command 'infer'. Did you mean 'run'?\n")


def test_an_unknown_option_is_a_usage_error_with_a_suggestion(capsys: Capture) -> None:
    assert cog("run", "--outptu", "x") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: No such option")  # The rest is click's wording.
    assert "Did you mean" in last
    assert "--output" in last


def test_a_missing_project_is_one_sentence(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cog("run") == 1
    assert capsys.readouterr() == (
        "",
        f"error: cog.yaml not found in {tmp_path} (or in any parent directories)\n",
    )


@pytest.mark.parametrize("arguments", [("--debug", "run"), ("run", "--debug")])
def test_debug_adds_the_traceback(
    arguments: tuple[str, ...], capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cog(*arguments) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert "error: cog.yaml not found" in err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Stopped(15), 143, ""),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 1, ""),
        (PermissionError(13, "Permission denied", "x"), 1, "error: Permission denied: x."),
        (
            RuntimeError("odd"),
            1,
            "error: unexpected RuntimeError: odd. Run the command with --debug",
        ),
    ],
)
def test_every_end_has_its_code_and_no_traceback(
    error: BaseException,
    code: int,
    message: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("cogworks.cli.main.cli.main", fail)
    assert cog("run") == code
    err = capfd.readouterr().err
    assert err.startswith(message)
    assert "Traceback" not in err


def test_the_accepted_options_are_accepted(capsys: Capture) -> None:
    assert cog("--profile", "--registry", "r.example", "--no-color", "init", "--help") == 0

"""What the engines have in common: options without secrets in them, and failures as sentences."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cogworks.build.errors import CommandError, StageError
from cogworks.build.stages.below import Below
from cogworks.build.stages.builder import (
    proxy_options,
    run_build,
    secret_options,
    write_context,
)
from cogworks.build.stages.containerfile import Step
from cogworks.build.stages.engine import Job, Network
from cogworks.build.stages.secrets import Secret, SecretSource
from cogworks.oci.platform import parse_platform

BELOW = Below(parse_platform("linux/arm64"), {}, ())
STEPS = (Step("make", "cog.yaml:7: build.run[0]"), Step("x" * 200, "cog.yaml:8: build.run[1]"))


def build(*lines: str, code: int = 1, job: Job | None = None) -> list[str]:
    """Run a builder that prints lines and ends; return what the commands printed."""
    heard: list[str] = []
    command = ["sh", "-c", f'printf "%s\\n" "$@"; exit {code}', "sh", *lines]
    run_build(job or Job(BELOW, STEPS), command, {"PATH": os.environ["PATH"]}, 2, heard.append)
    return heard


def test_only_lines_of_commands_are_shown() -> None:
    lines = ("STEP 1/3: FROM x", "pulling", "STEP 2/3: RUN make", "  cc -c x.c", "", "done")
    assert build(*lines, code=0) == ["cc -c x.c", "done"]


def test_a_failed_command_is_quoted_and_cut() -> None:
    with pytest.raises(CommandError) as raised:
        build("STEP 1/3: FROM x", "STEP 2/3: RUN make", "STEP 3/3: RUN x", "no", "exit status 9")
    first = str(raised.value).splitlines()[0]
    assert first == f"cog.yaml:8: build.run[1] failed with exit code 9: '{'x' * 80}…'"


def test_a_builder_that_cannot_begin_says_why() -> None:
    with pytest.raises(StageError, match=r"The engine cannot build:\n  Error: no space left"):
        build("Error: no space left")
    with pytest.raises(StageError, match=r"The engine cannot build:\n  exit code 4"):
        build(code=4)


def test_programs_of_another_machine_are_explained() -> None:
    said = "exec /bin/sh: exec format error"
    with pytest.raises(CommandError, match=r"cannot run programs for linux/arm64\. Install qemu"):
        build("STEP 1/3: FROM x", "STEP 2/3: RUN make", said, "exit status 1")


def test_credentials_in_urls_are_hidden() -> None:
    lines = ("STEP 1/3: FROM x", "STEP 2/3: RUN make", "get https://me:hunter22@pypi.example/x")
    assert build(*lines, code=0) == ["get https://***@pypi.example/x"]


def test_options_name_secrets_by_file_and_variable(tmp_path: Path) -> None:
    odd = Path("/keys/a,b")
    secrets = (
        Secret(SecretSource("a", path=Path("/keys/a b")), b"hunter22"),
        Secret(SecretSource("b", path=odd), b"hunter22"),
        Secret(SecretSource("c", variable="TOKEN"), b"hunter22"),
    )
    options = list(secret_options(Job(BELOW, STEPS, secrets=secrets), tmp_path))
    assert options == [
        *("--secret", "id=a,src=/keys/a b"),
        *("--secret", f"id=b,src={tmp_path}/1"),
        *("--secret", "id=c,env=TOKEN"),
    ]
    assert (tmp_path / "1").readlink() == odd


def test_proxies_are_passed_by_name() -> None:
    job = Job(BELOW, STEPS, network=Network(proxies={"http_proxy": "http://me:pw@x:1"}))
    assert list(proxy_options(job)) == ["--build-arg", "http_proxy"]
    script = ("STEP 1/3: FROM x", "STEP 2/3: RUN make")
    assert build(*script, code=0, job=job) == []


def test_a_context_holds_the_files_and_the_text(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello")
    context = tmp_path / "context"
    context.mkdir()
    job = Job(BELOW, STEPS[:1], files={"name": tmp_path / "file"})
    assert write_context(job, "localhost/x", context) == 3
    assert (context / "name").read_text() == "hello"
    assert (
        context / "Containerfile"
    ).read_text() == "FROM localhost/x\nCOPY name /name\nRUN make\n"

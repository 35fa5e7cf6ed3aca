"""Building with an engine's own `build` command: what docker, buildah and podman have in common."""

from __future__ import annotations

import csv
import io
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from cogworks.build.errors import CommandError, StageError
from cogworks.build.stages.containerfile import containerfile
from cogworks.build.stages.engine import PREFIX, Job
from cogworks.build.stages.output import BuildOutput
from cogworks.build.stages.program import Ended, follow
from cogworks.build.stages.secrets import Mask, Secret
from cogworks.engines.redact import redact
from cogworks.oci.errors import quoted
from cogworks.oci.platform import Platform

FILE = "Containerfile"
_FOREIGN_MACHINE = "exec format error"


def new_name() -> str:
    """Return a name for an image that no other build uses."""
    return f"{PREFIX}{secrets.token_hex(6)}"


def above_of(name: str) -> str:
    """Return the name of the image that is built on the one of that name."""
    return f"{name}-done"


def write_context(job: Job, base: str, folder: Path) -> int:
    """Write what an engine builds from into an empty folder; return the number of the first command's step."""
    for name, path in job.files.items():
        shutil.copyfile(path, folder / name)
    text = containerfile(base, job.steps, list(job.files))
    (folder / FILE).write_text(text, encoding="utf-8")
    # FROM is the first step.
    return len(job.files) + 2


def secret_options(job: Job, folder: Path) -> Iterator[str]:
    """Yield the options that name secrets: files and variables, never a value.

    Args:
        folder: where links may be made to files whose names no option can carry.
    """
    for number, secret in enumerate(job.secrets):
        yield from ("--secret", _csv(f"id={secret.id}", _source(secret, folder / f"{number}")))


def _source(secret: Secret, link: Path) -> str:
    path = secret.source.path
    if path is None:
        return f"env={secret.source.variable}"
    # buildah splits at commas, whatever is around them.
    if set(str(path)) & set(',"\\\n'):
        link.symlink_to(path)
        path = link
    return f"src={path}"


def _csv(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def proxy_options(job: Job) -> Iterator[str]:
    """Yield the options that pass proxies on for the time of the build; builders keep these out of the image."""
    for name in job.network.proxies:
        # The value is taken from the environment: it may hold a password, and arguments are public.
        yield from ("--build-arg", name)


def run_build(
    job: Job,
    command: list[str],
    environment: Mapping[str, str],
    offset: int,
    on_line: Callable[[str], None],
) -> None:
    """Run a build command; its lines become those of the steps, its failure a sentence.

    Raises:
        CommandError: a step failed.
        StageError: it failed before the first step.
    """
    output, mask = BuildOutput(offset, len(job.steps)), Mask(job.secrets)

    def read(line: str) -> None:
        printed = output.feed(mask.hide(redact(line)))
        if printed is not None and printed.strip():
            on_line(printed.strip())

    ended = follow(command, {**environment, **job.network.proxies, **job.variables}, read)
    if ended.code:
        raise _failure(job, output, ended, mask)


def _failure(job: Job, output: BuildOutput, ended: Ended, mask: Mask) -> StageError:
    index = output.failed_step
    lines = [mask.hide(redact(line)) for line in output.last_lines]
    if index is None or index >= len(job.steps):
        said = "\n".join(f"  {line}" for line in lines) or f"  exit code {ended.code}"
        return StageError(f"The engine cannot build:\n{said}")
    step = job.steps[index]
    advice = foreign_machine_advice((*lines, *ended.lines), job.below.platform)
    return CommandError(step.where, quoted(mask.hide(step.text)), output.code, lines, advice)


def foreign_machine_advice(lines: Iterable[str], platform: Platform) -> str:
    """Return what to do where programs are for another machine; empty if that is not what failed."""
    if not any(_FOREIGN_MACHINE in line.lower() for line in lines):
        return ""
    return (
        f"This machine cannot run programs for {platform}. "
        "Install qemu-user-static (binfmt), or build on a machine of that kind."
    )

"""An engine without any program: the kernel's own namespaces and overlays, for root on Linux.

Nothing has to be installed, no daemon runs, and nothing stays but the folder that it works in. It isolates less than a container
does, as buildah's `chroot` does: commands use this machine's network, and no profile of seccomp or AppArmor holds them.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.build.errors import CommandError, StageError
from cogworks.build.stages.builder import foreign_machine_advice
from cogworks.build.stages.containerfile import Step, run_instruction
from cogworks.build.stages.engine import Job
from cogworks.build.stages.output import SHOWN_LINES
from cogworks.build.stages.overlay_upper import pack_upper
from cogworks.build.stages.program import follow
from cogworks.build.stages.sandbox_init import MARK, SETUP_FAILED
from cogworks.build.stages.secrets import Mask
from cogworks.engines.redact import redact
from cogworks.oci.errors import quoted

_MODULES = "cogworks.build.stages."
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
_HOST_FILES = ("etc/resolv.conf", "etc/hosts")
"""Of this machine: without them, commands find no other one. They are no part of a layer."""


@dataclass(frozen=True)
class Sandbox:
    """This machine's kernel as an engine."""

    environment: Mapping[str, str] = field(repr=False)
    name: str = "sandbox"

    def run(self, job: Job, folder: Path, on_line: Callable[[str], None]) -> list[Path]:
        """Run a job; return its layer as a plain tar file."""
        for step in job.steps:
            run_instruction(step)  # It says what of a mount no engine takes.
        work = folder / "sandbox"
        work.mkdir()
        try:
            lower = self._unpack(job, work)
            upper = work / "upper"
            _prepare(job, upper)
            (work / "work").mkdir()
            for step in job.steps:
                self._step(job, step, work, lower, on_line)
            _take_back(upper)
            layer = folder / "layer.tar"
            pack_upper(upper, layer)
            return [layer]
        except OSError as error:
            raise StageError(f"The sandbox cannot work in {work}: {error}.") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def remove(self, name: str) -> None:
        """There is nothing but the folder."""

    @property
    def _variables(self) -> dict[str, str]:
        """What our own programs get: a command may read the variables of the process that started it."""
        return {one: self.environment[one] for one in _KEPT_VARIABLES if one in self.environment}

    def _unpack(self, job: Job, work: Path) -> list[str]:
        """Unpack the layers below, each into a folder of its own; return their names, the highest first."""
        names: list[str] = []
        for number, layer in enumerate(job.below.layers):
            name = str(number)
            (work / name).mkdir()
            module = f"{_MODULES}sandbox_root"
            command = [sys.executable, "-I", "-m", module, str(layer.path), str(work / name)]
            ended = follow(command, self._variables, lambda _: None)
            if ended.code:
                said = ended.lines[-1] if ended.lines else f"exit code {ended.code}"
                raise StageError(f"A layer below the commands cannot be unpacked: {said}")
            names.insert(0, name)
        return names

    def _step(
        self, job: Job, step: Step, work: Path, lower: Sequence[str], on_line: Callable[[str], None]
    ) -> None:
        mask, last = Mask(job.secrets), deque[str](maxlen=SHOWN_LINES)
        values = {one.id: base64.b64encode(one.value).decode() for one in job.secrets}
        told = {
            "folder": str(work),
            "lower": list(lower),
            "command": step.command,
            "environment": {**job.below.environment, **job.network.proxies},
            "secrets": [[one.target, values[one.id]] for one in step.mounts],
        }

        def read(line: str) -> None:
            shown = mask.hide(redact(line))
            last.append(shown)
            if shown.strip():
                on_line(shown.strip())

        command = [sys.executable, "-I", "-m", f"{_MODULES}sandbox_init"]
        ended = follow(command, self._variables, read, data=[json.dumps(told).encode()])
        if ended.code == 0:
            return
        advice = foreign_machine_advice(last, job.below.platform)
        if ended.code == SETUP_FAILED and last and last[-1].startswith(MARK) and not advice:
            said = last[-1].removeprefix(MARK)
            raise StageError(f"{step.where}: the sandbox cannot be made: {said}.")
        shown = quoted(mask.hide(step.text))
        raise CommandError(step.where, shown, ended.code, tuple(last), advice)


def why_no_sandbox(environment: Mapping[str, str], timeout_s: float) -> str:
    """Return why this machine has no sandbox, as half a sentence; empty if it has one."""
    if os.geteuid() != 0:
        return "needs root"
    command = [sys.executable, "-I", "-m", f"{_MODULES}sandbox_init", "--probe"]
    done = subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    said = done.stderr.strip().splitlines()
    return (
        f"cannot be used: {said[-1].removeprefix(MARK) if said else done.returncode}"
        if done.returncode
        else ""
    )


def _prepare(job: Job, upper: Path) -> None:
    """Put files where commands find them: those of the job, and those of this machine."""
    upper.mkdir()
    for name, path in job.files.items():
        shutil.copyfile(path, upper / name)
    (upper / "etc").mkdir()
    for name in _HOST_FILES:
        if Path("/", name).is_file():
            shutil.copyfile(f"/{name}", upper / name)


def _take_back(upper: Path) -> None:
    """Remove what was put there."""
    # A command may have put a link in the place of the folder; it would lead to that of this machine.
    if not (upper / "etc").is_symlink():
        for name in _HOST_FILES:
            (upper / name).unlink(missing_ok=True)

"""Resolve a project's requirements for the target, by uv, and keep the answer while its inputs stay what they are.

Beside cog.yaml the answer is `pylock.cog.toml`, for whoever wants it in the repository: its input hash counts what the
project says, and nothing of the machine. Without that, it is kept in the cache, where the machine's indexes count too, and shared
with other machines where these have an index of layers.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cogworks.build.cache import Cache
from cogworks.build.errors import LockError
from cogworks.build.index_credentials import without_passwords
from cogworks.build.lock import Lock, LockedSource, LockedWheel, pinned_hashes, read_lock
from cogworks.build.lock_sharing import lock_sharing, time_line
from cogworks.build.target import Target
from cogworks.build.torch_index import TorchIndex, find_torch_index
from cogworks.engines.git_credentials import with_git_access
from cogworks.engines.inputs import Inputs, collect_inputs, hash_all
from cogworks.engines.lease import note_use
from cogworks.engines.progress import Progress
from cogworks.engines.resolution import index_switches, leave_out_ours, write_source
from cogworks.engines.uv import Uv
from cogworks.project.model import Project
from cogworks.project.requirements import OWN_PACKAGES
from cogworks.project.torch_builds import VARIABLE

LOCK_NAME = "pylock.cog.toml"
FORMAT = 1
"""Raised when locks made by older versions must not be reused."""
_PLACEHOLDER = "<project>"
_REFUSED = re.compile(r"\b401 Unauthorized|\b403 Forbidden|could not read (?:Username|Password)")
_ACCESS = (
    "\nSomething wants credentials, or other ones. They may be in UV_INDEX_<NAME>_USERNAME and _PASSWORD, in uv's or pip's "
    "settings, in a netrc file, or as ${NAME} in the requirements."
)
"""What to do where an index, or the host of a repository, refuses to answer."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a project's requirements come to; ``is_new`` if uv was asked just now.

    Attributes:
        sources: those of packages that have no wheel for the target.
    """

    wheels: tuple[LockedWheel, ...]
    notices: tuple[str, ...]
    is_new: bool
    path: Path | None
    torch_index: TorchIndex | None = None
    sources: tuple[LockedSource, ...] = ()


def resolve(
    project: Project,
    target: Target,
    cache: Cache,
    progress: Progress,
    *,
    python: Path,
    environment: Mapping[str, str] | None = None,
    keep_beside: bool = False,
) -> Resolution:
    """Return the wheels of a project; uv is asked only where nothing is known.

    Args:
        python: any Python that uv may use to read the metadata of source packages.
        environment: the variables that uv runs under; None stands for those of this process.
        keep_beside: write `pylock.cog.toml`. One that is there and current is used in any case.

    Raises:
        RequirementsError: the project's requirements have problems.
        LockError: they cannot be resolved, or a package has neither a wheel for the target nor a source.
    """
    inputs = collect_inputs(project, target.python_version, environment)
    notices = inputs.requirements.notices
    if inputs.pyproject is None and not inputs.requirements.lines:
        return Resolution((), notices, False, None)
    pinned = pinned_hashes(inputs.requirements.lines)
    beside = project.directory / LOCK_NAME
    torch_index = find_torch_index(project, inputs, target, environment)
    project_key = _project_key(project, inputs, target, torch_index.folder)
    machine_key = hash_all(
        [inputs.key, str(FORMAT), str(target), str(torch_index.folder), torch_index.shown]
    )
    kept = cache.root / "locks-of-projects" / machine_key / "pylock.toml"
    sharing = lock_sharing(cache, f"{machine_key} {project_key}", environment)
    path, is_new = beside, False
    # Its folder has to stay while uv is asked.
    cache.lease.claim(kept.parent)
    with cache.lock(f"lock-{machine_key}"):
        text = _read_current(beside, project_key)
        if text is None and not keep_beside:
            path, text = kept, _read_current(kept, project_key)
            note_use(kept)
            if text is None:
                # What is taken from there need not be put there.
                text = _take(sharing.find(), project_key, kept, target, cache)
            else:
                sharing.offer(text)
        if text is None:
            if path == beside and not os.access(project.directory, os.W_OK):
                raise LockError(
                    f"{beside} cannot be written: its folder is read-only for this user."
                )
            progress.stage(f"Resolving the requirements for {target}")
            asked, variables = with_git_access(inputs, environment)
            resolver = _Resolver(
                project, asked, target, Uv(variables), progress, python, torch_index
            )
            text, is_new = resolver.write(path, project_key), True
            if path == kept:
                sharing.offer(text)
    found = read_lock(text, path.parent, target, pinned)
    notices = (*notices, *_needless(project, found.wheels))
    return Resolution(found.wheels, notices, is_new, path, torch_index, found.sources)


def _needless(project: Project, wheels: Sequence[LockedWheel]) -> Iterator[str]:
    """Yield what to say of CUDA in an image that has no use for it: a lock may bring it, or a setting."""
    names = [one.name for one in wheels if one.name.startswith("nvidia-")]
    if names and not project.build.gpu:
        more = f" and {len(names) - 1} more packages bring" if len(names) > 1 else " brings"
        yield (
            f"{names[0]}{more} CUDA into an image without a GPU. Set build.gpu if the model uses one; if not, "
            f"look where PyTorch comes from: uv.lock, {VARIABLE}, or another setting may say so."
        )


def _project_key(project: Project, inputs: Inputs, target: Target, torch_folder: str | None) -> str:
    """Return the hash of what the project itself asks for; paths count relative to it."""
    requirements = inputs.requirements
    lines = (*requirements.lines, *requirements.options, *requirements.switches)
    folders = {str(project.directory), str(project.directory.resolve())}
    texts = list(lines)
    for folder in sorted(folders, key=len, reverse=True):
        texts = [line.replace(folder, _PLACEHOLDER) for line in texts]
    files = [inputs.pyproject, inputs.lock, project.directory / "uv.toml"]
    contents = [one.read_text(encoding="utf-8") for one in files if one and one.is_file()]
    torch = f"torch {torch_folder}"
    return hash_all([str(FORMAT), str(target), torch, inputs.artifacts_digest, *texts, *contents])


def _read_current(path: Path, key: str) -> str | None:
    """Return the text of a lock that was made for these inputs."""
    with suppress(OSError, UnicodeDecodeError):
        text = path.read_text(encoding="utf-8")
        return text if _is_current(text, key) else None
    return None


def _is_current(text: str, key: str) -> bool:
    with suppress(ValueError, KeyError, TypeError):
        tool = cast("dict[str, dict[str, object]]", tomllib.loads(text)["tool"])
        return tool["cogworks"]["input-hash"] == key
    return False


def _take(text: str, key: str, path: Path, target: Target, cache: Cache) -> str | None:
    """Keep a lock that another machine has made, and return it; None if it is none for these inputs and this machine."""
    with suppress(LockError):
        if not _is_current(text, key) or not _has_files(read_lock(text, path.parent, target)):
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        with cache.temporary() as temporary:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        return text
    return None


def _has_files(lock: Lock) -> bool:
    """Tell whether what a lock says of files of this machine holds here."""
    files = [one.path for one in lock.wheels if one.path is not None]
    return all(one.exists() for one in files) and not any(one.folder for one in lock.sources)


@dataclass(frozen=True, slots=True)
class _Resolver:
    project: Project
    inputs: Inputs
    target: Target
    uv: Uv
    progress: Progress
    python: Path
    torch_index: TorchIndex

    def write(self, path: Path, key: str) -> str:
        """Ask uv, write its answer to a path at once or not at all, and return it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # uv goes by the name, and writes paths relative to the folder: it has to be this one.
        temporary = path.with_name(f"pylock.new-{secrets.token_hex(4)}.toml")
        try:
            with tempfile.TemporaryDirectory(prefix="cog-lock-") as workspace:
                self._run(Path(workspace), temporary)
            # A package that is named by its URL is written down with all that is in it.
            text = without_passwords(temporary.read_text(encoding="utf-8"))
            text = f'{text.rstrip()}\n\n[tool.cogworks]\ninput-hash = "{key}"\n'
            # Not in a file of the repository: there it would be a change that says nothing.
            text += "" if path.name == LOCK_NAME else time_line()
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        except OSError as error:
            where = error.filename or path
            raise LockError(f"{where} cannot be written: {error.strerror or error}.") from error
        finally:
            temporary.unlink(missing_ok=True)
        return text

    def _run(self, workspace: Path, output: Path) -> None:
        """Ask uv; ask again where it found PyTorch among what other packages need: that comes from its own index."""
        names = self.torch_index.direct
        self._ask(workspace, output, names)
        while more := self.torch_index.missing(output.read_text(encoding="utf-8"), names):
            names |= more
            output.unlink()  # Otherwise uv would prefer the versions that are in it.
            self._ask(workspace, output, names)

    def _ask(self, workspace: Path, output: Path, from_torch_index: frozenset[str]) -> None:
        arguments = self._arguments(workspace, output)
        if self.torch_index.url is not None and from_torch_index:
            arguments.append(str(self.torch_index.write_pins(from_torch_index, workspace)))
        outcome = self.uv.run(arguments, self.project.directory, self.progress.line)
        if outcome.code != 0:
            source = self.project.build.requirements_file or self.project.config_path
            reason = outcome.explanation.replace(str(workspace / "requirements.in"), source.name)
            raise LockError(
                f"the packages of {source.name} cannot be resolved for {self.target}:\n{reason}"
                f"{self.torch_index.explain(reason) if from_torch_index else ''}"
                f"{_ACCESS if _REFUSED.search(reason) else ''}"
            )

    def _arguments(self, workspace: Path, output: Path) -> list[str]:
        inputs, target = self.inputs, self.target
        common = ["--format=pylock.toml", "--output-file", str(output), "--no-header"]
        common += ["--python", str(self.python), "--no-annotate"]
        if inputs.pyproject is not None and inputs.lock is not None:
            prune = (f"--prune={name}" for name in sorted(OWN_PACKAGES))
            export = ["export", "--frozen", "--no-emit-project", "--no-default-groups", *prune]
            return [*export, "--project", str(inputs.pyproject.parent), *common]
        platform = ["--python-version", target.python_version]
        platform += ["--python-platform", target.uv_platform]
        compile_ = ["pip", "compile", *leave_out_ours(workspace), *common, *platform]
        if inputs.pyproject is not None:
            return [*compile_, str(inputs.pyproject)]
        source = write_source(inputs.requirements, inputs.requirements.lines, workspace)
        return [*compile_, *index_switches(inputs), str(source)]

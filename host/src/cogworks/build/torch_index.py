"""PyTorch's own index of wheels, from which an image gets its build of PyTorch: small for CPUs, the right one for a CUDA.

uv is told by a second source, a `pyproject.toml` that pins the packages to the index. Its own `--torch-backend` does the
same, but knows no mirror.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from cogworks.build.target import Target
from cogworks.engines.inputs import Inputs
from cogworks.engines.pip_settings import read_pip_settings, uv_variables
from cogworks.engines.redact import redact
from cogworks.engines.requirement_lines import project_packages
from cogworks.engines.torch_settings import is_torch_settled
from cogworks.project.cuda import select_cuda
from cogworks.project.model import Project
from cogworks.project.named_packages import NamedPackage
from cogworks.project.torch_builds import FAMILY, OFF, VARIABLE, choose_folder, index_url


@dataclass(frozen=True, slots=True)
class TorchIndex:
    """Where PyTorch comes from.

    Attributes:
        folder: `cpu`, `cu126`; what the project asks for, wherever that is.
        url: the index, with the credentials that its user gave; None takes the packages from the usual indexes.
        direct: the packages of the family that the project names itself.
        excluded: those that come from elsewhere: a URL, a file, or by hashes.
    """

    folder: str | None
    url: str | None = field(repr=False)
    direct: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    @property
    def shown(self) -> str:
        """The URL without credentials."""
        return redact(self.url or "")

    def missing(self, lock: str, names: frozenset[str]) -> frozenset[str]:
        """Return the packages of a lock that should have come from the index, beside the named ones."""
        if self.url is None:
            return frozenset()
        return _locked(lock) & (frozenset(FAMILY) - names - self.excluded)

    def write_pins(self, names: Iterable[str], workspace: Path) -> Path:
        """Write a source for uv that requires packages from the index, in whatever version fits."""
        listed = sorted(names)
        # JSON's strings are TOML's.
        sources = "".join(f'{name} = {{ index = "pytorch" }}\n' for name in listed)
        text = (
            f'[project]\nname = "pytorch-index"\nversion = "0"\ndependencies = {json.dumps(listed)}\n'
            f'[[tool.uv.index]]\nname = "pytorch"\nurl = {json.dumps(self.url)}\nexplicit = true\n'
            f"[tool.uv.sources]\n{sources}"
        )
        path = workspace / "pytorch" / "pyproject.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def explain(self, reason: str) -> str:
        """Return advice for a failure that may be the index's; nothing for others."""
        if self.url is None or not any(word in reason for word in (self.shown, "torch")):
            return ""
        return (
            f"\nPyTorch is taken from {self.shown}. Where that cannot be reached, set {VARIABLE} to the URL of a "
            f"mirror, below which there is {self.folder}/; or set {VARIABLE}={OFF} to take PyTorch from the "
            "indexes of uv and pip, whatever build they have."
        )


def find_torch_index(
    project: Project, inputs: Inputs, target: Target, environment: Mapping[str, str] | None
) -> TorchIndex:
    """Return where a project's PyTorch comes from.

    Args:
        environment: the variables that uv runs under; `COG_PYTORCH_INDEX` is among them.
    """
    packages = project_packages(project, target.machine)
    build = project.build
    folder = choose_folder(packages, select_cuda(project, packages), build.cuda)
    variables = dict(environment or {})
    variables |= uv_variables(read_pip_settings(variables), variables)
    if folder is None or is_torch_settled(project, inputs, variables):
        return TorchIndex(folder, None)
    url = index_url(variables.get(VARIABLE, ""), folder)
    family = {name: packages[name] for name in FAMILY if name in packages}
    excluded = frozenset(name for name, one in family.items() if _is_elsewhere(one))
    return TorchIndex(folder, url, frozenset(family) - excluded, excluded)


def _is_elsewhere(package: NamedPackage) -> bool:
    return package.is_located or package.has_hashes


def _locked(lock: str) -> frozenset[str]:
    packages = cast("list[dict[str, Any]]", tomllib.loads(lock).get("packages", []))
    return frozenset(str(one.get("name")) for one in packages)

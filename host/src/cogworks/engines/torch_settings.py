"""Whether somebody says already where PyTorch comes from: then nothing of ours changes that."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress

from cogworks.engines.inputs import Inputs
from cogworks.project.model import Project
from cogworks.project.torch_builds import FAMILY, names_torch_index

_CHOICES = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
)
_OFFLINE = ("UV_OFFLINE", "UV_NO_INDEX")
_FALSE = frozenset({"", "0", "false", "no", "off"})


def is_torch_settled(project: Project, inputs: Inputs, variables: Mapping[str, str]) -> bool:
    """Tell whether the author or the machine says where PyTorch comes from, or that nothing is fetched.

    Args:
        variables: those that uv runs under, with what pip's settings come to.
    """
    if inputs.lock is not None or variables.get("UV_TORCH_BACKEND"):
        return True
    options = inputs.requirements.options
    is_offline = any(variables.get(name, "").strip().lower() not in _FALSE for name in _OFFLINE)
    if is_offline or "--no-index" in options:
        return True
    named = (variables.get(name, "") for name in _CHOICES)
    return names_torch_index([*options, *named, *_tool_settings(project)])


def _tool_settings(project: Project) -> Iterator[str]:
    """Yield what uv reads by itself and what may say where PyTorch comes from."""
    with suppress(OSError, ValueError):
        yield (project.directory / "uv.toml").read_text(encoding="utf-8")
    with suppress(OSError, ValueError, KeyError, TypeError):
        text = (project.directory / "pyproject.toml").read_text(encoding="utf-8")
        table = tomllib.loads(text)["tool"]["uv"]
        yield json.dumps(table.get("index", "")) + json.dumps(table.get("pip", ""))
        if set(table.get("sources", {})) & set(FAMILY):
            yield "torch-backend"

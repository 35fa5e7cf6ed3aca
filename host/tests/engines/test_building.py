"""Environments from the package registry itself."""

from __future__ import annotations

import os
import subprocess

import pytest

from cogworks.engines.errors import ResolutionError

from .conftest import Workbench

pytestmark = [pytest.mark.slow, pytest.mark.network]


@pytest.fixture
def online() -> dict[str, str]:
    """The variables of this process: its index, its certificates, its cache of packages."""
    return dict(os.environ)


def test_an_old_pydantic_and_a_pin_of_upstream_live_side_by_side(
    bench: Workbench, online: dict[str, str]
) -> None:
    project = bench.project("cog==0.9.0\npydantic==1.10.22\nsix\n")
    environment = bench.ensure(project, variables=online)
    code = "import pydantic, six; print(pydantic.VERSION)"
    command = [str(environment.python), "-I", "-c", code]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert answer.stdout == "1.10.22\n"
    missing = subprocess.run([*command[:2], "-c", "import cog"], capture_output=True, text=True)
    assert "No module named 'cog'" in missing.stderr


def test_a_requirement_that_the_registry_does_not_have_is_named(
    bench: Workbench, online: dict[str, str]
) -> None:
    with pytest.raises(ResolutionError, match=r"six==0\.0\.99"):
        bench.ensure(bench.project("six==0.0.99\n"), variables=online)

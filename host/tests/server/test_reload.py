"""What a server with ``--reload`` restarts for."""

from __future__ import annotations

import pytest
from watchfiles import Change

from cogworks.server.reload import SourceFilter


@pytest.mark.parametrize(
    "path", ["/p/run.py", "/p/lib/layers.py", "/p/cog.yaml", "/p/pyproject.toml"]
)
def test_source_and_configuration_count(path: str) -> None:
    assert SourceFilter()(Change.modified, path)


@pytest.mark.parametrize(
    "path",
    ["/p/output.png", "/p/output.json", "/p/__pycache__/run.py", "/p/.git/x.py", "/p/.venv/x.py"],
)
def test_outputs_caches_and_environments_do_not(path: str) -> None:
    assert not SourceFilter()(Change.modified, path)

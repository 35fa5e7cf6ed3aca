from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cogworks.cli.console import Console
from cogworks.cli.errors import OptionError
from cogworks.cli.prepare import (
    Options,
    describe_model,
    find_cache_dir,
    open_project,
    server_settings,
)
from cogworks.cli.state import State
from cogworks.project import Project

MakeProject = Callable[..., Project]


@pytest.fixture
def project_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeProject:
    """Return a function that writes a cog.yaml in the current folder and opens it."""
    monkeypatch.chdir(tmp_path)

    def make(text: str) -> Project:
        Path("cog.yaml").write_text(text)
        return open_project(State({}), Options())

    return make


def test_the_cache_is_where_the_variable_says() -> None:
    assert find_cache_dir({"COG_CACHE_DIR": "/x/y"}) == Path("/x/y")
    assert find_cache_dir({"COG_CACHE_DIR": "~/y"}) == Path.home() / "y"
    assert find_cache_dir({"COG_CACHE_DIR": ""}).name == "cogworks"


def test_warnings_of_the_project_are_told(
    project_with: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    project_with(
        'predict: "run.py:Runner"\nbuild:\n  python_version: "3.11"\n  python_packages: [a]\n'
    )
    assert capsys.readouterr().err.startswith("warning: cog.yaml:")


def test_a_document_can_be_given(project_with: MakeProject) -> None:
    project = project_with('run: "run.py:Runner"\n')
    Path("schema.json").write_text(json.dumps({"openapi": "3.0.2"}))
    state = State({"COG_OPENAPI_SCHEMA": "schema.json"})
    assert describe_model(project, state) == {"openapi": "3.0.2"}


@pytest.mark.parametrize("content", ["{", "[]", "\xff", None])
def test_a_document_that_is_none_is_told(content: str | None, project_with: MakeProject) -> None:
    project = project_with('run: "run.py:Runner"\n')
    if content is not None:
        Path("schema.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(OptionError, match=r"^COG_OPENAPI_SCHEMA: .*schema\.json"):
        describe_model(project, State({"COG_OPENAPI_SCHEMA": "schema.json"}))


def test_a_project_without_a_model_is_told_what_to_write(project_with: MakeProject) -> None:
    project = project_with('train: "train.py:train"\n')
    with pytest.raises(OptionError, match="nothing to run"):
        describe_model(project, State({}))


@pytest.mark.parametrize(("environ", "expected"), [({}, 4), ({"COG_MAX_CONCURRENCY": "2"}, 2)])
def test_variables_win_over_the_project(
    environ: dict[str, str], expected: int, project_with: MakeProject
) -> None:
    project = project_with('run: "run.py:Runner"\nconcurrency:\n  max: 4\n')
    settings = server_settings(project, State(environ), 7.5)
    assert settings.max_concurrency == expected
    assert settings.setup_timeout_s == 7.5


def test_debug_reaches_the_server(project_with: MakeProject) -> None:
    project = project_with('run: "run.py:Runner"\n')
    state: Any = State({}, Console(debug=True))
    assert server_settings(project, state, 1).log_level == "debug"

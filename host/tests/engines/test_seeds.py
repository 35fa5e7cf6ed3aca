"""Which of the wheels that a Python carries an environment still needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.engines.seeds import missing_seeds


@pytest.fixture
def library(tmp_path: Path) -> Path:
    bundled = tmp_path / "lib" / "ensurepip" / "_bundled"
    bundled.mkdir(parents=True)
    for name in ("pip-22.0-py3", "pip-23.0-py3", "setuptools-65.5.0-py3", "other-1.0-py3"):
        (bundled / f"{name}-none-any.whl").touch()
    return tmp_path / "lib"


def names(environment: Path, library: Path) -> list[str]:
    return [wheel.name.partition("-py3")[0] for wheel in missing_seeds(environment, library)]


def test_the_newest_of_each_is_added(tmp_path: Path, library: Path) -> None:
    assert names(tmp_path / "env", library) == ["pip-23.0", "setuptools-65.5.0"]


def test_what_the_project_has_chosen_is_left_alone(tmp_path: Path, library: Path) -> None:
    info = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "setuptools-80.dist-info"
    info.mkdir(parents=True)
    assert names(tmp_path / "env", library) == ["pip-23.0"]


def test_a_python_without_wheels_adds_nothing(tmp_path: Path) -> None:
    assert missing_seeds(tmp_path, tmp_path) == []

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.cli.main import main

Capture = pytest.CaptureFixture[str]


def cog(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_unknown_engine_is_a_usage_error(capsys: Capture) -> None:
    assert cog("run", "--engine", "lxc") == 2


@pytest.mark.parametrize("variable", ["", "local", "docker"])
def test_an_image_needs_an_engine_whatever_runs_projects(
    variable: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("COG_ENGINE", variable)
    assert cog("run", "registry.example/model") == 1
    others = "" if variable == "docker" else "; podman is not installed"
    assert f"error: docker is not installed{others}. Install or start" in capsys.readouterr().err


def test_an_image_and_the_local_engine_exclude_each_other(capsys: Capture) -> None:
    assert cog("run", "registry.example/model", "--engine", "local") == 2
    assert "cannot run with --engine local" in capsys.readouterr().err


def test_a_wrong_word_for_gpus_is_a_usage_error(capsys: Capture) -> None:
    assert cog("run", "registry.example/model", "--gpus", "some") == 2
    assert 'error: --gpus: invalid GPU specification "some"' in capsys.readouterr().err


def test_a_dockerfile_is_refused_with_what_to_do(capsys: Capture) -> None:
    assert cog("run", "registry.example/model", "--dockerfile", "My.dockerfile") == 1
    assert "Run `docker build -f My.dockerfile -t NAME .`" in capsys.readouterr().err


def test_an_input_without_its_option_is_recognized(capsys: Capture) -> None:
    assert cog("run", "image=@photo.jpg") == 2
    err = capsys.readouterr().err
    assert "error: Invalid image name 'image=@photo.jpg'. Did you forget `-i`?" in err


def test_json_and_pairs_exclude_each_other(capsys: Capture) -> None:
    assert cog("run", "-i", "a=1", "--json", "{}") == 2
    assert "--json and -i cannot be used together" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_a_setup_timeout_must_be_seconds(value: str) -> None:
    assert cog("run", "--setup-timeout", value) == 2


def test_the_predecessors_name_warns(capsys: Capture) -> None:
    assert cog("predict") == 1
    assert capsys.readouterr().err.startswith(
        'warning: "cog predict" is deprecated, use "cog run"\n'
    )


def test_a_token_that_is_not_there_is_told(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPLICATE_API_TOKEN", raising=False)
    assert cog("run", "--use-replicate-token") == 1
    assert "needs the variable REPLICATE_API_TOKEN" in capsys.readouterr().err

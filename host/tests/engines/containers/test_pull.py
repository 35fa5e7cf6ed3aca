from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.engines.containers.engine import DOCKER, PODMAN, ContainerEngine
from cogworks.engines.containers.pull import PullError, pull_image

from .programs import write_programs

DOCKERS = """v1: Pulling from me/model
aaa: Pulling fs layer
bbb: Already exists
aaa: Download complete
aaa: Pull complete
Digest: sha256:123
Status: Downloaded newer image for r.example/me/model:v1
"""


class Told:
    """What a display was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def stage(self, text: str) -> None:
        self.lines.append(text)

    def line(self, text: str) -> None:
        self.lines.append(text)

    def done(self, text: str) -> None:
        self.lines.append(text)


def engine(folder: Path, script: str, name: str = DOCKER) -> ContainerEngine:
    environment = write_programs(folder / "bin", **{name: script})
    environment["PATH"] += ":/bin:/usr/bin"
    return ContainerEngine(name, str(folder / "bin" / name), environment, server=name)


def test_a_pull_is_told_in_layers(tmp_path: Path) -> None:
    (tmp_path / "said").write_text(DOCKERS)
    told = Told()
    pull_image(engine(tmp_path, f"cat {tmp_path / 'said'}"), "r.example/me/model:v1", told)
    assert told.lines == [
        "Pulling r.example/me/model:v1",
        "1 of 2 layers",
        "2 of 2 layers",
        "Pulled r.example/me/model:v1",
    ]


def test_docker_draws_on_a_terminal_by_itself(tmp_path: Path) -> None:
    told = Told()
    with (tmp_path / "terminal").open("wb") as terminal:
        pull_image(engine(tmp_path, "echo bars"), "m", told, terminal.fileno())
    assert (tmp_path / "terminal").read_text() == "bars\n"
    assert told.lines == []


def test_an_image_for_the_formats_platform_is_taken_where_there_is_none_for_this_one(
    tmp_path: Path,
) -> None:
    script = (
        f'echo "$*" >> {tmp_path / "calls"}\n'
        'case "$*" in *platform*) ;; '
        "*) echo 'no matching manifest for linux/arm64/v8 in the manifest list entries' >&2; exit 1;; esac"
    )
    pull_image(engine(tmp_path, script), "m", Told())
    assert (tmp_path / "calls").read_text() == "pull m\npull --platform linux/amd64 m\n"


@pytest.mark.parametrize("name", [DOCKER, PODMAN])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Error response from daemon: manifest for m:1 not found: manifest unknown",
            "cannot pull r.example/m:1: manifest for m:1 not found: manifest unknown. "
            "Check its name and its tag.",
        ),
        (
            "Error response from daemon: pull access denied for m, repository does not exist",
            "pull access denied for m, repository does not exist. "
            "It may not exist, or ask you to `cog login r.example`.",
        ),
        ("Error: no space left on device", "cannot pull r.example/m:1: no space left on device."),
    ],
)
def test_a_failure_says_what_to_do(tmp_path: Path, name: str, said: str, told: str) -> None:
    failing = engine(tmp_path, f"echo '{said}' >&2; exit 1", name)
    with pytest.raises(PullError) as raised:
        pull_image(failing, "r.example/m:1", Told())
    assert str(raised.value).startswith(f"{name} cannot pull")
    assert str(raised.value).endswith(told)


def test_on_a_terminal_errors_are_still_ours_to_tell(tmp_path: Path) -> None:
    failing = engine(tmp_path, "echo 'Error response from daemon: toomanyrequests' >&2; exit 1")
    with (
        (tmp_path / "terminal").open("wb") as terminal,
        pytest.raises(PullError, match="toomanyrequests"),
    ):
        pull_image(failing, "m", Told(), terminal.fileno())

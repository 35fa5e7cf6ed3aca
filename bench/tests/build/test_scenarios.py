"""What builders are asked for, in which order."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench.build.scenarios import (
    ADDED,
    COLD,
    EDITED,
    FRESH,
    TORCH_ADDED,
    TORCH_COLD,
    UNCHANGED,
    WEIGHTS,
    measure,
    measure_fresh,
    measure_torch,
)
from bench.build.site import ONE_MORE, TORCH, Site

SITE = Site("127.0.0.1:1", "127.0.0.1:1/python", Path("wheels"))


class Recorder:
    """A builder that only notes what it finds."""

    name = "recorder"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.codes: list[str] = []

    def prepare(self, site: Site) -> None:
        self.said.append("prepare")

    def forget_layers(self) -> None:
        self.said.append("forget")

    @contextmanager
    def elsewhere(self) -> Generator[None]:
        self.said.append("leave")
        yield
        self.said.append("return")

    def build_and_push(self, project: Path, site: Site, *, is_shared: bool = False) -> None:
        has_one_more = ONE_MORE in (project / "requirements.txt").read_text()
        weights = project / "weights.bin"
        size = weights.stat().st_size if weights.exists() else 0
        self.said.append(f"{'shared ' * is_shared}build {has_one_more} {size >> 20}")
        self.codes.append((project / "run.py").read_text())


def test_a_builder_goes_from_nothing_to_edits_and_weights(tmp_path: Path) -> None:
    builder = Recorder()
    found = [one for one, _ in measure(builder, SITE, tmp_path / "project", 2 << 20)]
    assert found == [COLD, ADDED, *[EDITED] * 5, UNCHANGED, WEIGHTS]
    assert builder.said[:4] == ["prepare", "forget", "build False 0", "build True 0"]
    assert builder.said[-2:] == ["build True 0", "build True 2"]
    assert len(set(builder.codes)) == 6


def test_a_fresh_machine_has_another_ones_layers_and_another_code(tmp_path: Path) -> None:
    builder = Recorder()
    found = [one for one, _ in measure_fresh(builder, SITE, tmp_path / "project")]
    assert found == [FRESH]
    build = "shared build False 0"
    assert builder.said == [build, "leave", build, "return"]
    assert len(set(builder.codes)) == 2


def test_torch_is_built_from_nothing_and_with_one_requirement_more(tmp_path: Path) -> None:
    builder = Recorder()
    found = [one for one, _ in measure_torch(builder, SITE, tmp_path)]
    assert found == [TORCH_COLD, TORCH_ADDED]
    assert builder.said == ["prepare", "forget", "build False 0", "build True 0"]
    assert (tmp_path / "requirements.txt").read_text().split() == [*TORCH, ONE_MORE]

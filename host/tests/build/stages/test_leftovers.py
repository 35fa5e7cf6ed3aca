"""What builds that were killed have left goes with the next one; what others are using stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.build.cache import Cache
from cogworks.build.stages.engine import Job
from cogworks.build.stages.leftovers import note_engine, remove_leftovers
from cogworks.build.stages.stage_layer import workspace


@dataclass
class Recorder:
    """An engine that runs nothing and remembers what it was to remove."""

    name: str
    removed: list[str] = field(default_factory=list[str])

    def run(self, job: Job, folder: Path, on_line: Callable[[str], None]) -> Sequence[Path]:
        """Run nothing."""
        return ()

    def remove(self, name: str) -> None:
        """Remember a name."""
        self.removed.append(name)


def test_folders_and_images_of_killed_builds_go(tmp_path: Path) -> None:
    cache, engine = Cache(tmp_path), Recorder("buildah")
    left = tmp_path / "oci" / "tmp" / "17-0123456789ab-ba9876543210"
    left.mkdir(parents=True)
    image = note_engine(left, engine)
    remove_leftovers(cache, Recorder("docker"))
    assert left.exists()
    remove_leftovers(cache, engine)
    assert engine.removed == [image]
    assert image.startswith("localhost/")
    assert not left.exists()


def test_what_another_build_is_using_stays(tmp_path: Path) -> None:
    engine = Recorder("buildah")
    with workspace(Cache(tmp_path)) as folder:
        note_engine(folder, engine)
        remove_leftovers(Cache(tmp_path), engine)
        assert engine.removed == []
        assert folder.exists()

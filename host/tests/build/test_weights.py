from __future__ import annotations

import pytest

from cogworks.build.weights import weight_rule
from cogworks.project.path_patterns import PatternError

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("path", "size_mib", "is_separate", "is_weight"),
    [
        ("model.bin", 63.9, False, False),
        ("model.bin", 64, False, True),
        ("video.mp4", 64, False, True),
        ("model.bin", 9.9, True, False),
        ("model.bin", 10, True, True),
        ("deep/down/model", 10, True, True),
        ("no-extension.d/weights", 10, True, True),
        ("run.py", 10, True, False),
        ("PHOTO.JPG", 63, True, False),
        ("a.whl", 10, True, False),
        ("train.log", 10, True, False),
        ("notes.ipynb", 10, True, False),
        ("song.flac", 10, True, False),
        ("film.webm", 10, True, False),
        ("film.webm", 64, True, True),
    ],
)
def test_size_and_extension_tell_weights(
    path: str, size_mib: float, is_separate: bool, is_weight: bool
) -> None:
    rule = weight_rule(is_separate=is_separate)
    assert rule.takes(path, int(size_mib * MIB)) is is_weight


def test_a_pattern_counts_whatever_the_size_and_the_extension() -> None:
    rule = weight_rule(["data", "!data/*.txt"])
    assert rule.takes("data/a.py", 1)
    assert not rule.takes("data/a.txt", 1)
    assert rule.takes("data/a.txt", 64 * MIB)


def test_a_pattern_that_matches_nothing_is_named() -> None:
    rule = weight_rule(["**/*.bin", "modles", "!x"])
    assert rule.idle_patterns(["a/b.bin", "models/c"]) == ("modles",)
    assert rule.idle_patterns([]) == ("**/*.bin", "modles")


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(PatternError):
        weight_rule(["a["])

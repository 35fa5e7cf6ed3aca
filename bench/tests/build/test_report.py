"""The table of builders."""

from __future__ import annotations

from bench.build.report import find_median, render_section, render_table

TIMES = {
    "cogworks": {"cold_s": [2.0, 1.0, 3.0], "edited_s": [0.5]},
    "docker BuildKit": {"cold_s": [14.0, 16.0], "edited_s": [0.25]},
    "buildah": {"cold_s": [20.0]},
}


def test_others_are_multiples_of_ours() -> None:
    lines = render_table(TIMES).splitlines()
    assert lines[0] == "| build and push | cogworks | docker BuildKit | buildah |"
    assert lines[2].endswith("| 2.00 s | 15.00 s (7.5x) | 20.00 s (10.0x) |")
    assert lines[3].endswith("| 0.50 s | 0.25 s (0.5x) | - |")
    assert len(lines) == 4


def test_what_was_not_measured_has_no_median() -> None:
    assert find_median(TIMES, "buildah", "edited_s") is None
    assert find_median(TIMES, "nobody", "cold_s") is None


def test_a_builder_that_failed_is_named_below_the_table() -> None:
    about = {
        "rounds": 3,
        "date": "2026-01-31",
        "command": "python -m bench.build",
        "versions": ["buildah version 1.28"],
        "machine": {
            "processor": "a processor",
            "cores": 2,
            "memory_gib": 24,
            "kernel": "6.1",
            "python": "3.11.7",
        },
    }
    section = render_section(about, TIMES, {"buildah": "no space left"})
    assert "\nbuildah: no space left\n" in section
    assert "buildah version 1.28." in section

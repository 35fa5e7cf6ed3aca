"""Tests of what the comparisons share."""

from pathlib import Path

import pytest

from bench.contest.contest import Contest
from bench.contest.options import parse_options
from bench.contest.run import DOCS, begin_of, render_section, write_project
from bench.overhead.report import Row
from bench.overload.__main__ import CONTEST as OVERLOAD
from bench.payload.__main__ import CONTEST as PAYLOAD
from bench.streams.__main__ import CONTEST as STREAMS

CONTESTS = (PAYLOAD, STREAMS, OVERLOAD)
ABOUT = {
    "command": "python -m bench.x",
    "date": "2026-01-01",
    "rounds": 1,
    "machine": {"processor": "P", "cores": 2, "memory_gib": 4, "kernel": "6", "python": "3.11"},
}


@pytest.mark.parametrize("name", [*(contest.name for contest in CONTESTS), "soak", "overhead"])
def test_the_page_has_a_part_for_each_benchmark(name: str) -> None:
    assert (DOCS / "performance.md").read_text().count(begin_of(name)) == 1


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.name)
def test_quick_is_one_short_round(contest: Contest) -> None:
    quick, full = parse_options(contest, ["--quick"]), parse_options(contest, [])
    assert quick.rounds == 1
    assert quick.seconds < full.seconds
    assert not full.docs


@pytest.mark.parametrize("contest", CONTESTS, ids=lambda contest: contest.name)
def test_a_project_is_written_afresh(contest: Contest, tmp_path: Path) -> None:
    (tmp_path / "old.py").touch()
    write_project(contest, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"cog.yaml", "predict.py"}


def test_a_server_that_broke_is_named_with_the_reason() -> None:
    text = render_section(PAYLOAD, ABOUT, [Row("cogworks", problem="it fell over")])
    assert "| cogworks | not measured: it fell over |" in text
    assert "cogworks: it fell over" in text


def test_ratios_are_those_to_upstream() -> None:
    ours = Row("cogworks", [{"files_per_s": 6.0, "p50_ms": 50.0}])
    theirs = Row("coglet 0.23.1", [{"files_per_s": 2.0, "p50_ms": 100.0}])
    text = render_section(PAYLOAD, ABOUT, [ours, theirs])
    assert "6.00 (3.00x)" in text
    assert "50 (0.50x)" in text

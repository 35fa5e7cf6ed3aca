"""Tests of the benchmark of the static analysis."""

from pathlib import Path

from bench.schema.cases import Case, list_cases, write_long_model, write_usual_model
from bench.schema.measure import Times, measure_case
from bench.schema.report import render_cases, render_command
from cogworks.schema import analyze

REPOSITORY = Path(__file__).resolve().parents[3]


def test_every_case_can_be_analysed(tmp_path: Path) -> None:
    for case in list_cases(REPOSITORY, tmp_path)[:3]:
        assert analyze(case.file.parent, f"{case.file.name}:{case.name}").inputs


def test_generated_models_have_the_size_that_they_should(tmp_path: Path) -> None:
    usual = Case("usual", write_usual_model(tmp_path / "usual.py"), "Runner")
    long = Case("long", write_long_model(tmp_path / "long.py", 1000), "Runner")
    assert 100 <= usual.lines <= 200
    assert 1000 <= long.lines <= 1010


def test_times_are_measured_beside_each_other(tmp_path: Path) -> None:
    case = Case("small", write_long_model(tmp_path / "small.py", 10), "Runner")
    times = measure_case(case, 2)
    assert min(times.analysis_s, times.parse_s, times.import_s) > 0


def test_table_shows_ratios(tmp_path: Path) -> None:
    case = Case("small", write_long_model(tmp_path / "small.py", 10), "Runner")
    table = render_cases([(case, Times(0.004, 0.002, 0.001))])
    assert table.splitlines()[-1] == "| small | 13 | 4.0 | 2.0x | 4.0x |"
    assert "150 ms of CPU time, 10.0x" in render_command(0.15, 0.015)

"""Tests of what a soak leaves behind."""

import dataclasses

from bench.soak.__main__ import MAX_SAMPLES, render_section, thin
from bench.tests.soak.test_samples import REST

BUSY = dataclasses.replace(REST, is_rest=False)


def test_a_long_run_keeps_every_rest_and_as_many_others_as_a_plot_can_show() -> None:
    kept = thin([REST, *[BUSY] * 100] * 40)
    assert kept.count(REST) == 40
    assert MAX_SAMPLES / 2 < kept.count(BUSY) <= MAX_SAMPLES


def test_a_short_run_keeps_all() -> None:
    assert thin([REST, BUSY, BUSY]) == [REST, BUSY, BUSY]


def test_the_page_says_what_became_of_all() -> None:
    server = {
        "name": "tokens",
        "kills": 7,
        "refusals": {"429": 3, "503": 2},
        "ends": {"succeeded": 1000, "canceled": 30},
        "problem_count": 0,
        "samples": [REST.as_data(), BUSY.as_data(), REST.as_data()],
    }
    machine = {"processor": "P", "cores": 2, "memory_gib": 4, "kernel": "6", "python": "3.11"}
    about = {"command": "x", "date": "2026-01-01", "machine": machine, "minutes": 10.0}
    text = render_section({**about, "servers": [server]})
    row = "| tokens | 1,030 | 1,000 | 0 | 30 | 5 | 7 | 0 | 30.0 to 30.0 | 18 to 18 |"
    assert row in text
    assert "10 minutes on 2026-01-01" in text

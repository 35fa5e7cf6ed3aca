"""Tests of the judgement of growth."""

import dataclasses
from typing import Any

from bench.soak.samples import Sample, find_growth

REST = Sample(
    at_s=0.0,
    is_rest=True,
    pss_bytes=30 * 2**20,
    rss_bytes=60 * 2**20,
    descriptors=18,
    threads=4,
    temp_folders=1,
    temp_files=0,
)


def make_rests(**changes: Any) -> list[Sample]:
    return [REST, *[dataclasses.replace(REST, **changes)] * 2]


def test_the_same_at_every_rest_is_no_growth() -> None:
    assert find_growth([REST, REST, REST]) == []


def test_what_is_held_under_load_does_not_count() -> None:
    busy = dataclasses.replace(REST, is_rest=False, descriptors=900)
    assert find_growth([REST, busy, REST]) == []


def test_more_descriptors_are_growth() -> None:
    assert find_growth(make_rests(descriptors=30)) == [
        "descriptors grew from 18 to 30 between rests"
    ]


def test_a_folder_left_behind_is_growth() -> None:
    assert find_growth(make_rests(temp_folders=2)) == [
        "temp_folders grew from 1 to 2 between rests"
    ]


def test_without_two_rests_nothing_is_known() -> None:
    assert find_growth([REST]) == ["there were not two rests to compare"]

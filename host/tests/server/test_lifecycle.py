"""The life of a worker: which event leads where, and when to give up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.server.lifecycle import (
    BACKOFF_S,
    TRANSITIONS,
    Died,
    Event,
    IllegalEventError,
    Lifecycle,
    Restart,
    Restarted,
    SetUp,
    SetupBroke,
    Stopped,
    Succeeded,
    WorkerState,
)

EVENTS: list[Event] = [SetUp(), SetupBroke(), Died(), Restarted(), Succeeded(), Stopped()]


def test_a_death_is_followed_by_a_restart() -> None:
    life = Lifecycle(max_deaths=3)
    life.handle(SetUp())
    assert life.handle(Died()) == [Restart(BACKOFF_S[0])]
    states = [life.state]
    life.handle(Restarted())
    assert [*states, life.state] == [WorkerState.WAITING, WorkerState.STARTING]


def test_restarts_wait_longer_and_the_third_death_in_a_row_is_the_last() -> None:
    life = Lifecycle(max_deaths=3)
    assert life.handle(Died()) == [Restart(BACKOFF_S[0])]
    life.handle(Restarted())
    assert life.handle(Died()) == [Restart(BACKOFF_S[1])]
    life.handle(Restarted())
    assert life.handle(Died()) == []
    assert life.state is WorkerState.DEFUNCT


def test_a_success_forgives_the_deaths_before_it() -> None:
    life = Lifecycle(max_deaths=2)
    for _ in range(5):
        life.handle(SetUp())
        life.handle(Succeeded())
        assert life.handle(Died()) == [Restart(BACKOFF_S[0])]
        life.handle(Restarted())


def test_a_failed_setup_is_not_tried_again() -> None:
    life = Lifecycle(max_deaths=3)
    life.handle(SetupBroke())
    assert life.handle(Died()) == []
    assert life.state is WorkerState.SETUP_FAILED


def test_whatever_happens_a_stop_is_possible_and_final() -> None:
    for state in WorkerState:
        assert TRANSITIONS[state, Stopped] is WorkerState.STOPPED


@given(st.lists(st.sampled_from(EVENTS), max_size=40))
def test_an_illegal_event_changes_nothing(events: list[Event]) -> None:
    life = Lifecycle(max_deaths=3)
    for event in events:
        before = life.state
        if (before, type(event)) in TRANSITIONS:
            life.handle(event)
        else:
            with pytest.raises(IllegalEventError):
                life.handle(event)
            assert life.state is before

"""Settings come from the environment, and a wrong value is named."""

from __future__ import annotations

import dataclasses

import pytest

from cogworks.server.settings import Settings, SettingsError


def test_without_variables_the_defaults_hold() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"PORT": "", "UNRELATED": "x"}) == Settings()


def test_each_variable_sets_its_field() -> None:
    settings = Settings.from_environment(
        {
            "PORT": "0",
            "COG_MAX_CONCURRENCY": "4",
            "COG_WORKERS": "2",
            "COG_SETUP_TIMEOUT": "1.5",
            "COG_MAX_BODY": "10",
        }
    )
    assert (settings.port, settings.max_concurrency, settings.workers) == (0, 4, 2)
    assert (settings.setup_timeout_s, settings.max_body_bytes) == (1.5, 10)


@pytest.mark.parametrize(("text", "truth"), [("1", True), ("true", True), ("0", False)])
def test_a_switch_is_on_or_off(text: str, truth: bool) -> None:
    assert Settings.from_environment({"COG_RETRY_LOST": text}).retry_lost is truth


def test_an_age_of_zero_means_for_ever() -> None:
    assert Settings.from_environment({"COG_STORE_MAX_AGE": "0"}).store_max_age_s == float("inf")


def test_zero_seconds_mean_no_limit() -> None:
    assert Settings.from_environment({"COG_SETUP_TIMEOUT": "0"}).setup_timeout_s is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("COG_MAX_CONCURRENCY", "0"),
        ("COG_MAX_CONCURRENCY", "2.5"),
        ("COG_SETUP_TIMEOUT", "-1"),
        ("COG_SETUP_TIMEOUT", "nan"),
        ("COG_SETUP_TIMEOUT", "inf"),
        ("COG_SHUTDOWN_GRACE", "soon"),
        ("COG_STORE_MAX_RECORDS", "0"),
        ("COG_STORE_MAX_AGE", "-1"),
        ("COG_RETRY_LOST", "maybe"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf'{name}="{value}": expected '):
        Settings.from_environment({name: value})


def test_every_setting_has_a_help_text() -> None:
    for field in dataclasses.fields(Settings):
        assert field.metadata["help"].endswith("."), field.name

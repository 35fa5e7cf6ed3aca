"""Ctrl-C ends a command soon, whatever it waits for."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from cogworks.testing import FakeRegistry
from host.tests.registry.silent import SilentServer

from .build_desk import CONFIG, Desk

pytestmark = pytest.mark.slow

LONG_S, SOON_S = 60, 20
"""A machine may be busy; a silent server is waited for up to two minutes."""


def end(process: subprocess.Popen[str]) -> str:
    """Send Ctrl-C and return what was said."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=SOON_S)
    assert process.returncode == 130
    assert "Traceback" not in errors
    return errors


def test_a_push_does_not_wait_for_a_silent_registry(tmp_path: Path) -> None:
    with FakeRegistry() as registry, SilentServer() as silent:
        desk = Desk(tmp_path, registry.host)
        process = desk.start("push", f"{silent.host}/me/model", "--base-image", desk.base)
        assert silent.asked.wait(LONG_S)
        end(process)
        assert desk.leftovers() == []


def test_a_build_does_not_wait_for_a_silent_index(tmp_path: Path) -> None:
    with FakeRegistry() as registry, SilentServer() as silent:
        desk = Desk(tmp_path, registry.host)
        index = f"http://{silent.host}/simple"
        environ = {"UV_DEFAULT_INDEX": index, "UV_OFFLINE": "0", "UV_NO_INDEX": "0"}
        desk.write("cog.yaml", CONFIG.replace("msgspec==0.14", "never-heard-of==1.0"))
        process = desk.start("build", "--base-image", desk.base, "--no-load", **environ)
        assert silent.asked.wait(LONG_S)
        end(process)
        assert desk.leftovers() == []

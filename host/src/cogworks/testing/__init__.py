"""Fakes that speak for real parts, for the tests of this project and of those who build on it."""

from __future__ import annotations

from cogworks.testing.registry import FakeRegistry, Fault, RegistryLimits
from cogworks.testing.scripted_worker import ScriptedWorker

__all__ = ["FakeRegistry", "Fault", "RegistryLimits", "ScriptedWorker"]

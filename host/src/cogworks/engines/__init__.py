"""Engines: what runs a project's environment. ``local`` makes virtual environments with uv."""

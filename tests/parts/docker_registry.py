"""Debian's docker-registry, on loopback, with a folder of its own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.parts.missing import find_program
from tests.parts.process import free_port, running


@contextmanager
def docker_registry(folder: Path) -> Generator[str]:
    """Run a registry while the block runs; the value is its host, `127.0.0.1:PORT`.

    Args:
        folder: an existing one, for its data and its log.

    Raises:
        MissingPart: it is not installed, or does not start.
    """
    program = find_program("docker-registry", "docker-registry")
    host = f"127.0.0.1:{free_port()}"
    config = folder / "config.yml"
    config.write_text(
        "{version: 0.1, log: {level: error, accesslog: {disabled: true}}, "
        f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}, delete: {{enabled: true}}}}, "
        f'http: {{addr: "{host}"}}}}'
    )

    def is_up() -> bool:
        try:
            return httpx2.get(f"http://{host}/v2/", timeout=5).status_code == 200
        except httpx2.TransportError:
            return False

    with running([program, "serve", str(config)], folder / "log", is_up):
        yield host

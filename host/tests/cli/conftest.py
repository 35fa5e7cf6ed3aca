from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cogworks.cli.input_schema import InputSchema, read_input_schema


@pytest.fixture
def schema_of() -> Callable[..., InputSchema]:
    """Return a function that makes the schema of a model with the given inputs."""

    def make(
        required: list[str] | None = None,
        components: dict[str, Any] | None = None,
        /,
        **properties: dict[str, Any],
    ) -> InputSchema:
        numbered = {
            name: {"x-order": order, **schema}
            for order, (name, schema) in enumerate(properties.items())
        }
        own = {"type": "object", "properties": numbered, "required": required or []}
        return read_input_schema({"components": {"schemas": {"Input": own, **(components or {})}}})

    return make

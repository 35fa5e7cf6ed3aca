"""What pydantic, where a model uses it, asks our types when they are fields of its models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def plain_schema(validate: Callable[[Any], Any]) -> Any:
    """Return pydantic 2's schema of a field whose values one function checks.

    Only pydantic calls it, so that it is installed then.
    """
    from importlib import import_module

    core_schema: Any = import_module("pydantic_core.core_schema")
    return core_schema.no_info_plain_validator_function(validate)

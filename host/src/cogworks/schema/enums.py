"""The members of the author's enums."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from cogworks.schema.entities import ClassEntity, External
from cogworks.schema.externals import external_name
from cogworks.schema.names import MAX_DEPTH, Names
from cogworks.schema.scopes import Scope
from cogworks.schema.values import Member, Unknown

FoldIn = Callable[[ast.expr, Scope], Any]

_MIXINS: dict[str, Callable[[Any], Any]] = {
    "builtins.str": str,
    "builtins.int": int,
    "builtins.float": float,
    "enum.IntEnum": int,
    "enum.StrEnum": str,
}
_SCALARS = (bool, int, float, str)

_ENUMS = ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum")


def enum_kind(names: Names, entity: ClassEntity, depth: int = 0) -> str:
    """Return ``Enum``, ``StrEnum`` and so on if the class is one; else nothing."""
    for base in names.bases(entity) if depth < MAX_DEPTH else []:
        if isinstance(base, External) and base.module == "enum":
            kind = base.name.rpartition(".")[2]
            return kind if kind in _ENUMS else ""
        if isinstance(base, ClassEntity) and (kind := enum_kind(names, base, depth + 1)):
            return kind
    return ""


class EnumReader:
    """Reads the members of one enum."""

    def __init__(self, names: Names, entity: ClassEntity, kind: str, fold: FoldIn) -> None:
        """Fold values with ``fold``; ``kind`` is that of ``enum_kind``."""
        self._names = names
        self._entity = entity
        self._kind = kind
        self._fold = fold
        self._mixin = _mixin(names, entity)
        self._found: dict[str, Member] = {}

    def read(self) -> dict[str, Member]:
        """Return the members by name, in order; an alias is the member that it names.

        Raises:
            Unknown: a value is not known, or the class makes others of them.
        """
        body = self._entity.body
        for method in ("__new__", "_generate_next_value_"):
            if method in body.names():
                name = self._entity.node.name
                raise Unknown.here(f"the enum `{name}` makes its values in {method}")
        ignored = self._ignored(body)
        for name in body.names():
            if not _is_private(name) and name not in ignored:
                self._read_member(name, body)
        return self._found

    def _ignored(self, body: Scope) -> list[str]:
        """Return the names that ``_ignore_`` lists, in a text or a series."""
        bindings = body.candidates("_ignore_", None)
        node = bindings[0].node if bindings else None
        if not isinstance(node, ast.expr):
            return []
        value = self._fold(node, body)
        return value.replace(",", " ").split() if isinstance(value, str) else list(value)

    def _read_member(self, name: str, body: Scope) -> None:
        bindings = body.candidates(name, None)
        node = bindings[0].node if bindings else None
        if not isinstance(node, ast.expr):
            return
        if len(bindings) > 1 or bindings[0].path:
            raise Unknown.here(f"`{self._entity.node.name}.{name}` is set in several places")
        value = self._value(name, node, body)
        if self._mixin is not None and isinstance(value, _SCALARS):
            value = self._mixin(value)  # ``class Ratio(float, Enum): WHOLE = 1`` holds 1.0.
        same = [member for member in self._found.values() if member.value == value]
        self._found[name] = same[0] if same else Member(self._entity.node, name, value)

    def _value(self, name: str, node: ast.expr, body: Scope) -> Any:
        if (
            not isinstance(node, ast.Call)
            or external_name(self._names, node.func, body) != "enum.auto"
        ):
            return self._fold(node, body)
        if self._kind == "StrEnum":
            return name.lower()
        numbers = [item.value for item in self._found.values() if isinstance(item.value, int)]
        if self._kind in ("Flag", "IntFlag"):
            return 1 << len(numbers)
        return max(numbers, default=0) + 1


def _mixin(names: Names, entity: ClassEntity, depth: int = 0) -> Callable[[Any], Any] | None:
    for base in names.bases(entity) if depth < MAX_DEPTH else []:
        if isinstance(base, External) and base.name in _MIXINS:
            return _MIXINS[base.name]
        if isinstance(base, ClassEntity) and (mixin := _mixin(names, base, depth + 1)):
            return mixin
    return None


def _is_private(name: str) -> bool:
    return name.startswith("__") or (name.startswith("_") and name.endswith("_"))

"""Where a module or class body changes its lists, dicts and sets, or what modules hold, in place.

The text of ``SIZES = []`` says nothing once ``SIZES.append(1)`` follows, nor after
``fill(SIZES)``, ``config.SIZES = ...`` or ``globals()["SIZES"] = ...``.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cogworks.schema.conditions import is_main_guard

MUTATORS = frozenset(
    [
        "__delitem__",
        "__setitem__",
        "add",
        "append",
        "appendleft",
        "clear",
        "difference_update",
        "discard",
        "extend",
        "insert",
        "intersection_update",
        "move_to_end",
        "pop",
        "popitem",
        "remove",
        "reverse",
        "setdefault",
        "sort",
        "symmetric_difference_update",
        "update",
    ]
)
"""Methods that change a list, dict or set in place."""

ANY = "*"
"""Stands for every name of a module, where its text does not say which is changed."""

_READERS = frozenset(
    [
        "critical",
        "debug",
        "display",
        "dump",
        "error",
        "exception",
        "info",
        "log",
        "makedirs",
        "pprint",
        "print",
        "warn",
        "warning",
        "write",
    ]
)
"""Functions that authors call for an effect, but not one on their arguments."""

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Change:
    """Where something is changed; ``rebinds`` if it is another value then, else the same, changed.

    Only lists, dicts and sets can be changed and stay the same.
    """

    node: ast.AST
    rebinds: bool


def find_changes(body: list[ast.stmt], is_class: bool = False) -> dict[str, Change]:
    """Return what is changed, ``SIZES`` or ``config.SIZES``, each with the first place.

    Functions count, for the body may call them; methods only if their class is called too. What
    only happens when the file is run by itself does not count.
    """
    walk = _Walk()
    # The functions of a class do not see its names.
    walk.add([item for item in body if not (is_class and isinstance(item, _FUNCTION))], frozenset())
    return walk.finish()


class _Walk:
    """Goes through the statements that may run when a module is imported."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._aliases: dict[str, list[tuple[str, ast.AST]]] = {}
        self._augmented: set[str] = set()
        self._called: set[str] = set()
        self._methods: dict[str, list[tuple[ast.AST, frozenset[str]]]] = {}

    def add(self, body: Iterable[ast.AST], local: frozenset[str], is_module: bool = True) -> None:
        todo: deque[ast.AST] = deque(body)
        while todo:
            node = todo.popleft()
            if isinstance(node, ast.ClassDef):
                self._add_class(node, local)
            elif isinstance(node, _FUNCTION):
                todo.extend(node.decorator_list)
                self.add(node.body, local | local_names(node), is_module=False)
            elif isinstance(node, ast.If) and is_main_guard(node.test):
                todo.extend(node.orelse)
            else:
                self._look_at(node, local, is_module)
                todo.extend(ast.iter_child_nodes(node))

    def finish(self) -> dict[str, Change]:
        """Add the methods of classes that are called, and what other names stand for."""
        while ready := self._called & self._methods.keys():
            for name in ready:
                for method, local in self._methods.pop(name):
                    self.add([method], local)
        todo = [*self._changes, *self._augmented]
        while todo:
            for path, node in self._aliases.pop(todo.pop(), ()):
                self._changes.setdefault(path, Change(node, rebinds=False))
                todo.append(path)
        return self._changes

    def _add_class(self, node: ast.ClassDef, local: frozenset[str]) -> None:
        methods = [item for item in node.body if isinstance(item, _FUNCTION)]
        others = [item for item in node.body if not isinstance(item, _FUNCTION)]
        own = local | frozenset(_stored_names(others))
        self._methods.setdefault(node.name, []).extend((item, local) for item in methods)
        self.add(node.decorator_list, local)
        self.add([item for method in methods for item in method.decorator_list], own)
        self.add(others, own)

    def _look_at(self, node: ast.AST, local: frozenset[str], is_module: bool) -> None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            self._called.add(node.func.id)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._augmented.add(node.target.id)
        for path, rebinds in _changed(node, is_module):
            if path and path.split(".")[0] not in local:
                self._changes.setdefault(path, Change(node, rebinds))
        for alias, path in _new_aliases(node):
            if path.split(".")[0] not in local:
                self._aliases.setdefault(alias, []).append((path, node))


def local_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the names that a function binds and that therefore are its own."""
    arguments = function.args
    names = {item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names.update(item.arg for item in (arguments.vararg, arguments.kwarg) if item is not None)
    names.update(_stored_names(function.body))
    for node in ast.walk(function):
        if isinstance(node, ast.Global):
            names.difference_update(node.names)
    return frozenset(names)


def path_of(node: ast.AST) -> str:
    """Return ``config.SIZES`` for what is inside of it, ``config.SIZES["a"]`` too; or nothing."""
    parts: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        else:
            parts.clear()  # What is in an item belongs to the whole.
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _stored_names(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                yield node.id
            elif isinstance(node, (*_FUNCTION, ast.ClassDef)):
                yield node.name
            elif isinstance(node, ast.alias):
                yield node.asname or node.name.split(".")[0]


def _changed(node: ast.AST, is_module: bool) -> list[tuple[str, bool]]:
    """Return what a node changes, and whether that is then bound to something else."""
    if isinstance(node, ast.Global):
        return [(name, True) for name in node.names]
    if isinstance(node, ast.Call):
        return _changed_by_call(node, is_module)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return _changed_by_effect(node.value)
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        if _is_call_of(node.value, "globals", "vars"):
            return [(_text_of(node.slice) or ANY, True)]
        return [(path_of(node), False)]
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return [(path_of(node), True)]
    return []


def _changed_by_call(node: ast.Call, is_module: bool) -> list[tuple[str, bool]]:
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in MUTATORS:
        if _is_call_of(function.value, "globals", "vars"):
            return [(ANY, True)]
        # ``list.append(SIZES, 1)`` as well as ``SIZES.append(1)``
        owner = path_of(function.value)
        is_type = owner in ("list", "dict", "set")
        return [(path_of(node.args[0]) if is_type and node.args else owner, False)]
    if not isinstance(function, ast.Name):
        return []
    if function.id in ("setattr", "delattr") and len(node.args) > 1:
        owner, name = path_of(node.args[0]), _text_of(node.args[1])
        return [(f"{owner}.{name}" if owner and name else owner or name or ANY, True)]
    return [(ANY, True)] if function.id == "exec" and is_module else []


def _changed_by_effect(call: ast.Call) -> list[tuple[str, bool]]:
    """A call whose result nobody takes is there for its effect, be it on its arguments."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _READERS or name in MUTATORS:
        return []
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [
        (path_of(item), False) for item in values if isinstance(item, (ast.Name, ast.Attribute))
    ]


def _new_aliases(node: ast.AST) -> list[tuple[str, str]]:
    """Return pairs of names of which the first may be another name of the second's value."""
    if isinstance(node, (ast.For, ast.AsyncFor)):
        targets, values = [node.target], _items_of(node.iter)
    elif isinstance(node, ast.Assign):
        targets, values = node.targets, [node.value]
    else:
        return []
    return [
        (target.id, path)
        for target in targets
        if isinstance(target, ast.Name)
        for value in values
        if (path := path_of(value))
    ]


def _items_of(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return node.elts
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return [node.func.value]  # ``for item in TABLE.values()``
    return [node]


def _is_call_of(node: ast.expr, *names: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _text_of(node: ast.expr) -> str:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value) if is_text and isinstance(node, ast.Constant) else ""

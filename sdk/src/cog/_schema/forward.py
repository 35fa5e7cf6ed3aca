"""Evaluate annotations that are strings."""

from __future__ import annotations

import ast
import sys
import typing
from typing import Any

_UNION = "_cog_union"


def evaluate(text: str, module: dict[str, Any], local: dict[str, Any]) -> Any:
    """Evaluate an annotation of the author's own code, as Python itself would have done.

    Before Python 3.10 ``A | B`` between types is an error; there it is read as ``Union[A, B]``.
    """
    tree = ast.parse(text.strip(), mode="eval")
    if sys.version_info < (3, 10):
        tree = ast.fix_missing_locations(_Unions().visit(tree))
        module = {**module, _UNION: typing.Union}
    return eval(compile(tree, "<annotation>", "eval"), module, local)


class _Unions(ast.NodeTransformer):
    """Write ``A | B`` as ``Union[A, B]``."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.BitOr):
            return node
        members = ast.Tuple([node.left, node.right], ast.Load())
        return ast.Subscript(ast.Name(_UNION, ast.Load()), members, ast.Load())

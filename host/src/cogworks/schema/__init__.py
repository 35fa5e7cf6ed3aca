"""Static analysis: the author's source text becomes a signature and an OpenAPI document.

Nothing here imports or runs the author's code. The way of a signature: ``source`` parses a file,
``scopes`` says what its names are bound to, ``modules`` and ``names`` follow them through the
project, ``literals`` folds constants, ``annotations`` and ``inputs`` make hints and defaults of
what they find; ``cog._schema`` judges those, as it does for the live class.
"""

from cogworks.schema.analysis import analyze, find_problems
from cogworks.schema.description import describe
from cogworks.schema.errors import SchemaError

__all__ = ["SchemaError", "analyze", "describe", "find_problems"]

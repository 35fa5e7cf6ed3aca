"""Read every fixture live and compare it with its written-down document; run under any Python.

    python live_documents.py SDK_TREE FIXTURES

Prints a line for each fixture: ``same``, ``different``, or ``left out`` if it needs what is not there.
Needs nothing but the SDK, so it has no imports of tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

_HEADER = re.compile(r"# (\w+)( \(train\))?: ")


def load(file: Path) -> Any:
    """Import a fixture under its own name."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def compare(file: Path, expected: dict[str, Any]) -> str:
    """Return how the document of a fixture relates to the ``expected`` components."""
    from cog._schema.openapi import document
    from cog._schema.signature import read_signature

    header = _HEADER.match(file.read_text(encoding="utf-8"))
    assert header is not None
    mode = "train" if header[2] else "run"
    try:
        module = load(file)
    except (ImportError, TypeError, ValueError) as error:  # Of other packages or Pythons.
        return f"left out: {error}"
    signature = read_signature(getattr(module, header[1]), mode)
    by_mode = {"run": None, "train": None, mode: signature}
    schemas = document(by_mode["run"], by_mode["train"], "0")["components"]["schemas"]
    found = json.loads(json.dumps({name: schemas.get(name) for name in expected}))
    return "same" if found == expected else f"different: {found}"


def main() -> None:
    """Compare all of them."""
    sdk, fixtures = Path(sys.argv[1]), Path(sys.argv[2])
    sys.path[:0] = [str(sdk), str(fixtures)]
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    os.chdir(fixtures)
    for path in sorted((fixtures / "documents").glob("*.json")):
        file = fixtures / f"{path.stem}.py"
        if file.exists():
            expected = json.loads(path.read_text(encoding="utf-8"))["components"]
            print(f"{path.stem} {compare(file, expected)}", flush=True)


if __name__ == "__main__":
    main()

"""Hand over to the host's server: ``python -m cog.server.http``, upstream's flags.

The server has an environment of its own, ``/opt/cogworks`` in an image; elsewhere it is looked for
beside this Python. It is told to run the model with the Python that runs this.
"""

from __future__ import annotations

import importlib.util
import os
import sys

IMAGE_PYTHON = "/opt/cogworks/bin/python"
"""The server's own Python in an image."""
IMAGE_SDK = "/opt/cogworks/sdk"
"""The folder that workers are started from in an image; elsewhere the server makes one."""


def main() -> None:
    """Become the server; only an error returns."""
    arguments = ["-m", "cogworks.server", "--python", sys.executable, *sys.argv[1:]]
    if os.path.exists(IMAGE_PYTHON):
        if os.path.exists(IMAGE_SDK):
            arguments[2:2] = ["--sdk-tree", IMAGE_SDK]
        # Isolated: neither a module of the project nor PYTHONPATH, both the model's, may change the server.
        os.execv(IMAGE_PYTHON, [IMAGE_PYTHON, "-I", *arguments])
    if importlib.util.find_spec("cogworks") is None:
        sys.exit("error: the server is not installed here; `pip install cogworks` brings it")
    os.execv(sys.executable, [sys.executable, *arguments])


if __name__ == "__main__":
    main()

"""`python -m cogworks.cli` is `cog`, for places where the script is not on PATH."""

import os
import sys

# `python -m` puts the current folder first, and a project may have a folder called cog.
if sys.path[:1] == [os.getcwd()]:
    del sys.path[0]

from cogworks.cli.start import main

main()

"""`python -m cogworks.cli` is `cog`, for places where the script is not on PATH."""

from cogworks.cli.main import main

main()

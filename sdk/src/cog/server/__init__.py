"""The entry that images made for Cog have always had: ``python -m cog.server.http``."""

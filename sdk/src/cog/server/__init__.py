"""``python -m cog.server.http``: the entry that images made for Cog have always had."""

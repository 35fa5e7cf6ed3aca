"""The checks of `cog doctor`, and their fixes; the list of them is in ``checks``.

A check looks and returns findings. A fix returns new texts of files, which ``changes`` writes all
at once or not at all; so a fix never leaves a half-written file.
"""

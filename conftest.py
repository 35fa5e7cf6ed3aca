"""What holds for every suite of the repository."""

from hypothesis import settings

# How long an example takes depends on the machine and on what else runs there: no test fails of it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

"""What holds for every suite of the repository."""

import signal
import sys

from hypothesis import settings

# How long an example takes depends on the machine and on what else runs there: no test fails of it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Under `nohup`, whoever starts the tests ignores it, and what they start would, too; some wait for what comes of it.
if sys.platform != "win32":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

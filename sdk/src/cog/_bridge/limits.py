"""The limits of the bridge; reaching one is an error that states it."""

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""The longest frame. A message that is longer travels in a file that a ``Spilled`` frame names."""

READ_CHUNK_BYTES = 256 * 1024
"""How much is read from a socket at once: a little over the default size of a socket's buffer."""

FRAMES_TOGETHER = 8
"""How many frames of one turn of an event loop share a system call. More would keep the other side
waiting that could work on the first ones (measured at 32 predictions at once: 8 give 1.2 times the
throughput of all together)."""

"""The limits of the bridge; reaching one is an error that states it."""

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""The longest frame. A message that is longer travels in a file that a ``Spilled`` frame names."""

READ_CHUNK_BYTES = 256 * 1024
"""How much is read from a socket at once: a little over the default size of a socket's buffer."""

"""How a worker ends where the number says more than the signal would."""

BRIDGE_LOST = 97
"""Exit code of a worker whose connection to the server is gone though the server is not: the model has
closed descriptors that it had not opened."""

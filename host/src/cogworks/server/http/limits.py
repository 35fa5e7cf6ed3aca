"""The bounds of HTTP connections, so that no client can hold what it does not use."""

from __future__ import annotations

MAX_HEAD_BYTES = 64 * 1024
"""Most that a request may have before its body, and between the parts of its body."""

LINE_BYTES = 4
"""What a header has besides its name and its value."""

PATIENCE_S = 60.0
"""How long a client may take for its next step: to send a head or a body, or to read. Source: nginx."""

IDLE_S = 75.0
"""How long a connection is kept for the next request. Source: nginx, keepalive_timeout; longer than the
60 s of common load balancers, which must not find a connection closed that they are about to use."""

LEAST_BYTES_PER_S = 500
"""A body that comes at least this fast may take longer. Source: Apache, mod_reqtimeout."""

CHECK_S = 5.0
"""How often each connection is looked at; so much longer it may take to be given up."""

LINGER_S = 2.0
"""How long the rest of a refused request is let in, and ignored. Source: as nginx, lingering_close."""

HIGH_WATER_BYTES = 256 * 1024
"""How much of a body waits for the application before the client has to wait. Source: a chunk of uvloop."""

MAX_JOINED_BYTES = 64 * 1024
"""Longer bodies are not copied once more to save a system call."""

BACKLOG = 2048
"""Connections that the system may hold until they are accepted."""

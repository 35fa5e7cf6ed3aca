"""Hide credentials before a text is shown, logged or stored."""

from __future__ import annotations

import re

_USER_INFO = re.compile(r"(?<=://)[^/\s@'\"`]+@")
_QUERY_SECRET = re.compile(r"(?i)([?&](?:token|password|secret|key|sig|signature)=)[^&\s'\"`]+")


def redact(text: str) -> str:
    """Return the text with user names, passwords and tokens in URLs replaced by ``***``."""
    return _QUERY_SECRET.sub(r"\1***", _USER_INFO.sub("***@", text))

"""Keeps secrets out of the logs of the HTTP libraries: the query of a signed URL is one, and so is a token's header."""

from __future__ import annotations

import logging

from cogworks.registry.errors import shown_url


class _ShortUrls(logging.Filter):
    """Shortens URLs among a record's arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record through, without queries."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                shown_url(str(value)) if hasattr(value, "raw_path") else value
                for value in record.args
            )
        return True


class _NoHeaders(logging.Filter):
    """Drops the records that spell out headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything else through."""
        return "headers" not in record.getMessage()


def hide_urls() -> None:
    """Install the filters, once for each process."""
    wanted = {"httpx2": _ShortUrls, "httpcore2.http11": _NoHeaders, "httpcore2.proxy": _NoHeaders}
    for name, kind in wanted.items():
        logger = logging.getLogger(name)
        if not any(isinstance(found, kind) for found in logger.filters):
            logger.addFilter(kind())

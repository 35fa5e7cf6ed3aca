"""The exceptions that authors may see, raise or catch.

BaseException
└── CancelationException        the client gave this prediction up
Exception
└── CogError
    ├── DownloadError           a URL could not be fetched
    │   └── DownloadTooLargeError
    ├── InvalidDataURLError     (also a ValueError) a ``data:`` URL that cannot be decoded
    └── UnsupportedURLError     (also a ValueError) neither http(s) nor data
"""

from __future__ import annotations

_SHOWN_CHARACTERS = 80
"""How much of a foreign text an error message quotes."""


class CancelationException(BaseException):
    """The prediction was canceled while ``run()`` was at work.

    Catch it to clean up, then raise it again. It is not an ``Exception``, so that
    ``except Exception`` in a model does not swallow it.
    """


class CogError(Exception):
    """The base of all errors that the SDK raises by itself."""


class DownloadError(CogError):
    """A file could not be downloaded; ``url`` is where from (without its secrets), ``reason`` why."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = redact_url(url)
        self.reason = reason
        super().__init__(f"cannot download {self.url}: {reason}")

    def __reduce__(self) -> tuple[type[DownloadError], tuple[str, str]]:
        """Pickle by the two arguments, not by the sentence."""
        return type(self), (self.url, self.reason)


class DownloadTooLargeError(DownloadError):
    """A file is larger than the limit; nothing of it was kept."""


class InvalidDataURLError(CogError, ValueError):
    """A ``data:`` URL cannot be decoded."""

    def __init__(self, url: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"cannot decode {quote_short(url)}: {reason}")


class UnsupportedURLError(CogError, ValueError):
    """A file was given by something else than a http, https or data URL."""

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(
            f"{quote_short(value)} is not a file: expected a URL with one of the schemes "
            "'http', 'https' or 'data'"
        )


def quote_short(value: object) -> str:
    """``repr`` of a value, cut to what fits in a message; a string is cut before it is quoted."""
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
        return repr(cut)
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def redact_url(url: str) -> str:
    """Drop what may be secret in a URL: user, password, query and fragment; cut what remains."""
    bare = url.partition("#")[0].partition("?")[0]
    scheme, separator, rest = bare.partition("://")
    authority, slash, path = rest.partition("/")
    shown = f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}" if separator else bare
    return shown if len(shown) <= _SHOWN_CHARACTERS else shown[: _SHOWN_CHARACTERS - 1] + "…"

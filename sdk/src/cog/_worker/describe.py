"""``python SDK_TREE --describe REQUEST``: the OpenAPI document of a model, from its live classes.

The modules are imported; nothing is constructed, and ``setup()`` does not run. The request is a
JSON object (``Request``), and so is the answer, on a descriptor of its own: what the author's code
prints cannot get into it. The process ends without the author's ``atexit`` functions and threads.

    {"document": {"openapi": "3.0.2", ...}, "is_async": false}
    {"error": {"kind": "raised", "message": "ValueError: no", "advice": "", "traceback": "..."}}
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any, NoReturn

from cog._schema.errors import SignatureError
from cog._schema.openapi import document
from cog._schema.signature import read_signature
from cog._worker.loader import LoadError, load_target


class Request:
    """What is asked: ``{"refs": {"run": "run.py:Runner"}, "version": "1", "fd": 3, "limits": {}}``.

    ``limits`` are those of ``resource.setrlimit`` by name, in its units.
    """

    def __init__(self, text: str) -> None:
        """Read the JSON of the command line."""
        values = json.loads(text)
        self.refs: dict[str, str] = values["refs"]
        self.version = str(values["version"])
        self.descriptor = int(values["fd"])
        self.limits: dict[str, int] = values["limits"]


def describe_model(text: str) -> NoReturn:
    """Answer the request and end the process."""
    request = Request(text)
    os.set_inheritable(request.descriptor, False)
    _limit(request.limits)
    sys.argv = [sys.argv[0]]
    project = os.getcwd()
    sys.path.insert(1, project)
    try:
        answer = _describe(request)
    except BaseException as error:  # SystemExit and the like: what the author's code does is told.
        answer = {"error": _explain(error, project)}
    with open(request.descriptor, "w", encoding="utf-8") as file:
        json.dump(answer, file)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # The author's code may have closed or replaced it.
            continue
    os._exit(0)


def _describe(request: Request) -> dict[str, Any]:
    signatures = {
        mode: read_signature(load_target(ref, mode), mode) for mode, ref in request.refs.items()
    }
    run = signatures.get("run")
    return {
        "document": document(run, signatures.get("train"), request.version),
        "is_async": run is not None and run.is_async,
    }


def _limit(limits: dict[str, int]) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return
    for name, value in limits.items():
        number = getattr(resource, name, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        new = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(number, (new, new))
        except (OSError, ValueError):  # Not on this system.
            continue


def _explain(error: BaseException, project: str) -> dict[str, str]:
    if isinstance(error, LoadError):
        return _answer("missing", str(error))
    if isinstance(error, SignatureError):
        return _answer("signature", str(error), error.advice)
    if isinstance(error, SystemExit):
        return _answer(
            "exited", f"sys.exit({error.code!r})", "", _authors_traceback(error, project)
        )
    message = "".join(traceback.format_exception_only(type(error), error)).strip()
    # A syntax error names its file by its whole path.
    message = message.replace(project + os.sep, "")
    return _answer("raised", message, "", _authors_traceback(error, project))


def _answer(kind: str, message: str, advice: str = "", frames: str = "") -> dict[str, str]:
    return {"kind": kind, "message": message, "advice": advice, "traceback": frames}


def _authors_traceback(error: BaseException, project: str) -> str:
    """Return the traceback from the author's first frame to their last, without packages after it."""
    link = error.__traceback__
    while link is not None and not _is_authors(link.tb_frame.f_code.co_filename, project):
        link = link.tb_next
    frames = traceback.extract_tb(link)
    own = [n for n, frame in enumerate(frames) if _is_authors(frame.filename, project)]
    kept = [frame for frame in frames[: own[-1] + 1 if own else 0] if not _is_frozen(frame)]
    for frame in kept:
        if _is_authors(frame.filename, project):
            frame.filename = os.path.relpath(frame.filename, project)
    return "".join(traceback.format_list(kept)).rstrip()


def _is_authors(filename: str, project: str) -> bool:
    return filename.startswith(project + os.sep) and "site-packages" not in filename


def _is_frozen(frame: traceback.FrameSummary) -> bool:
    """Whether it belongs to the import system, of which nobody wants to read."""
    return frame.filename.startswith("<frozen")

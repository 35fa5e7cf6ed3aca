"""The shape of a record, for type checkers: what reads records is quick because it does not load this."""

from __future__ import annotations

from typing import TypedDict

from cogworks.repeat.files import Identity


class SourceRecord(TypedDict):
    """What the image has of the project, and how it got there.

    ``files`` is path -> (what it was, sha256); nothing in the first means that it is read again. ``watched`` has absolute paths.
    """

    directory: str
    run: str | None
    train: str | None
    concurrency_max: int | None
    weight_patterns: list[str]
    separate_weights: bool
    files: dict[str, tuple[Identity | None, str]]
    weights: list[str]
    watched: dict[str, Identity | None]
    warnings: list[str]
    revision: dict[str, str]


class ImageRecord(TypedDict):
    """The image; ``config`` and ``manifest`` are its documents, ``base_labels`` what its base says of itself."""

    config: str
    manifest: str
    document: str
    sbom: str
    artifact: str
    base: str
    base_name: str
    base_labels: dict[str, str]
    base_shown: str
    base_layer_count: int
    codec: str


class NameRecord(TypedDict):
    """What the image is called, and the file that tells which one has that name."""

    name: str
    path: str
    platform: str


class LoadedRecord(TypedDict):
    """Which image docker has: its name and id there, the daemon's socket, and what people call the program and the daemon."""

    name: str
    id: str
    socket: str
    program: str
    engine: str


class TargetRecord(TypedDict):
    """Where a push goes; ``url`` is empty if more than plain HTTP is needed, ``seen`` the file of what is known there."""

    registry: str
    repository: str
    tag: str
    url: str
    insecure: list[str]
    seen: str


class Record(TypedDict):
    """All of it.

    ``files`` has absolute paths, ``documents`` path -> sha256; ``top`` are the files of the layers that are made again;
    ``programs`` must not be installed.
    """

    looked_at: float
    files: dict[str, Identity | None]
    documents: dict[str, str]
    own_folders: list[str]
    own_stamp: str
    top: dict[str, Identity | None]
    source: SourceRecord
    image: ImageRecord
    name: NameRecord
    target: TargetRecord | None
    loaded: LoadedRecord | None
    rows: list[tuple[str, str]]
    warnings: list[str]
    programs: list[str]

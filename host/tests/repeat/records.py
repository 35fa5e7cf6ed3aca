"""A record of a call, for tests that change something in it."""

from __future__ import annotations

import time
from pathlib import Path

from cogworks.repeat.files import stamp_of
from cogworks.repeat.shape import Record


def record_of(project: Path) -> Record:
    """Return the record of a project without files, whose image has a layer below the two of the code."""
    layer = '{"digest":"","mediaType":"","size":0}'
    return {
        "looked_at": time.time(),
        "files": {},
        "documents": {},
        "top": {},
        "own_folders": [],
        "own_stamp": stamp_of([]),
        "source": {
            "directory": str(project),
            "run": "run.py:Runner",
            "train": None,
            "concurrency_max": None,
            "weight_patterns": [],
            "separate_weights": False,
            "files": {},
            "weights": [],
            "watched": {},
            "warnings": [],
            "revision": {},
        },
        "image": {
            "config": '{"config":{"Labels":{}},"rootfs":{"diff_ids":["a","b","c"]}}',
            "manifest": f'{{"config":{{}},"layers":[{layer},{layer},{layer}]}}',
            "document": "{}",
            "sbom": "{}",
            "artifact": '{"subject":{}}',
            "base": "",
            "base_name": "",
            "base_shown": "",
            "base_labels": {},
            "base_layer_count": 0,
            "codec": "GZIP",
        },
        "name": {"name": "m", "path": "", "platform": "linux/amd64"},
        "target": None,
        "loaded": None,
        "rows": [],
        "warnings": [],
        "programs": [],
    }

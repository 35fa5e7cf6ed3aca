"""A built wheel, written anew: the same files give the same bytes, whatever packed them, when, and in which order.

A wheel's digest is in keys of layers and in the bill of materials, so two machines have to agree on it. Nothing is
compressed: what a compressor makes of it depends on its version.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from cogworks.build.wheel_archive import WheelArchive

_TIME = (1980, 1, 1, 0, 0, 0)
"""The oldest that a zip archive can say."""
_UNIX = 3
_FILE, _PROGRAM = 0o100644, 0o100755


def repack(wheel: Path, target: Path) -> None:
    """Write a wheel anew, to a new file.

    Args:
        wheel: its name is that of the package.

    Raises:
        WheelError: it is damaged or unsafe.
    """
    with WheelArchive(wheel, wheel.name) as source, zipfile.ZipFile(target, "x") as archive:
        record = f"{source.dist_info}/RECORD"
        # Metadata comes last, as PEP 427 recommends it.
        names = sorted(source.record, key=lambda name: (name.startswith(source.dist_info), name))
        for name in names:
            info = _info(name, is_program=source.is_executable(name))
            info.file_size = source.members[name].file_size
            with archive.open(info, "w") as file:
                for chunk in source.chunks(name):
                    file.write(chunk)
        archive.writestr(_info(record), _record(source, names, record))


def _info(name: str, *, is_program: bool = False) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.create_system = _UNIX
    info.external_attr = (_PROGRAM if is_program else _FILE) << 16
    return info


def _record(source: WheelArchive, names: list[str], record: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name in names:
        recorded = source.record[name]
        size = source.members[name].file_size
        writer.writerow([name, recorded.hash_text, size])
    writer.writerow([record, "", ""])
    return text.getvalue()

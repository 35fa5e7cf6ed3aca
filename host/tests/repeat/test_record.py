from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from cogworks.repeat.files import identities, stamp_of
from cogworks.repeat.record import (
    GOOD_FOR_S,
    documents_of,
    is_code_unchanged,
    is_current,
    read_record,
    write_record,
)

from .records import record_of


def kept(tmp_path: Path, **changes: Any) -> str:
    path = str(tmp_path / "calls" / "a.json")
    write_record(path, {**record_of(tmp_path), **changes})  # type: ignore[typeddict-item]
    return path


def holds(path: str) -> bool:
    record = read_record(path)
    assert record is not None
    return is_current(record)


def test_a_record_of_today_is_read_again(tmp_path: Path) -> None:
    path = kept(tmp_path)
    found = read_record(path)
    assert found == json.loads(json.dumps(record_of(tmp_path) | {"looked_at": found["looked_at"]}))  # type: ignore[index]
    assert [one.name for one in (tmp_path / "calls").iterdir()] == ["a.json"]
    assert holds(path)


@pytest.mark.parametrize("age_s", [GOOD_FOR_S + 1, -60])
def test_one_of_another_day_holds_no_more(tmp_path: Path, age_s: float) -> None:
    assert not holds(kept(tmp_path, looked_at=time.time() - age_s))


def test_one_whose_files_have_changed_holds_no_more(tmp_path: Path) -> None:
    decides = tmp_path / "requirements.txt"
    decides.write_text("one")
    path = kept(tmp_path, files=identities([str(decides)]))
    assert holds(path)
    decides.write_text("more")
    assert not holds(path)


def test_documents_count_by_what_is_in_them(tmp_path: Path) -> None:
    document = tmp_path / "base.json"
    document.write_text("{}")
    path = kept(tmp_path, documents=documents_of([str(document)]))
    document.unlink()
    document.write_text("{}")
    assert holds(path)
    document.unlink()
    assert not holds(path)


def test_other_code_of_ours_makes_it_void(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    path = kept(tmp_path, own_folders=[str(own)], own_stamp=stamp_of([str(own)]))
    assert holds(path)
    (own / "new.py").touch()
    assert not holds(path)


@pytest.mark.parametrize("text", ["", "nothing", '{"looked_at": '])
def test_what_is_no_json_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert read_record(str(path)) is None


def test_code_is_looked_at_with_the_layers_that_are_made_of_it(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("one")
    (tmp_path / "blob").write_text("packed")
    record = record_of(tmp_path)
    known = identities([str(tmp_path / "run.py"), str(tmp_path / "blob")])
    record["source"]["files"] = {"run.py": (known[str(tmp_path / "run.py")], "")}
    record["top"] = {str(tmp_path / "blob"): known[str(tmp_path / "blob")]}
    assert is_code_unchanged(record)
    (tmp_path / "blob").write_text("cut")
    assert not is_code_unchanged(record)


def test_what_has_to_be_read_again_is_never_unchanged(tmp_path: Path) -> None:
    record = record_of(tmp_path)
    record["source"]["watched"] = {str(tmp_path): []}
    assert not is_code_unchanged(record)

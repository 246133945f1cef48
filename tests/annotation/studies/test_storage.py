"""Files are there wholly or not at all."""

import io
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from annotation.studies import files
from annotation.studies.storage import DurableFileSystemStorage


def test_a_file_is_synced_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    for name in ("fsync", "link"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name), events))
    DurableFileSystemStorage(location=tmp_path).save("a/b.bin", ContentFile(b"content"))
    assert events == ["fsync", "link", "fsync"]
    assert [one.name for one in (tmp_path / "a").iterdir()] == ["b.bin"]


def test_files_are_waited_for_together_and_then_have_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    for name in ("fsync", "rename"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name), events))
    storage = DurableFileSystemStorage(location=tmp_path)
    contents = {f"a/{number}/b.bin": b"content %d" % number for number in range(3)}
    storage.save_new({name: io.BytesIO(content) for name, content in contents.items()})
    assert events[:6] == ["fsync"] * 3 + ["rename"] * 3
    assert len(events[6:]) >= 4, "each folder, and the one that they are in"
    assert set(events[6:]) == {"fsync"}
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents
    assert all(len(list((tmp_path / name).parent.iterdir())) == 1 for name in contents)
    storage.save_new({name: io.BytesIO(b"other") for name in contents})
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents


def test_what_is_stored_again_counts_as_stored_now(tmp_path: Path) -> None:
    storage = DurableFileSystemStorage(location=tmp_path)
    storage.save_new({"a/b.bin": io.BytesIO(b"content")})
    os.utime(tmp_path / "a/b.bin", (1000, 1000))
    before = time.time() - 1
    storage.save_new({"a/b.bin": io.BytesIO(b"content")})
    assert (tmp_path / "a/b.bin").stat().st_mtime >= before


def test_what_a_writer_left_that_was_killed_goes_when_it_is_old(tmp_path: Path) -> None:
    storage = DurableFileSystemStorage(location=tmp_path)
    old, new = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    names = [".new-1", "a/b/.new-2", "a/b/c.bin", "a/.new-3"]
    (tmp_path / "a/b").mkdir(parents=True)
    for name, written in zip(names, [old, old, old, new], strict=True):
        (tmp_path / name).write_bytes(b"names a patient")
        os.utime(tmp_path / name, (written.timestamp(), written.timestamp()))
    assert storage.remove_unfinished(new - timedelta(days=1)) == 2
    assert [(tmp_path / name).exists() for name in names] == [False, False, True, True]


def test_of_files_of_which_one_fails_none_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = DurableFileSystemStorage(location=tmp_path)
    broken = io.BytesIO(b"content")
    monkeypatch.setattr(broken, "read", lambda _size: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(OSError, match="No space left"):
        storage.save_new({"a/b.bin": io.BytesIO(b"content"), "a/c.bin": broken})
    assert list((tmp_path / "a").iterdir()) == []


def noted(name: str, call: Callable[..., None], events: list[str]) -> Callable[..., None]:
    """The call itself, with its name written down."""

    def noting(*arguments: Any) -> None:
        events.append(name)
        call(*arguments)

    return noting


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    storage = DurableFileSystemStorage(location=tmp_path)
    broken = ContentFile(b"content")
    broken.chunks = lambda chunk_size=None: (_ for _ in ()).throw(OSError(28, "No space left on device"))  # type: ignore[method-assign]
    with pytest.raises(OSError, match="No space left"):
        storage.save("a/b.bin", broken)
    assert list((tmp_path / "a").iterdir()) == []


def test_the_same_content_from_many_sides_is_stored_once() -> None:
    content = os.urandom(5000)
    digest = files.digest_of(io.BytesIO(content))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: files.put(files.instance_name(digest), io.BytesIO(content)), range(24)))
    folder = Path(default_storage.path(files.instance_name(digest))).parent
    assert [one.name for one in folder.iterdir() if digest in one.name] == [f"{digest}.dcm"]
    assert files.read_span(files.instance_name(digest), 10, 20) == content[10:30]

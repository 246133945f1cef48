"""Make a backup while the system runs: the database first, then the files that it names, then the keys."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection

from annotation.exchange.lifecycle.backup import databases
from annotation.exchange.lifecycle.backup.archive import (
    Archive,
    BackupError,
    Held,
    Manifest,
    held_in,
    merged,
)
from annotation.exchange.lifecycle.models import Erasure
from annotation.studies import durable
from annotation.studies.files import other_form
from audit.models import Head

Progress = Callable[[float, str], None]
SECRETS, ERASURES = "secrets.json", "erasures.json"


@dataclass(frozen=True)
class Made:
    """A backup that was made. copied: files whose content was not there before."""

    stamp: str
    files: int
    copied: int
    copied_bytes: int
    removed: int


def make_backup(root: Path, *, now: datetime, progress: Progress) -> Made:
    """Write a backup; files that an earlier one holds are not copied again.

    A file is stored before the row that names it, so the files that are listed after the database was written
    are all that it names.
    raises: BackupError.
    """
    if settings.HOME.root in [root.resolve(), *root.resolve().parents]:
        raise BackupError(f"{root} lies in the data directory: a backup belongs on another disk")
    archive = Archive(root)
    with archive.writing():
        before = archive.newest()
        known = {one.name: one for one in before.files} if before else {}
        with archive.new(now) as folder:
            progress(0.05, "Writing the database")
            head = head_now()
            name = databases.dump(folder)
            files, fresh = collected(archive, known, progress)
            manifest = Manifest(
                made_at=now.isoformat(timespec="seconds"),
                vendor=connection.vendor,
                database=held_in(folder, name),
                files=files,
                secrets=secrets_into(folder),
                head=head,
            )
            manifest.write(folder)
            stamp = folder.name.partition(".")[0]
        note_erasures(root)
        removed = archive.prune(now, settings.BACKUP_DAYS)
    return Made(stamp, len(files), len(fresh), sum(one.size for one in fresh), removed)


def head_now() -> str:
    """Name the audit chain's last link: asked before the database is written, it is in there."""
    head = Head.objects.filter(id=1).first() or Head()
    return f"{head.sequence}:{head.hash}"


def collected(archive: Archive, known: dict[str, Held], progress: Progress) -> tuple[list[Held], list[Held]]:
    """Bring every stored file into the pool; gives all of them, and those whose content was copied."""
    names = sorted(stored_names())
    held, fresh = [], []
    for place, name in enumerate(names):
        one = known.get(name)
        if one is None or not archive.place(one.digest).exists():
            one = taken(archive, name)
            fresh += [one] if one else []
        held += [one] if one else []
        if place % 500 == 0:
            progress(0.1 + 0.8 * place / len(names), f"{place} of {len(names)} files")
    return held, fresh


def taken(archive: Archive, name: str) -> Held | None:
    """Copy one stored file, in its other form if it changed; none where it was removed (expired, erased)."""
    for form in filter(None, (name, other_form(name))):
        with suppress(FileNotFoundError), default_storage.open(form, "rb") as stored:
            return archive.keep(form, stored)
    return None


def stored_names(folder: str = "") -> Iterator[str]:
    """Name every file of the store; files that are being written have no name yet."""
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        if name and not name.startswith(durable.UNFINISHED):
            yield f"{folder}{name}"
    for name in folders:
        yield from stored_names(f"{folder}{name}/")


def secrets_into(folder: Path) -> Held | None:
    """Put the keys beside the database, for the owner's eyes; none where the environment gives them."""
    source = settings.HOME.root / SECRETS
    if not source.exists():
        return None
    durable.write(folder / SECRETS, source.read_bytes())
    return held_in(folder, SECRETS)


def note_erasures(root: Path) -> None:
    """Keep the list of who was erased beside the backups: what an older one brings back is erased again."""
    path = root / ERASURES
    older: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    done = Erasure.objects.filter(done_at__isnull=False).order_by("done_at")
    newer = [{"erasure": str(one.pk), "dataset": str(one.dataset_id), "subject": one.subject} for one in done]
    durable.replace(path, json.dumps(merged(older, newer)).encode())

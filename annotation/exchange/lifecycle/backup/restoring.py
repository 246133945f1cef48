"""Put a backup back: into an empty system, every file checked on its way, the database last."""

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection

from annotation.exchange.lifecycle.backup import databases
from annotation.exchange.lifecycle.backup.archive import (
    Archive,
    BackupError,
    Held,
    Manifest,
    problem_of,
)
from annotation.exchange.lifecycle.backup.making import SECRETS, stored_names
from annotation.studies import durable

Progress = Callable[[float, str], None]
MOST_NAMED = 20


def restore(root: Path, *, stamp: str, force: bool, progress: Progress) -> Manifest:
    """Bring files, keys and database back; the database is put in place only when all files are whole.

    force: overwrite what is there. The caller starts a new process before it reads what was restored.
    raises: BackupError naming what is in the way, missing or corrupt.
    """
    archive = Archive(root)
    folder = archive.folder(stamp)
    manifest = Manifest.read(folder)
    if manifest.vendor != connection.vendor:
        raise BackupError(f"this backup is of {manifest.vendor}, the settings name {connection.vendor}")
    if not force:
        check_empty()
    own = [one for one in (manifest.database, manifest.secrets) if one is not None]
    problems = [problem for one in own if (problem := problem_of(one, folder / one.name))]
    problems += files_back(archive, manifest, progress)
    if problems:
        raise BackupError(told(problems))
    if manifest.secrets is not None:
        durable.write(settings.HOME.root / SECRETS, (folder / SECRETS).read_bytes())
    progress(0.95, "Putting the database in place")
    databases.load(folder / manifest.database.name)
    return manifest


def check_empty() -> None:
    """Make sure that nothing is overwritten.

    raises: BackupError.
    """
    advice = "restore into an empty data directory, or say --force to overwrite what is here"
    try:
        databases.check_empty()
    except BackupError as error:
        raise BackupError(f"{error}: {advice}") from None
    if next(stored_names(), None) is not None:
        raise BackupError(f"there are files in the store already: {advice}")


def files_back(archive: Archive, manifest: Manifest, progress: Progress) -> list[str]:
    """Store every file under its name; gives what is missing or corrupt."""
    problems = []
    for place, one in enumerate(manifest.files):
        problems += file_back(archive, one)
        if place % 500 == 0:
            progress(0.9 * place / len(manifest.files), f"{place} of {len(manifest.files)} files")
    return problems


def file_back(archive: Archive, held: Held) -> list[str]:
    """Check one file and store it under its name."""
    path = archive.place(held.digest)
    problem = problem_of(held, path)
    if problem:
        return [problem]
    if default_storage.exists(held.name):
        default_storage.delete(held.name)
    with path.open("rb") as stream:
        default_storage.save(held.name, File(stream))
    return []


def told(problems: list[str]) -> str:
    """Name what is wrong, the first of many."""
    more = f"\n… and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
    lines = "\n".join(problems[:MOST_NAMED])
    head = f"{len(problems)} of the backup's files cannot be used, so the database was not touched"
    return f"{head}:\n{lines}{more}"

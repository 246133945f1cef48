"""Writes of label imports: handed in and checked, agreed to and written, or discarded; each is audited."""

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final
from uuid import uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from annotation.exchange.labels.checking import Asked, Found
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.labels.naming import MappingError, Names
from annotation.exchange.labels.statements import FORMATS
from annotation.projects.models import Project
from annotation.projects.questions import questions_of
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.selectors import organises, protocol_in_force
from annotation.projects.services import record_act
from annotation.readings.models import Source
from annotation.studies import files
from jobs.models import Job, Lane
from jobs.services import ask

State = LabelImport.State
FOLDER: Final = "label-imports"
LONGEST_NAME: Final = 50  # leaves room for a reader's pseudonym behind it
LONGEST_TITLE: Final = 100


@dataclass(frozen=True)
class Wanted:
    """What is asked of a file."""

    source_name: str
    use: str
    format: str
    mapping: Mapping[str, str]


def checked_wanted(project: Project, wanted: Wanted) -> Wanted:
    """Hold what is asked against the project's protocol.

    raises: RefusedError.
    """
    name = wanted.source_name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise RefusedError(f"the source's name has {len(name)} characters: give 1 to {LONGEST_NAME}")
    if wanted.format not in FORMATS:
        raise RefusedError(f'format is "{wanted.format}": choose one of {", ".join(FORMATS)}')
    if wanted.use not in Source.Use.values:
        raise RefusedError(f'use is "{wanted.use}": choose one of {", ".join(Source.Use.values)}')
    try:
        Names(questions_of(protocol_in_force(project.pk).questions), wanted.mapping)
    except MappingError as error:
        raise RefusedError(str(error)) from None
    return Wanted(name, wanted.use, wanted.format, dict(wanted.mapping))


def open_import(
    *, project: Project, wanted: Wanted, title: str, digest: str, by: User | None, now: datetime
) -> LabelImport:
    """Announce a file of labels.

    raises: RefusedError.
    """
    good = checked_wanted(project, wanted)
    return LabelImport.objects.create(
        project=project,
        source_name=good.source_name,
        use=good.use,
        format=good.format,
        mapping=dict(good.mapping),
        file_title=title[-255:],
        file_digest=digest,
        requested_by=by,
        created_at=now,
    )


@dataclass(frozen=True)
class Handed:
    """A file as it was sent: what it is called, and its bytes."""

    title: str
    content: IO[bytes]


def hand_in(
    *,
    project: Project,
    wanted: Wanted,
    handed: Handed,
    by: User,
    now: datetime,
    address: str = "",
) -> LabelImport:
    """Keep a file of labels, and ask for its check; while the file is stored, others write.

    raises: RefusedError.
    """
    checked_wanted(project, wanted)
    handed.content.seek(0)
    digest = hashlib.file_digest(handed.content, "sha256").hexdigest()  # type: ignore[arg-type]  # seeks
    handed.content.seek(0)
    stored = default_storage.save(f"{FOLDER}/{uuid4()}", File(handed.content))
    try:
        with transaction.atomic():
            made = open_import(
                project=project, wanted=wanted, title=handed.title, digest=digest, by=by, now=now
            )
            made.file_name, made.job_id = stored, ask_job(made, by).pk
            made.save(update_fields=["file_name", "job_id"])
            note(made, "labels.check", by=by, address=address)
    except BaseException:
        files.remove(stored)
        raise
    return made


def ask_job(asked: LabelImport, by: User | None) -> Job:
    """Ask for the next step."""
    return ask(
        name="import_labels",
        lane=Lane.TRANSFER,
        arguments={"label_import_id": str(asked.pk)},
        requested_by=by,
        scope_id=asked.project_id,
    )


@transaction.atomic
def agree(*, asked: LabelImport, by: User, address: str = "") -> LabelImport:
    """Have what was previewed written.

    raises: RefusedError where it is not waiting for that.
    """
    locked = LabelImport.objects.select_for_update().get(pk=asked.pk)
    if locked.state != State.CHECKED:
        raise RefusedError(
            f"this import is {locked.get_state_display().lower()}: there is nothing to agree to"
        )
    locked.state, locked.requested_by = State.WRITING, by
    locked.job_id = ask_job(locked, by).pk
    locked.save(update_fields=["state", "requested_by", "job_id"])
    note(locked, "labels.agree", by=by, address=address)
    return locked


@transaction.atomic
def discard(*, asked: LabelImport, by: User | None, now: datetime, address: str = "") -> None:
    """Drop a file of labels that was not written.

    raises: RefusedError.
    """
    locked = LabelImport.objects.select_for_update().get(pk=asked.pk)
    if locked.state not in (State.CHECKED, State.FAILED):
        raise RefusedError(f"this import is {locked.get_state_display().lower()}: it cannot be discarded now")
    drop_file(locked)
    locked.state, locked.finished_at = State.DISCARDED, now
    locked.save(update_fields=["state", "finished_at", "file_name"])
    note(locked, "labels.discard", by=by, address=address)


def drop_file(asked: LabelImport) -> None:
    """Delete the file once the transaction stands."""
    name, asked.file_name = asked.file_name, ""
    if name:
        transaction.on_commit(lambda: files.remove(name))


def drop_forgotten(*, now: datetime) -> int:
    """Discard files of labels that nobody has said a word about for as long as exports are kept.

    returns: how many.
    """
    since = now - timedelta(days=settings.EXPORT_DAYS)
    waiting = LabelImport.objects.filter(state__in=(State.CHECKED, State.FAILED), created_at__lt=since)
    forgotten = list(waiting.exclude(file_name=""))
    for one in forgotten:
        discard(asked=one, by=None, now=now)
    return len(forgotten)


@transaction.atomic
def finish(*, asked: LabelImport, state: str, found: Found, now: datetime) -> None:
    """Write what a step came to, in the transaction that ends its job; a written file is not kept."""
    asked.state, asked.counts = state, dict(found.counts)
    asked.lines = [list(one) for one in found.sorted_lines()]
    asked.error, asked.finished_at = "", now if state == State.DONE else None
    if state == State.DONE:
        drop_file(asked)
        note(asked, "labels.import", by=asked.requested_by)
    asked.save(update_fields=["state", "counts", "lines", "error", "finished_at", "file_name"])


def fail(*, asked: LabelImport, error: str) -> None:
    """Say why a file could not be read."""
    LabelImport.objects.filter(pk=asked.pk).update(state=State.FAILED, error=error[:500])


def check_requester(asked: LabelImport) -> None:
    """Check once more, when the work begins, that who asked may do it.

    raises: ForbiddenError.
    """
    by = asked.requested_by
    if by is None or not by.is_active or not may_import(by, asked.project):
        raise ForbiddenError("who asked for this import may not import labels into the project any more")


def may_import(user: User, project: Project) -> bool:
    """Whether a person may bring labels in: ML staff, and administrators who do not read in the project."""
    return organises(user, project.pk)


def asked_of(row: LabelImport) -> Asked:
    """Give what is asked of a file."""
    return Asked(row.project, row.source_name, row.format, row.mapping)


@contextmanager
def as_file(row: LabelImport) -> Iterator[Path]:
    """Lay a kept file into a folder of its own, under the name that it came with."""
    name = re.sub(r"[^\w.\-]", "_", Path(row.file_title).name)[-LONGEST_TITLE:].lstrip(".") or "labels"
    with tempfile.TemporaryDirectory(prefix="fovea-labels-") as folder:
        target = Path(folder) / name
        with default_storage.open(row.file_name, "rb") as stored, target.open("wb") as written:
            while block := stored.read(1024 * 1024):
                written.write(block)
        yield target


def note(asked: LabelImport, action: str, *, by: User | None, address: str = "") -> None:
    """Audit a step: the file by its digest, the source by its name, readings by number."""
    kept = ("new", "changed", "same", "invalid", "unmatched")
    details: dict[str, Any] = {
        "import": str(asked.pk),
        "source": asked.source_name,
        "use": asked.use,
        "format": asked.format,
        "file": asked.file_digest[:16],
    }
    counts = {name: asked.counts[name] for name in kept if asked.counts.get(name)}
    record_act(action, asked.project_id, by=by, details=details | counts, address=address)

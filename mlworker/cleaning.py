"""The job that removes what nobody needs any more: left uploads, half files, checkpoints, refused weights."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.answers import forget_answers
from annotation.exchange import uploads
from annotation.exchange.lifecycle.backup.making import stored_names
from annotation.learning.models import Encoder, Policy, Promotion
from annotation.studies import files
from annotation.studies.models import Dataset, Import
from annotation.studies.originals import remove_unclaimed, unclaimed
from jobs.models import OPEN, Job, Lane
from jobs.services import ask
from mlworker.runtime import Work
from notices.services import forget_old

NAME = "clean_up"
EVERY, KEPT = timedelta(days=1), timedelta(days=7)
NOTICES_KEPT = timedelta(days=90)
WEIGHTS_KEPT = 3
INCOMING = "incoming/"
ORIGINALS_AT_ONCE = 500
UNSENT = "it was not sent to its end within a week: send it again"


def clean_up(work: Work) -> None:
    """Remove it, kind by kind."""
    now = timezone.now()
    removed = len(clean_uploads(now)) + len(clean_checkpoints(now)) + len(clean_weights())
    removed += len(clean_incoming(now))
    removed += forget_answers(now=now) + forget_old(now=now, before=now - NOTICES_KEPT)
    removed += clean_originals(now) + files.remove_unfinished(now - EVERY)
    work.progress(1.0, f"{removed} things removed")


def ask_cleaning(*, now: datetime) -> Job | None:
    """Ask for it once a day."""
    if Job.objects.filter(name=NAME, created_at__gt=now - EVERY).exists():
        return None
    return ask(name=NAME, lane=Lane.LIGHT, arguments={}, singleton_key=NAME)


def clean_uploads(now: datetime) -> list[UUID]:
    """Remove uploads whose import has ended, or that were not sent or read to their end within a week."""
    named = {key: written_at(path) for path, key in named_by_id(settings.HOME.spool) if path.is_dir()}
    rows = Import.objects.in_bulk(list(named))
    gone = [key for key, written in named.items() if is_left(rows.get(key), written, now)]
    waiting = Import.objects.filter(pk__in=gone, state=Import.State.WAITING)
    waiting.update(state=Import.State.FAILED, error=UNSENT, finished_at=now)
    for key in gone:
        uploads.remove(settings.HOME.spool, key)
    return gone


def is_left(delivery: Import | None, written: datetime, now: datetime) -> bool:
    """Whether nobody will read an upload any more; its folder may be there a moment before its row."""
    if delivery is None:
        return written < now - EVERY
    if delivery.state == Import.State.DONE:
        return True
    return delivery.state != Import.State.RUNNING and delivery.created_at < now - KEPT


def clean_originals(now: datetime) -> int:
    """Remove originals that a broken import left without an image, a day after they were stored."""
    digests = (Path(name).stem for name in stored_names(files.ORIGINALS))
    removed = 0
    while part := list(islice(digests, ORIGINALS_AT_ONCE)):
        left = {digest: files.original_name(digest) for digest in unclaimed(part)}
        late = [key for key, name in left.items() if default_storage.get_modified_time(name) < now - EVERY]
        remove_unclaimed(late)
        removed += len(late)
    return removed


def clean_incoming(now: datetime) -> list[str]:
    """Remove weights that were sent a day ago and that no job will check any more."""
    waiting = Job.objects.filter(arguments__has_key="stored", state__in=OPEN)
    named = {one["stored"] for one in waiting.values_list("arguments", flat=True)}
    names = [name for name in stored_names(INCOMING) if name not in named]
    late = [name for name in names if default_storage.get_modified_time(name) < now - EVERY]
    for name in late:
        files.remove(name)
    return late


def clean_checkpoints(now: datetime) -> list[UUID]:
    """Remove checkpoints of trainings that ended in any way and that nobody resumed within a week."""
    gone = []
    for path, key in named_by_id(settings.HOME.root / "checkpoints"):
        jobs = Job.objects.filter(arguments__checkpoint=str(key))
        ended = [one.finished_at for one in jobs if one.finished_at is not None]
        if jobs.filter(state__in=OPEN).exists() or max([*ended, written_at(path)]) > now - KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        gone.append(key)
    return gone


def written_at(path: Path) -> datetime:
    """When a file or folder was last changed."""
    return datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_default_timezone())


def named_by_id(folder: Path) -> Iterator[tuple[Path, UUID]]:
    """Give the entries of a folder whose names are ids."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            yield path, UUID(path.name.partition(".")[0])
        except ValueError:
            continue


def clean_weights() -> list[str]:
    """Remove the weights of encoders that were trained here and refused, but for the newest of a data set."""
    names = [name for dataset in Dataset.objects.all() for name in refused_weights(dataset)]
    for name in names:
        Encoder.objects.filter(weights_name=name).update(weights_name="")
        files.remove(name)
    return names


def refused_weights(dataset: Dataset) -> list[str]:
    """Name the weights that no project uses, used or shares, oldest last."""
    trained = Encoder.objects.filter(dataset=dataset, report__has_key="method").exclude(weights_name="")
    used = {
        *Policy.objects.filter(encoder__isnull=False).values_list("encoder__weights_name", flat=True),
        *Promotion.objects.filter(promoted=True).values_list("encoder__weights_name", flat=True),
        *Promotion.objects.filter(promoted=True).values_list("previous__weights_name", flat=True),
        *Encoder.objects.exclude(dataset=dataset).values_list("weights_name", flat=True),
    }
    names = trained.order_by("-created_at").values_list("weights_name", flat=True)
    return [name for name in names if name not in used][WEIGHTS_KEPT:]

"""Writes of studies: what the door let in becomes rows, what it kept out is held. One transaction each."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.studies import files, originals
from annotation.studies.batches import Batch, Taken
from annotation.studies.door.options import known_options
from annotation.studies.intake import Judged
from annotation.studies.models import Dataset, Instance, QuarantinedFile, Series
from annotation.studies.rules import content_digest
from audit.services import record

GRACE = timedelta(days=7)  # how long a discarded file can be brought back


class NotHeldError(Exception):
    """A file is no longer in quarantine: somebody has decided already."""


@transaction.atomic
def store(
    *, dataset: Dataset, judged: Sequence[Judged], project_id: UUID | None, now: datetime
) -> list[Taken]:
    """Write a batch's rows; what is there already stays as it is.

    returns: one answer a file, in the batch's order. Imports into one data set wait for each other here.
    """
    locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
    batch = Batch.of(locked, judged, project_id=project_id, now=now)
    answers = [batch.take(one) for one in judged]
    Instance.objects.bulk_create(batch.fresh)
    QuarantinedFile.objects.bulk_create(batch.held)
    refresh_content_digests({instance.series_id for instance in batch.fresh})
    if not_kept := batch.originals_not_kept(judged):
        transaction.on_commit(lambda: originals.remove_unclaimed(not_kept))
    return answers


def refresh_content_digests(series_ids: Collection[UUID]) -> None:
    """Name series by what is in them now."""
    contents: dict[UUID, list[tuple[str, str]]] = {series_id: [] for series_id in series_ids}
    rows = Instance.objects.filter(series__in=series_ids)
    for series_id, uid, digest in rows.values_list("series_id", "sop_instance_uid", "digest"):
        contents[series_id].append((uid, digest))
    changed = [
        Series(pk=series_id, content_digest=content_digest(found)) for series_id, found in contents.items()
    ]
    Series.objects.bulk_update(changed, ["content_digest"])


def held_file(quarantined_id: UUID) -> QuarantinedFile:
    """Lock a file of the quarantine for a decision.

    raises: NotHeldError where it was decided already, QuarantinedFile.DoesNotExist.
    """
    held = QuarantinedFile.objects.select_for_update(of=("self",)).get(pk=quarantined_id)
    if held.state != QuarantinedFile.State.HELD:
        raise NotHeldError(f"this file was {held.get_state_display().lower()} already")
    return held


def decide(held: QuarantinedFile, *, state: QuarantinedFile.State, by: User, now: datetime) -> None:
    """Write an admin's decision and its audit event, in the caller's transaction."""
    held.state, held.decided_by, held.decided_at = state, by, now
    held.save(update_fields=["state", "decided_by", "decided_at", "kept_until", "masks"])
    _record_decision(held, state.value, by)


def _record_decision(held: QuarantinedFile, what: str, by: User) -> None:
    record(
        actor=str(by.pk),
        action=f"quarantine.{what}",
        object_type="quarantined_file",
        object_id=str(held.pk),
        details={"kind": held.kind, "masks": len(held.masks)},
    )


@transaction.atomic
def discard_quarantined(*, quarantined_id: UUID, by: User, now: datetime) -> QuarantinedFile:
    """Keep a file out: its row says who decided; its bytes go when nobody brings it back in time.

    raises: NotHeldError, QuarantinedFile.DoesNotExist.
    """
    held = held_file(quarantined_id)
    held.kept_until = now + GRACE
    decide(held, state=QuarantinedFile.State.DISCARDED, by=by, now=now)
    drop_discarded(now=now)
    return held


@transaction.atomic
def bring_back(*, quarantined_id: UUID, by: User, now: datetime) -> QuarantinedFile:
    """Take a discard back: the file is held again, as if nobody had decided.

    raises: NotHeldError where its bytes are gone, or it was not discarded, QuarantinedFile.DoesNotExist.
    """
    held = QuarantinedFile.objects.select_for_update(of=("self",)).get(pk=quarantined_id)
    if held.state != QuarantinedFile.State.DISCARDED or held.kept_until is None or held.kept_until < now:
        raise NotHeldError("this file cannot be brought back: its bytes are gone, or it was not discarded")
    held.state, held.decided_by, held.decided_at = QuarantinedFile.State.HELD, None, None
    held.kept_until = None
    held.save(update_fields=["state", "decided_by", "decided_at", "kept_until"])
    _record_decision(held, "returned", by)
    return held


@transaction.atomic
def drop_discarded(*, now: datetime) -> int:
    """Delete the bytes of discarded files that nobody brought back in time; returns how many."""
    late = QuarantinedFile.objects.select_for_update().filter(kept_until__lt=now)
    digests = list(late.values_list("source_digest", flat=True))
    late.update(kept_until=None)
    transaction.on_commit(lambda: remove_all_held_bytes(digests))
    return len(digests)


def remove_held_bytes(source_digest: str) -> None:
    """Delete a decided file and its preview from the quarantine."""
    files.remove(files.quarantine_name(source_digest))
    files.remove(files.preview_name(source_digest))


def remove_all_held_bytes(source_digests: Collection[str]) -> None:
    """Delete several files and their previews from the quarantine."""
    for digest in source_digests:
        remove_held_bytes(digest)


@transaction.atomic
def choose_options(*, dataset: Dataset, options: Collection[str], by: User) -> Dataset:
    """Put de-identification options in force for a data set's later imports; the choice is audited."""
    locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
    before, after = known_options(locked.deidentification), known_options(list(options))
    locked.deidentification = list(after)
    locked.save(update_fields=["deidentification"])
    record(
        actor=str(by.pk),
        action="deidentification.options",
        object_type="dataset",
        object_id=str(locked.pk),
        details={"before": " ".join(before), "after": " ".join(after)},
    )
    return locked

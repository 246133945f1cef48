"""Writes of studies: what the door let in becomes rows, what it kept out is held. One transaction each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from annotation.studies import files
from annotation.studies.batches import Batch, Taken
from annotation.studies.intake import Judged
from annotation.studies.models import Dataset, Instance, QuarantinedFile, Series
from annotation.studies.rules import content_digest
from audit.services import record


class NotHeldError(Exception):
    """A file is no longer in quarantine: somebody has decided already."""


@transaction.atomic
def store(
    *, dataset: Dataset, judged: Sequence[Judged], project_id: UUID | None, now: datetime
) -> list[Taken]:
    """Write a batch's rows; what is there already stays as it is.

    returns: one answer a file, in the batch's order. Imports into one data set wait for each other here.
    """
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    batch = Batch.of(dataset, judged, project_id=project_id, now=now)
    answers = [batch.take(one) for one in judged]
    Instance.objects.bulk_create(batch.fresh)
    QuarantinedFile.objects.bulk_create(batch.held)
    refresh_content_digests({instance.series_id for instance in batch.fresh})
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
    held.save(update_fields=["state", "decided_by", "decided_at"])
    record(
        actor=str(by.pk),
        action=f"quarantine.{state.value}",
        object_type="quarantined_file",
        object_id=str(held.pk),
        details={"kind": held.kind},
    )


@transaction.atomic
def discard_quarantined(*, quarantined_id: UUID, by: User, now: datetime) -> QuarantinedFile:
    """Keep a file out for good: its bytes are deleted, its row says who decided.

    raises: NotHeldError, QuarantinedFile.DoesNotExist.
    """
    held = held_file(quarantined_id)
    decide(held, state=QuarantinedFile.State.DISCARDED, by=by, now=now)
    digest = held.source_digest
    transaction.on_commit(lambda: remove_held_bytes(digest))
    return held


def remove_held_bytes(source_digest: str) -> None:
    """Delete a decided file and its preview from the quarantine."""
    files.remove(files.quarantine_name(source_digest))
    files.remove(files.preview_name(source_digest))

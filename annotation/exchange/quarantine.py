"""An admin decides about a held file: clear its pixels, and it comes in like any other; or discard it."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotation.exchange.imports import make_cases
from annotation.learning.services import ask_embed
from annotation.projects.models import Project
from annotation.studies import files
from annotation.studies.batches import OTHER_CONTENT, Taken
from annotation.studies.certificates import with_deeds
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.intake import Arrival, Intake, Judged, Treatment
from annotation.studies.models import Import, ImportedFile, Instance, QuarantinedFile
from annotation.studies.services import (
    NotHeldError,
    bring_back,
    decide,
    discard_quarantined,
    held_file,
    remove_held_bytes,
    store,
)

__all__ = ["NotClearableError", "bring_back", "clear_alike", "clear_quarantined", "discard_quarantined"]

IN_MEMORY_BYTES = 8 * 1024 * 1024
MOST_AT_ONCE = 200  # images that one request clears: about a tenth of a second each


class NotClearableError(Exception):
    """A held file cannot be let in, cleared or not; the message says why."""


@dataclass(frozen=True)
class HeldFile:
    """The bytes of a quarantined file, as something that can be delivered again."""

    path: str
    size: int

    def open(self) -> BinaryIO:
        """Copy it into a temporary file: the file store may be far away."""
        copy = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        with default_storage.open(self.path) as stored:
            shutil.copyfileobj(stored, copy)
        copy.rollover()
        copy.seek(0)
        return cast("BinaryIO", copy)


@dataclass
class Cleared:
    """What became of several held files that were to be cleared alike."""

    done: int = 0
    left: int = 0
    problems: list[str] = field(default_factory=list)


def clear_quarantined(
    *, quarantined_id: UUID, by: User, now: datetime, masks: Sequence[Sequence[int]] = ()
) -> Instance:
    """Let a held image in after a human has looked at its pixels: it becomes a case of its project.

    The file goes through the door once more, in this process' own sandbox, before the transaction.
    masks: (left, top, right, bottom) in pixels, the last two excluded: overwritten in every frame.
    raises: QuarantinedFile.DoesNotExist, NotHeldError, NotClearableError.
    """
    held = clearable(quarantined_id)
    with Sandbox(1) as door:
        judged = _judge_again(held, masks, door)
    return _let_in(held, judged, masks, by=by, now=now)


def clear_alike(*, quarantined_id: UUID, by: User, now: datetime, masks: Sequence[Sequence[int]]) -> Cleared:
    """Mask and let in a held image and those of the same device, series and size, MOST_AT_ONCE at a time.

    raises: QuarantinedFile.DoesNotExist, NotHeldError, NotClearableError.
    """
    first = clearable(quarantined_id)
    found = [first, *alike(first).exclude(pk=first.pk)[:MOST_AT_ONCE]]
    cleared = Cleared(left=alike(first).exclude(pk=first.pk).count() + 1 - len(found))
    with Sandbox(1) as door:
        for held in found:
            try:
                _let_in(held, _judge_again(held, masks, door), masks, by=by, now=now)
                cleared.done += 1
            except (NotHeldError, NotClearableError) as error:
                cleared.problems.append(str(error))
    return cleared


def alike(held: QuarantinedFile) -> QuerySet[QuarantinedFile]:
    """Held images of the same device, series and size; itself alone where the file names none."""
    waiting = QuarantinedFile.objects.select_related("dataset").filter(
        dataset=held.dataset_id,
        project_id=held.project_id,
        state=QuarantinedFile.State.HELD,
        kind=QuarantinedFile.Kind.PIXELS,
    )
    return waiting.filter(likeness=held.likeness) if held.likeness else waiting.filter(pk=held.pk)


def clearable(quarantined_id: UUID) -> QuarantinedFile:
    """Look up a held image whose pixels a human may clear.

    raises: QuarantinedFile.DoesNotExist, NotClearableError.
    """
    held = QuarantinedFile.objects.select_related("dataset").get(pk=quarantined_id)
    if held.kind != QuarantinedFile.Kind.PIXELS:
        raise NotClearableError(f"this file cannot be used, whatever its pixels show: {held.reason}")
    return held


def _let_in(
    held: QuarantinedFile, judged: Judged, masks: Sequence[Sequence[int]], *, by: User, now: datetime
) -> Instance:
    with transaction.atomic():
        locked = held_file(held.pk)
        [taken] = store(dataset=held.dataset, judged=[judged], project_id=held.project_id, now=now)
        instance = _instance_of(taken)
        locked.masks = [list(box) for box in masks]
        decide(locked, state=QuarantinedFile.State.CLEARED, by=by, now=now)
        ImportedFile.objects.filter(quarantined_file=locked).update(instance=instance)
        _count_deeds(locked, taken)
        _make_case(held, taken, by=by, now=now)
        transaction.on_commit(lambda: remove_held_bytes(held.source_digest))
    return instance


def _count_deeds(held: QuarantinedFile, taken: Taken) -> None:
    """Add what was done to the file to the certificate of the delivery that brought it."""
    first = _delivery_of(held)
    if first is not None:
        locked = Import.objects.select_for_update().get(pk=first.pk)
        Import.objects.filter(pk=locked.pk).update(deeds=with_deeds(locked.deeds, [taken]))


def _delivery_of(held: QuarantinedFile) -> Import | None:
    first = held.arrivals.select_related("delivery").order_by("pk").first()
    return first.delivery if first is not None else None


def _judge_again(held: QuarantinedFile, masks: Sequence[Sequence[int]], door: Sandbox) -> Judged:
    name = files.quarantine_name(held.source_digest)
    if not default_storage.exists(name):
        raise NotClearableError("the file is no longer in quarantine")
    arrival = Arrival(HeldFile(name, default_storage.size(name)), held.patient_id_hint, held.split)
    delivery = _delivery_of(held)
    treatment = Treatment(
        modality=delivery.modality if delivery else "OT",
        pixels_cleared=True,
        options=delivery.options if delivery else None,
        masks=masks,
    )
    [[judged]] = Intake(held.dataset, treatment, door).judged([[arrival]])
    return judged


def _instance_of(taken: Taken) -> Instance:
    if taken.instance is not None:
        return taken.instance
    verdict = taken.judged.verdict
    raise NotClearableError(verdict.reason if verdict is not None and verdict.reason else OTHER_CONTENT)


def _make_case(held: QuarantinedFile, taken: Taken, *, by: User, now: datetime) -> None:
    if held.project_id is not None:
        project = Project.objects.get(pk=held.project_id)
        make_cases(project=project, taken=[taken], now=now)
        ask_embed(dataset_id=held.dataset_id, by=by)

"""An admin decides about a held file: clear its pixels, and it comes in like any other; or discard it."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from annotation.exchange.imports import make_cases
from annotation.learning.services import ask_embed
from annotation.projects.models import Project
from annotation.studies import files
from annotation.studies.batches import OTHER_CONTENT, Taken
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.intake import Arrival, Intake, Judged, Treatment
from annotation.studies.models import ImportedFile, Instance, QuarantinedFile
from annotation.studies.services import decide, discard_quarantined, held_file, remove_held_bytes, store

__all__ = ["NotClearableError", "clear_quarantined", "discard_quarantined"]

IN_MEMORY_BYTES = 8 * 1024 * 1024


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


def clear_quarantined(*, quarantined_id: UUID, by: User, now: datetime) -> Instance:
    """Let a held image in after a human has looked at its pixels: it becomes a case of its project.

    The file goes through the door once more, in this process' own sandbox, before the transaction.
    raises: QuarantinedFile.DoesNotExist, NotHeldError, NotClearableError.
    """
    held = QuarantinedFile.objects.select_related("dataset").get(pk=quarantined_id)
    if held.kind != QuarantinedFile.Kind.PIXELS:
        raise NotClearableError(f"this file cannot be used, whatever its pixels show: {held.reason}")
    judged = _judge_again(held)
    with transaction.atomic():
        locked = held_file(quarantined_id)
        [taken] = store(dataset=held.dataset, judged=[judged], project_id=held.project_id, now=now)
        instance = _instance_of(taken)
        decide(locked, state=QuarantinedFile.State.CLEARED, by=by, now=now)
        ImportedFile.objects.filter(quarantined_file=locked).update(instance=instance)
        _make_case(held, taken, by=by, now=now)
        transaction.on_commit(lambda: remove_held_bytes(held.source_digest))
    return instance


def _judge_again(held: QuarantinedFile) -> Judged:
    name = files.quarantine_name(held.source_digest)
    if not default_storage.exists(name):
        raise NotClearableError("the file is no longer in quarantine")
    arrival = Arrival(HeldFile(name, default_storage.size(name)), held.patient_id_hint, held.split)
    first = held.arrivals.select_related("delivery").order_by("pk").first()
    treatment = Treatment(modality=first.delivery.modality if first else "OT", pixels_cleared=True)
    with Sandbox(1) as door:
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

"""STOW-RS: instances through the one door, batch by batch; what became of each in the standard's words."""

import atexit
import os
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import BinaryIO
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotation.exchange.arriving import count_arrived, delivery_of_the_hour
from annotation.exchange.dicomweb_json import DataSet, dataset
from annotation.exchange.imports import admitted
from annotation.exchange.lifecycle.usage import QuotaError, check_room
from annotation.projects.models import Project
from annotation.studies.batches import OTHER_CONTENT, Taken
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.door.verdict import Reference
from annotation.studies.intake import PROCESSES, Arrival, Treatment
from annotation.studies.models import Import, ImportedFile, QuarantinedFile
from audit.services import Act, record_all

SOURCE = "DICOMweb"

# PS3.18 Annex I: reasons of failures and warnings; C7xx and Bxxx are left to implementations.
PROCESSING_FAILURE = 0x0110
OUT_OF_RESOURCES = 0xA700
DUPLICATE_WITH_OTHER_CONTENT = 0x0111
CLASS_NOT_SUPPORTED = 0x0122
NOT_OF_THIS_STUDY = 0xA900
SYNTAX_NOT_SUPPORTED = 0xC122
CANNOT_UNDERSTAND = 0xC000
PIXELS_ARE_HELD = 0xC700
IS_STORED_ALREADY = 0xB700

REASONS = (
    ("transfer syntax not supported", SYNTAX_NOT_SUPPORTED),
    ("no pixels", CLASS_NOT_SUPPORTED),
    ("(0008,0016)", CLASS_NOT_SUPPORTED),
    (OTHER_CONTENT, DUPLICATE_WITH_OTHER_CONTENT),
    ("(0020,000D) Study Instance UID is not", NOT_OF_THIS_STUDY),
    ("not an image Fovea reads", CANNOT_UNDERSTAND),
    ("reading", CANNOT_UNDERSTAND),
    ("the file is empty", CANNOT_UNDERSTAND),
)


class IntakeFullError(Exception):
    """As many requests as may store at once are at it."""


@dataclass(frozen=True)
class Received:
    """One instance as it was sent, in a temporary file without a name that lives as long as this."""

    path: str
    size: int
    content: BinaryIO

    def __post_init__(self) -> None:
        """Have the file closed when nobody holds this any more, however that comes about."""
        weakref.finalize(self, self.content.close)

    def open(self) -> BinaryIO:
        """Give its bytes from the start; the caller closes what it gets."""
        copy = os.fdopen(os.dup(self.content.fileno()), "rb")
        copy.seek(0)
        return copy


@dataclass(frozen=True)
class Answer:
    """What became of one instance. failure: its code, 0 where it is stored. study, series: where that is."""

    outcome: ImportedFile.Outcome
    failure: int
    reference: Reference
    study: str = ""
    series: str = ""


@dataclass(frozen=True)
class Sender:
    """Who sends, for the audit."""

    user: User
    address: str
    token: str


@cache
def door() -> Sandbox:
    """Give this process' sandbox: started by the first request that stores, ended with the process."""
    opened = Sandbox(PROCESSES)
    atexit.register(opened.__exit__, None, None, None)
    return opened


@cache
def places() -> threading.BoundedSemaphore:
    """Count the requests of this process that may store at once."""
    return threading.BoundedSemaphore(settings.STOW_REQUESTS_AT_ONCE)


@contextmanager
def a_place() -> Iterator[None]:
    """Hold one of the places.

    raises: IntakeFullError.
    """
    if not places().acquire(blocking=False):
        raise IntakeFullError
    try:
        yield
    finally:
        places().release()


def store_instances(
    *, project: Project, sender: Sender, contents: Iterable[tuple[int, BinaryIO]], study: str
) -> list[Answer]:
    """Take in what is sent, in order; each batch is closed before the one after the next is read.

    contents: size in bytes and the file, of each instance.
    study:    the study that all must belong to, "" where any may come.
    raises:   DoorBrokenError, QuotaError where nothing could be stored, and what reading the contents raises;
              what was stored before stays.
    """
    check_room(project.pk)
    delivery, number = announce(project, sender, now=timezone.now())
    received = (
        Received(f"{number}/{place:06d}", size, content)
        for place, (size, content) in enumerate(contents, start=1)
    )
    treatment = Treatment(pictures_cleared=False, study=study, proposes=False)
    answers: list[Answer] = []
    try:
        arrivals = map(Arrival, received)
        for batch in admitted(delivery, project, arrivals, treatment=treatment, door=door()):
            answers += [answer_of(taken) for _, taken in batch if taken is not None]
    except QuotaError as error:
        if not answers:
            raise
        left = error.refused + sum(1 for _ in received)
        answers += [Answer(ImportedFile.Outcome.QUARANTINED, OUT_OF_RESOURCES, Reference())] * left
    finally:
        is_new = any(one.outcome == ImportedFile.Outcome.STORED for one in answers)
        count_arrived(delivery, came=len(answers), stored=is_new, by=sender.user, now=timezone.now())
    return answers


@transaction.atomic
def announce(project: Project, sender: Sender, *, now: datetime) -> tuple[Import, str]:
    """Audit a request to store, and find the delivery that it belongs to: one a sender and hour.

    returns: the delivery, and the request's own number in it.
    """
    number = uuid4().hex[:12]
    delivery = delivery_of_the_hour(project=project, source_name=SOURCE, requested_by=sender.user, now=now)
    details = {"project": str(project.pk), "request": number, "token": sender.token}
    record_all(
        [
            Act(
                str(sender.user.pk),
                "dicomweb.store",
                "import",
                str(delivery.pk),
                remote_address=sender.address,
                details=details,
            )
        ]
    )
    return delivery, number


def answer_of(taken: Taken) -> Answer:
    """Say what became of one instance, by its de-identified names."""
    instance, verdict = taken.instance, taken.judged.verdict
    if instance is None:
        return Answer(taken.outcome, failure_of(taken), verdict.reference if verdict else Reference())
    return Answer(
        taken.outcome,
        0,
        Reference(instance.sop_class_uid, instance.sop_instance_uid),
        instance.series.study.study_instance_uid,
        instance.series.series_instance_uid,
    )


def response(answers: Sequence[Answer], root: str) -> DataSet:
    """Write the Store Instances Response Module (PS3.18 I.1).

    root: address of the project's DICOMweb service.
    """
    kept = [one for one in answers if one.study]
    failed = [one for one in answers if not one.study]
    values: dict[str, object] = {}
    studies = {one.study for one in kept}
    if len(studies) == 1:
        values["RetrieveURL"] = f"{root}/studies/{studies.pop()}"
    sequences = {
        "ReferencedSOPSequence": [_kept(one, root) for one in kept],
        "FailedSOPSequence": [_failed(one) for one in failed if one.reference.sop_instance_uid],
        "OtherFailuresSequence": [
            {"FailureReason": one.failure} for one in failed if not one.reference.sop_instance_uid
        ],
    }
    return dataset(values | {name: items for name, items in sequences.items() if items})


def _named(one: Answer) -> dict[str, object]:
    return {
        "ReferencedSOPClassUID": one.reference.sop_class_uid,
        "ReferencedSOPInstanceUID": one.reference.sop_instance_uid,
    }


def _kept(one: Answer, root: str) -> dict[str, object]:
    where = f"{root}/studies/{one.study}/series/{one.series}/instances/{one.reference.sop_instance_uid}"
    is_new = one.outcome == ImportedFile.Outcome.STORED
    return _named(one) | {"RetrieveURL": where} | ({} if is_new else {"WarningReason": IS_STORED_ALREADY})


def _failed(one: Answer) -> dict[str, object]:
    return _named(one) | {"FailureReason": one.failure}


def failure_of(taken: Taken) -> int:
    """Choose the code of a failure; what a human can clear has one of its own."""
    held = taken.quarantined_file
    if held is not None and held.kind == QuarantinedFile.Kind.PIXELS:
        return PIXELS_ARE_HELD
    return next((code for start, code in REASONS if taken.reason.startswith(start)), PROCESSING_FAILURE)

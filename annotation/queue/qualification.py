"""The test that new readers are to pass: who is in it, how it ended, and what that is in the audit."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from annotation.projects.questions import Settings
from annotation.readings.gold_models import GoldReading, Qualification
from audit.services import record

Phase = GoldReading.Phase


def settle(reader: User, project_id: UUID, settings: Settings, now: datetime) -> Qualification | None:
    """Settle a reader's test once its last case is read, not audited yet; None while it goes on."""
    asked = Qualification.objects.select_for_update().get(project=project_id, reader=reader)
    right, count = result_of(asked)
    if (
        asked.has_passed is not None
        or not settings.qualification_cases
        or count < settings.qualification_cases
    ):
        return None
    asked.has_passed = right >= settings.qualification_pass * count - 1e-9
    asked.settled_at = now
    asked.save(update_fields=["has_passed", "settled_at"])
    return asked


def answers_in_test(asked: Qualification) -> QuerySet[GoldReading]:
    """List what a reader answered in the test of the attempt that counts."""
    mine = GoldReading.objects.filter(gold__project=asked.project_id, reader=asked.reader_id)
    return mine.filter(attempt=asked.attempt, phase=Phase.TEST)


def result_of(asked: Qualification) -> tuple[int, int]:
    """Count the answers of a test: right ones, and all."""
    answers = list(answers_in_test(asked).values_list("is_right", flat=True))
    return sum(answers), len(answers)


def settled_by(made: GoldReading) -> Qualification | None:
    """Find the test that an answer settled, where it was the last of it."""
    if made.phase != Phase.TEST:
        return None
    asked = Qualification.objects.filter(project=made.gold.project_id, reader=made.reader_id, waived_by=None)
    return asked.filter(settled_at=made.created_at, attempt=made.attempt).first()


def record_settled(asked: Qualification) -> None:
    """Audit how a test ended; last in the transaction."""
    right, count = result_of(asked)
    record(
        actor=str(asked.reader_id),
        action="qualification.settle",
        object_type="project",
        object_id=str(asked.project_id),
        details={"passed": asked.has_passed, "right": right, "of": count, "attempt": asked.attempt},
    )

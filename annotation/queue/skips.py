"""Cases that a reader passes on: why, once, and audited without the reader's words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import User
from annotation.readings.models import Draft, Skip
from annotation.readings.rules import check_same
from audit.services import record


@dataclass(frozen=True)
class Passed:
    """Why a reader passes a case on."""

    reason: str
    comment: str
    idempotency_key: UUID
    is_final: bool = False


def skipped_before(reader: User, case_id: UUID, passed: Passed) -> bool:
    """Whether this very message came before.

    raises: IdempotencyConflictError where the key passed another case on, or for another reason.
    """
    made = Skip.objects.filter(reader=reader, idempotency_key=passed.idempotency_key).first()
    if made is None:
        return False
    then = (made.case_id, made.reason, made.comment, made.is_final)
    now = (case_id, passed.reason, passed.comment, passed.is_final)
    check_same(then, now, what="another skip")
    return True


def write_skip(reader: User, case_id: UUID, passed: Passed, now: datetime) -> None:
    """Write the skip; the draft goes, since the case is not offered to this reader again."""
    Skip.objects.create(
        case_id=case_id,
        reader=reader,
        reason=Skip.Reason(passed.reason),
        comment=passed.comment,
        is_final=passed.is_final,
        idempotency_key=passed.idempotency_key,
        created_at=now,
    )
    Draft.objects.filter(case=case_id, reader=reader).delete()


def record_skip(reader: User, case_id: UUID, passed: Passed) -> None:
    """Audit a skip by its reason; the comment is the reader's own words and stays out."""
    record(
        actor=str(reader.pk),
        action="case.skip",
        object_type="case",
        object_id=str(case_id),
        details={"reason": passed.reason} | ({"final": True} if passed.is_final else {}),
    )

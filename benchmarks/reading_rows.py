"""Readings as rows, for projects at scale: written in bulk, where a service would take hours."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accounts.models import User
    from annotation.projects.models import Protocol
    from annotation.readings.models import Reading, Revision


def a_reading(
    case: uuid.UUID, reader: "User", protocol: "Protocol", answers: dict[str, Any], at: datetime
) -> tuple["Reading", "Revision"]:
    """Give an unsaved reading of five seconds with its only revision."""
    from annotation.readings.models import Reading, Revision

    reading = Reading(case_id=case, reader=reader, created_at=at, updated_at=at)
    revision = Revision(
        reading=reading,
        reader=reader,
        number=1,
        protocol=protocol,
        answers=answers,
        seconds=5.0,
        idempotency_key=uuid.uuid4(),
        created_at=at,
    )
    return reading, revision

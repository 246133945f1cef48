"""The job that mails a person what they are told, and when the sweep asks for it; no torch."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from jobs.models import Job, Lane, State
from jobs.services import ask
from mlworker.runtime import Work, job
from notices.mailing import due, send_due

NAME: Final = "mail_notices"
JOBS_KEPT: Final = timedelta(days=1)


@job(NAME, lane=Lane.LIGHT)
def mail_notices(_work: Work, *, person_id: str) -> None:
    """Send a person's message: seconds."""
    send_due(UUID(person_id), now=timezone.now())


def ask_mails(*, now: datetime) -> list[Job]:
    """Ask for the messages that are due."""
    found = due(now)
    if found:
        Job.objects.filter(name=NAME, state=State.DONE, created_at__lt=now - JOBS_KEPT).delete()
    return [
        ask(
            name=NAME,
            lane=Lane.LIGHT,
            arguments={"person_id": str(person)},
            singleton_key=f"{NAME}:{person}",
        )
        for person in found
    ]

"""The job that mails a person what they are told, and when the sweep asks for it; no torch."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from jobs.models import Job, Lane
from mlworker.runtime import Work, job
from mlworker.upkeep import ask_each
from notices.mailing import due, send_due

NAME: Final = "mail_notices"


@job(NAME, lane=Lane.LIGHT)
def mail_notices(_work: Work, *, person_id: str) -> None:
    """Send a person's message: seconds."""
    send_due(UUID(person_id), now=timezone.now())


def ask_mails(*, now: datetime) -> list[Job]:
    """Ask for the messages that are due."""
    return ask_each(NAME, argument="person_id", ids=due(now), now=now)

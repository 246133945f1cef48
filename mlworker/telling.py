"""The job that tells a webhook of what was audited, and when the sweep asks for it; no torch."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils import timezone

from audit.webhooks.services import deliver, due
from jobs.models import Job, Lane
from mlworker.runtime import Work, job
from mlworker.upkeep import ask_each

NAME: Final = "tell_webhook"


@job(NAME, lane=Lane.LIGHT)
def tell_webhook(_work: Work, *, webhook_id: str) -> None:
    """Send what is ahead of a webhook: seconds."""
    deliver(webhook_id=UUID(webhook_id), clock=timezone.now)


def ask_webhooks(*, now: datetime) -> list[Job]:
    """Ask for the webhooks that have something to be told of."""
    return ask_each(NAME, argument="webhook_id", ids=[one.pk for one in due(now)], now=now)

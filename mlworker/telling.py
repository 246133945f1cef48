"""The job that tells a webhook of what was audited, and when the sweep asks for it; no torch."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from audit.webhooks.services import deliver, due
from jobs.models import Job, Lane, State
from jobs.services import ask
from mlworker.runtime import Work, job

NAME: Final = "tell_webhook"
JOBS_KEPT: Final = timedelta(days=1)


@job(NAME, lane=Lane.LIGHT)
def tell_webhook(_work: Work, *, webhook_id: str) -> None:
    """Send what is ahead of a webhook: seconds."""
    deliver(webhook_id=UUID(webhook_id), clock=timezone.now)


def ask_webhooks(*, now: datetime) -> list[Job]:
    """Ask for the webhooks that have something to be told of."""
    found = due(now)
    if found:
        Job.objects.filter(name=NAME, state=State.DONE, created_at__lt=now - JOBS_KEPT).delete()
    return [
        ask(
            name=NAME,
            lane=Lane.LIGHT,
            arguments={"webhook_id": str(one.pk)},
            singleton_key=f"{NAME}:{one.pk}",
        )
        for one in found
    ]

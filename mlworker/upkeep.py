"""Jobs that the sweep asks for again and again; done ones are forgotten after a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from jobs.models import Job, Lane, State
from jobs.services import ask

JOBS_KEPT: Final = timedelta(days=1)


def ask_each(name: str, *, argument: str, ids: Sequence[UUID], now: datetime) -> list[Job]:
    """Ask for a light job for each row that is due, named in the argument; one of each waits at most."""
    if ids:
        forget_done(name, now)
    return [
        ask(
            name=name,
            lane=Lane.LIGHT,
            arguments={argument: str(one)},
            singleton_key=f"{name}:{one}",
        )
        for one in ids
    ]


def forget_done(name: str, now: datetime) -> None:
    """Remove done jobs of a name that comes often."""
    Job.objects.filter(name=name, state=State.DONE, created_at__lt=now - JOBS_KEPT).delete()

"""Answers that are kept for a day, so that the same write sent again changes nothing."""

from datetime import datetime, timedelta
from typing import Final

from accounts.models import KeptAnswer

KEPT: Final = timedelta(days=1)


def forget_answers(*, now: datetime) -> int:
    """Remove everybody's answers that are older than a day; gives how many."""
    return KeptAnswer.objects.filter(created_at__lt=now - KEPT).delete()[0]

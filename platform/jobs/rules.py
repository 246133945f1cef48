"""When a job is sent again, given up or tried again: pure."""

from datetime import datetime, timedelta
from typing import Final

BROKER_PATIENCE_SECONDS: Final = 0.45  # kombu tries twice: about one second in all
ERROR_LENGTH: Final = 2000
MESSAGE_LENGTH: Final = 255


def should_send(
    *,
    queued: bool,
    sent_at: datetime | None,
    lease_until: datetime | None,
    now: datetime,
    patience: timedelta,
) -> bool:
    """Whether the broker must hear of a job (again): never heard of it, lost it, or its worker died.

    A message too many does no harm: a claim tells. patience: how long a message may lie with the broker.
    """
    if sent_at is None or sent_at < now - patience:
        return queued or lease_until is None or lease_until < now
    return not queued and lease_until is not None and sent_at < lease_until < now


def retry_delay(attempt: int) -> timedelta:
    """How long a job rests before another attempt: 5 s, doubled with each attempt, 5 min at most."""
    return timedelta(seconds=min(5 * 2 ** (attempt - 1), 300))

"""Waiting for the machine's work, so that a simulated reader does not outrun it and runs can be repeated."""

import time
from collections.abc import Callable, Sequence
from uuid import UUID

from jobs.models import State
from jobs.selectors import jobs_in, open_jobs

POLL_SECONDS = 0.05


class MachineError(RuntimeError):
    """Machine work failed or did not come to an end."""


def until_idle(
    names: Sequence[str], scope_id: UUID, *, limit_seconds: float, told: Callable[[str], None]
) -> None:
    """Wait until no job of these names is open for a project or data set.

    raises: MachineError with the job's own error, or naming the one that takes too long.
    """
    end, said = time.monotonic() + limit_seconds, ""
    while True:
        newest = jobs_in([scope_id]).filter(name__in=names).first()
        waiting = open_jobs([scope_id], names).order_by("created_at").first()
        if waiting is None:
            if newest is not None and newest.state == State.FAILED:
                raise MachineError(f"job {newest.name} failed: {newest.error}")
            return
        if time.monotonic() > end:
            raise MachineError(f"job {waiting.name} is still {waiting.state} after {limit_seconds:.0f} s")
        said = _say(f"{waiting.name}: {waiting.message or waiting.get_state_display()}", said, told)
        time.sleep(POLL_SECONDS)


def _say(text: str, said: str, told: Callable[[str], None]) -> str:
    if text != said:
        told(text)
    return text

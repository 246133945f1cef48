"""What a worker holds while it works on a job."""

import uuid
from dataclasses import dataclass
from typing import Any


class StaleClaim(Exception):  # noqa: N818  it is a fact about a claim, not a fault of the program
    """The job was cancelled, or another worker holds it now: nothing of this run may be written."""


@dataclass(frozen=True)
class Claim:
    """The right to write a job's results: good only as long as the job's row carries this token."""

    job_id: uuid.UUID
    name: str
    arguments: dict[str, Any]
    token: int
    attempt: int
    worker: str
    requested_by_id: uuid.UUID | None = None

"""Asking for machine work on a project: of one kind, one job waits at a time."""

from typing import Any
from uuid import UUID

from accounts.models import User
from jobs.models import Job, Lane
from jobs.services import ask


def ask_for_project(name: str, *, project_id: UUID, lane: Lane, by: User | None = None, **more: Any) -> Job:  # noqa: ANN401  JSON
    """Ask a lane for a job on a project; the waiting one of its name is returned where there is one.

    more: arguments of the job beside the project.
    """
    return ask(
        name=name,
        lane=lane,
        arguments={"project_id": str(project_id), **more},
        requested_by=by,
        scope_id=project_id,
        singleton_key=f"{name}:{project_id}",
    )

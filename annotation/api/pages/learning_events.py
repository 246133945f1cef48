"""Server-sent events of the learning page: says that something changed; the page fetches what."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from accounts.models import Role, User
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.learning.models import ModelVersion
from annotation.projects.models import Membership
from annotation.readings.selectors import label_count
from jobs.selectors import open_jobs

POLL_SECONDS = 1.0
STREAM_SECONDS = 240.0
RETRY_MILLISECONDS = 2000


@dataclass(frozen=True)
class Seen:
    """What the page shows, as far as it can change by itself."""

    jobs: tuple[tuple[str, str, float, str], ...]
    labels: int
    model: int


@require_GET
@member(Role.ML_STAFF, ADMIN)
def ml_events(_request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Stream changes for some minutes; the browser then connects again, and its rights are checked again."""
    response = StreamingHttpResponse(events(visit), content_type="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def events(visit: Visit) -> AsyncIterator[bytes]:
    """Look once a second, each time in a short read of its own: no transaction stays open."""
    yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
    clock = asyncio.get_running_loop().time
    until, before = clock() + STREAM_SECONDS, None
    while clock() < until:
        seen = await sync_to_async(look)(visit)
        if seen is None:
            return
        for name in changed(before, seen):
            yield message(name, asdict(seen))
        before = seen
        await asyncio.sleep(POLL_SECONDS)


def look(visit: Visit) -> Seen | None:
    """Read what can change; None when the person may see it no more."""
    if not still_there(visit):
        return None
    project_id, dataset_id = visit.project.pk, visit.project.dataset_id
    return Seen(
        jobs=tuple(
            (str(job.pk), job.state, round(job.progress, 3), job.message)
            for job in open_jobs([project_id, dataset_id]).order_by("created_at")
        ),
        labels=label_count(project_id),
        model=newest_model(project_id),
    )


def still_there(visit: Visit) -> bool:
    """Whether the person is still active and has the role: a revoked one bites within a second."""
    user = User.objects.filter(pk=visit.user.pk, is_active=True).first()
    if user is None:
        return False
    membership = Membership.objects.filter(user=user, project=visit.project).first()
    return user.is_admin if membership is None else membership.role == Role.ML_STAFF


def newest_model(project_id: UUID) -> int:
    """Find the number of the newest model, 0 where there is none."""
    last = ModelVersion.objects.filter(project=project_id).order_by("-number").first()
    return last.number if last else 0


def changed(before: Seen | None, now: Seen) -> list[str]:
    """Name the events: "now" for jobs and counts, "curve" for a new model.

    The first look is news: something may have changed since the page was made, or since the last connection.
    """
    if before == now:
        return []
    return ["now"] if before is not None and before.model == now.model else ["now", "curve"]


def message(name: str, value: dict[str, Any]) -> bytes:
    """Write one event."""
    return f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()

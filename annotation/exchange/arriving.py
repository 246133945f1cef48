"""Files that come by themselves (sent to us, or found in a folder) are one delivery a source and hour."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from annotation.exchange.imports import admitted
from annotation.learning.services import ask_embed
from annotation.projects.models import Project
from annotation.studies.door.sandbox import Sandbox
from annotation.studies.intake import Arrival, Judged, Treatment
from annotation.studies.models import Import, ImportedFile

ONE_DELIVERY = timedelta(hours=1)


def delivery_of_the_hour(
    *, project: Project, source_name: str, requested_by: User | None, now: datetime
) -> Import:
    """Find or make the delivery that what comes by itself belongs to: one a source, sender and hour."""
    mine = Import.objects.filter(
        project_id=project.pk, requested_by=requested_by, source_name=source_name[:255]
    )
    return mine.filter(created_at__gt=now - ONE_DELIVERY).first() or Import.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        source_name=source_name[:255],
        requested_by=requested_by,
        pictures_cleared=False,
        options=project.dataset.deidentification,
        state=Import.State.DONE,
        created_at=now,
    )


def arrived(
    delivery: Import, project: Project, arrivals: Iterable[Arrival], *, treatment: Treatment, door: Sandbox
) -> Iterator[list[Judged]]:
    """Take in files that came by themselves, batch after batch, each counted and durable when it is given."""
    for batch in admitted(delivery, project, arrivals, treatment=treatment, door=door):
        taken = [one for _, one in batch if one is not None]
        is_new = any(one.outcome == ImportedFile.Outcome.STORED for one in taken)
        count_arrived(delivery, came=len(taken), stored=is_new, by=None, now=timezone.now())
        yield [judged for judged, _ in batch]


@transaction.atomic
def count_arrived(delivery: Import, *, came: int, stored: bool, by: User | None, now: datetime) -> None:
    """Count files that came by themselves, and have new images encoded."""
    Import.objects.filter(pk=delivery.pk).update(total=F("total") + came, finished_at=now)
    if stored:
        ask_embed(dataset_id=delivery.dataset_id, by=by)

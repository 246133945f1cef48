"""Readings of named sources: imported answers that stand beside the readers', and under them."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from annotation.projects.models import Case, Project
from annotation.readings.models import Reading, Revision, Source
from annotation.readings.selectors import revisions_in_force
from annotation.readings.services import Examined
from annotation.readings.standards import refresh_reference

NAMESPACE: Final = uuid.UUID("0c9d58a2-52b5-5d0f-9a35-6f2f7f6b8f10")


@transaction.atomic
def source_named(*, project: Project, name: str, use: str, now: datetime) -> Source:
    """Find or make a project's source; where its use changes, so do the reference standards it stands for."""
    source, is_new = Source.objects.select_for_update().get_or_create(
        project=project, name=name, defaults={"use": use, "created_at": now}
    )
    if not is_new and source.use != use:
        source.use = use
        source.save(update_fields=["use"])
        for case_id in source.readings.values_list("case", flat=True):
            refresh_reference(case_id=case_id, now=now)
    return source


def sourced_answers(project_id: UUID, name: str, case_ids: Collection[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Find what a source says of cases already; for imports, so not scoped."""
    mine = revisions_in_force().filter(
        source__project=project_id, source__name=name, reading__case__in=case_ids
    )
    return dict(mine.values_list("reading__case", "answers"))


@transaction.atomic
def write_sourced(
    *, source: Source, case: Case, examined: Examined, answers: Mapping[str, Any], now: datetime
) -> bool:
    """Write what a source says of a case: a reading, or a new revision of it where it says something else.

    returns: whether anything was written.
    """
    reading, _ = Reading.objects.select_for_update().get_or_create(
        case=case, source=source, defaults={"created_at": now, "updated_at": now}
    )
    last = reading.revisions.order_by("-number").first()
    if last is not None and last.answers == answers:
        return False
    number = last.number + 1 if last else 1
    Revision.objects.create(
        reading=reading,
        source=source,
        number=number,
        protocol=examined.protocol,
        answers=dict(answers),
        measurements=examined.measurements,
        seconds=0.0,
        idempotency_key=uuid.uuid5(NAMESPACE, f"{reading.pk}/{number}"),
        created_at=now,
    )
    Reading.objects.filter(pk=reading.pk).update(updated_at=now)
    refresh_reference(case_id=case.pk, now=now)
    return True

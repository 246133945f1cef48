"""The agreement of a project's readers: asked for, kept by a job, read by ML staff and administrators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from annotation.learning.asking import ask_for_project
from annotation.learning.selectors import learning_project
from annotation.projects.models import Membership, Project
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.projects.services import record_act
from annotation.queue.anchored import numbered_readers
from annotation.queue.compared import read_by_several
from annotation.queue.disputes import judge, withdraw_all
from annotation.queue.models import Entry
from annotation.readings.fusion.standard import MAJORITY, MEDIAN
from annotation.readings.models import Agreement, Reading, ReferenceStandard, Source
from annotation.readings.repeat_models import RepeatRevision
from annotation.readings.standards import refresh_reference
from jobs.models import Job, Lane


def ask_agreement(project_id: UUID, *, by: User | None = None) -> Job:
    """Ask the light lane how a project's readers agree."""
    return ask_for_project("measure_agreement", project_id=project_id, lane=Lane.LIGHT, by=by)


@transaction.atomic
def request_agreement(*, project: Project, by: User | None) -> Job:
    """Ask for it by hand: the request is audited."""
    job = ask_agreement(project.pk, by=by)
    record_act("agreement.measure", project.pk, by=by, details={})
    return job


@dataclass(frozen=True)
class Figures:
    """What a job found. questions: rows by key, as annotation.readings.agreement.report writes them."""

    questions: Mapping[str, Any]
    skills: Mapping[str, Any]
    readings: int
    seconds: float


def keep_agreement(*, project: Project, found: Figures, job_id: UUID, now: datetime) -> Agreement:
    """Keep what a job found in place of what older ones did; the same job again changes nothing."""
    values = {
        "figures": dict(found.questions),
        "skills": dict(found.skills),
        "readings": found.readings,
        "seconds": found.seconds,
        "job_id": job_id,
        "created_at": now,
    }
    kept, _ = Agreement.objects.update_or_create(project=project, defaults=values)
    return kept


def fuse_again(project_id: UUID, now: datetime) -> int:
    """Fuse cases with several readings anew, one transaction each, by what the project has chosen now.

    By majority alone only those that had been fused otherwise: a reading does the rest as it comes. Where the
    project adjudicates, those in dispute go to its adjudicators; where it does so no more, they come back.
    returns: how many there were.
    """
    chosen = settings_in(protocol_in_force(project_id))
    is_plain = chosen.fusion == MAJORITY and not chosen.fuse_drawings and not chosen.adjudicated
    if not chosen.adjudicated:
        withdraw_all(project_id, now)
    cases = list(fused_otherwise(project_id)) if is_plain else list(read_by_several(project_id))
    for case_id in cases:
        with transaction.atomic():
            Entry.objects.select_for_update().filter(case=case_id).first()
            refresh_reference(case_id=case_id, now=now)
            judge(case_id=case_id, project_id=project_id, now=now)
    return len(cases)


def fused_otherwise(project_id: UUID) -> Iterator[UUID]:
    """Name cases whose reference standard was not fused by majority and median alone."""
    several = ReferenceStandard.objects.filter(case__project=project_id, readings__gt=1)
    for case_id, doubts in several.values_list("case", "uncertainty").iterator():
        if {one["method"] for one in doubts.values()} - {MAJORITY, MEDIAN}:
            yield case_id


def ask_where_weighed(project_id: UUID) -> None:
    """Ask anew where reference standards depend on what readers are worth."""
    if settings_in(protocol_in_force(project_id)).fusion != MAJORITY:
        ask_agreement(project_id)


def agreement_for(user: User, project_id: UUID) -> Agreement | None:
    """Find what is known of a project's agreement.

    raises: Project.DoesNotExist, ForbiddenError to readers, whom the others' answers could sway.
    """
    return Agreement.objects.filter(project=learning_project(user, project_id)).first()


def author_names(project_id: UUID) -> dict[str, str]:
    """Name readers by number, as everywhere in the project, and sources by their names; by id."""
    readers = {str(pk): name for pk, name in numbered_readers(project_id).items()}
    sources = Source.objects.filter(project=project_id).values_list("pk", "name")
    return readers | {str(pk): name for pk, name in sources}


def readings_since(agreement: Agreement) -> int:
    """Count readings that came or changed since it was measured, by the index of who read last.

    Readers who are members no more are not counted.
    """
    members = Membership.objects.filter(project=agreement.project_id).values("user")
    newer = Reading.objects.filter(
        Q(reader__in=members) | Q(reader=None), updated_at__gt=agreement.created_at
    )
    return newer.filter(case__project=agreement.project_id).count()


def is_comparable(project_id: UUID) -> bool:
    """Whether any case can be compared; not scoped: callers have found the project for the user."""
    again = RepeatRevision.objects.filter(repeat__project=project_id)
    return read_by_several(project_id).exists() or again.exists()

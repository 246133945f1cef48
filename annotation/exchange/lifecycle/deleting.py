"""Deletion: what an administrator deletes is set aside at once, brought back in time, or removed for good.

What is set aside lies in a data set and in projects of its own that nobody sees, so that no read has to leave
it out. A whole project keeps its rows; its members, and with the last project its data set, are set aside.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotation.exchange.lifecycle.learned import members_in
from annotation.exchange.out.models import Export
from annotation.learning.models import EmbeddingMap
from annotation.projects.models import Case, Membership, Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import record_act
from annotation.queue.models import Entry, Lease
from annotation.readings.adjudication_models import Dispute
from annotation.readings.gold_models import GoldCase
from annotation.readings.repeat_models import Repeat
from annotation.studies import files
from annotation.studies.models import Dataset, Deletion, Instance, Series, Study
from annotation.studies.services import GRACE
from jobs.models import OPEN, Job
from jobs.services import cancel

NAME_LENGTH, WHAT_LENGTH = 90, 160


@dataclass(frozen=True)
class Asked:
    """Who deletes, why, when and from where."""

    by: User
    reason: str
    now: datetime
    address: str = ""


@transaction.atomic
def delete_study(*, project: Project, number: int, asked: Asked) -> Deletion:
    """Set a case's study aside, for every project that reads it.

    raises: Case.DoesNotExist, RefusedError without a reason.
    """
    case = project.cases.select_related("series").get(number=number)
    studies = Study.objects.filter(pk=case.series.study_id)
    numbers = project.cases.filter(series__study__in=studies).order_by("number")
    what = "Case " + ", ".join(map(str, numbers.values_list("number", flat=True)))
    deletion = begin(Deletion.Kind.STUDY, project, what, studies, asked)
    set_aside(deletion, studies, now=asked.now)
    note(deletion, "deletion.study", by=asked.by, address=asked.address)
    return deletion


@transaction.atomic
def delete_project(*, project: Project, asked: Asked) -> Deletion:
    """Set a project aside, and its images where no other project reads them.

    raises: RefusedError without a reason.
    """
    locked = Project.objects.select_for_update().get(pk=project.pk)
    Dataset.objects.select_for_update().get(pk=locked.dataset_id)  # nobody takes it meanwhile
    own = not locked.dataset.projects.exclude(pk=locked.pk).exists()
    studies = Study.objects.filter(dataset=locked.dataset) if own else Study.objects.none()
    kind = Deletion.Kind.PROJECT
    deletion = begin(kind, locked, locked.name, studies, asked)
    stand_in = hidden_project(deletion, locked, locked.dataset, now=asked.now)
    Membership.objects.filter(project=locked).update(project=stand_in)
    end_leases(Lease.objects.filter(project=locked), now=asked.now)
    stop_jobs(locked.pk)
    expire_exports(Export.objects.filter(project=locked), now=asked.now)
    locked.name, locked.deletion = hidden_name(locked.name, deletion), deletion
    locked.save(update_fields=["name", "deletion"])
    if own:
        Dataset.objects.filter(pk=locked.dataset_id).update(deletion=deletion)
    note(deletion, "deletion.project", by=asked.by, address=asked.address)
    return deletion


def begin(
    kind: Deletion.Kind, project: Project, what: str, studies: QuerySet[Study], asked: Asked
) -> Deletion:
    """Write a deletion's row.

    raises: RefusedError without a reason.
    """
    if not asked.reason.strip():
        raise RefusedError("say why it is deleted: the audit and whoever brings it back need it")
    return Deletion.objects.create(
        kind=kind,
        project_id=project.pk,
        what=what[:WHAT_LENGTH],
        reason=asked.reason.strip()[:200],
        images=Instance.objects.filter(series__study__in=studies).count(),
        requested_by=asked.by,
        created_at=asked.now,
        kept_until=asked.now + GRACE,
    )


def set_aside(deletion: Deletion, studies: QuerySet[Study], *, now: datetime) -> None:
    """Move studies with their images and cases to where nobody looks."""
    keys = list(studies.values_list("pk", flat=True))
    series = Series.objects.filter(study__in=keys)
    hidden = Dataset.objects.create(name=f"deleted {deletion.pk}", deletion=deletion, created_at=now)
    readers = Project.every.filter(cases__series__in=series).distinct()
    for project in list(readers):
        cases = list(Case.objects.filter(project=project, series__in=series).values_list("pk", flat=True))
        expire_exports(exports_with(project, cases), now=now)
        forget_maps(project)
        move_cases(cases, hidden_project(deletion, project, hidden, now=now), now=now)
    Instance.objects.filter(series__in=series).update(dataset=hidden)
    Study.objects.filter(pk__in=keys).update(dataset=hidden)


def hidden_project(deletion: Deletion, project: Project, dataset: Dataset, *, now: datetime) -> Project:
    """Make a project that nobody sees."""
    name = hidden_name(project.name, deletion)
    return Project.every.create(
        name=f"{name} 2", dataset=dataset, deletion=deletion, stands_for=project, created_at=now
    )


def hidden_name(name: str, deletion: Deletion) -> str:
    """Free a name for others."""
    return f"{name[:NAME_LENGTH]} · deleted {deletion.pk.hex[:12]}"


def move_cases(cases: Collection[UUID], target: Project, *, now: datetime | None = None) -> None:
    """Give cases with their places in the queue, and all that comes of them there, to another project."""
    leases = Lease.objects.filter(case__in=cases)
    if now is not None:
        end_leases(leases, now=now)
    Case.objects.filter(pk__in=cases).update(project=target)
    Entry.objects.filter(case__in=cases).update(project=target)
    leases.update(project=target)
    for kind in (Dispute, Repeat, GoldCase):
        kind.objects.filter(case__in=cases).update(project=target)


def end_leases(leases: QuerySet[Lease], *, now: datetime) -> None:
    """Take cases back from who reads them; they wait again when they are brought back."""
    held = leases.filter(ended_at=None)
    Entry.objects.filter(case__in=held.values("case"), state=Entry.State.LEASED).update(
        state=Entry.State.WAITING
    )
    held.update(ended_at=now, ending=Lease.Ending.GIVEN_BACK)


def stop_jobs(scope_id: UUID) -> None:
    """Cancel the open jobs of a project."""
    for pk in list(Job.objects.filter(scope_id=scope_id, state__in=OPEN).values_list("pk", flat=True)):
        cancel(pk)


def exports_with(project: Project, cases: Collection[UUID]) -> QuerySet[Export]:
    """Find the exports whose snapshot names one of these cases."""
    wanted = [str(pk).encode() for pk in cases]
    open_ones = Export.objects.filter(project=project, removed_at=None, snapshot__isnull=False)
    names = set(open_ones.values_list("snapshot__file_name", flat=True))
    return open_ones.filter(snapshot__file_name__in=[one for one in names if members_in(one, wanted)])


def expire_exports(exports: QuerySet[Export], *, now: datetime) -> None:
    """End exports now: the sweep removes their files."""
    exports.filter(removed_at=None, expires_at__gt=now).update(expires_at=now)


def forget_maps(project: Project) -> None:
    """Drop a project's maps, which show every case; a new one is drawn on demand."""
    maps = EmbeddingMap.objects.filter(project=project)
    names = list(maps.values_list("file_name", flat=True))
    maps.delete()
    transaction.on_commit(lambda: remove_all(names))


def remove_all(names: Collection[str]) -> None:
    """Delete stored files."""
    for name in names:
        files.remove(name)


def note(deletion: Deletion, action: str, *, by: User | None, address: str = "", **counts: int) -> None:
    """Audit an act of a deletion, in the caller's transaction: the reason is in its row."""
    details = {"deletion": str(deletion.pk), "images": deletion.images, **counts}
    record_act(action, deletion.project_id, by=by, details=details, address=address)

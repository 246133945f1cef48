"""What was deleted is brought back: everything is where it was."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts.models import User
from annotation.exchange.lifecycle.deleting import move_cases, note
from annotation.projects.models import Case, Membership, Project
from annotation.projects.rules import RefusedError
from annotation.studies.models import Dataset, Deletion, Instance, Study


@transaction.atomic
def bring_back(*, deletion_id: UUID, by: User, now: datetime, address: str = "") -> Deletion:
    """Take a deletion back: everything is where it was.

    raises: Deletion.DoesNotExist, RefusedError where it is too late, or its place is taken.
    """
    deletion = Deletion.objects.select_for_update().get(pk=deletion_id)
    if not deletion.is_open or deletion.kept_until < now:
        raise RefusedError("it cannot be brought back: it was brought back already, or is removed")
    if deletion.kind == Deletion.Kind.STUDY:
        return_study(deletion)
    else:
        return_project(deletion)
    deletion.returned_at = now
    deletion.save(update_fields=["returned_at"])
    note(deletion, "deletion.return", by=by, address=address)
    return deletion


def return_study(deletion: Deletion) -> None:
    """Move studies, images and cases back.

    raises: RefusedError where the same study came again meanwhile.
    """
    hidden = Dataset.objects.get(deletion=deletion)
    studies = list(Study.objects.filter(dataset=hidden).select_related("patient"))
    for study in studies:
        home = study.patient.dataset_id
        again = Study.objects.filter(dataset=home, study_instance_uid=study.study_instance_uid)
        if again.exists():
            raise RefusedError("the same study was imported again meanwhile: delete that one first")
        Instance.objects.filter(series__study=study).update(dataset=home)
        Study.objects.filter(pk=study.pk).update(dataset=home)
    for stand_in in Project.every.filter(deletion=deletion).select_related("stands_for"):
        cases = list(Case.objects.filter(project=stand_in).values_list("pk", flat=True))
        if stand_in.stands_for is not None:
            free_numbers(stand_in, stand_in.stands_for)
            move_cases(cases, stand_in.stands_for)
        stand_in.delete()
    hidden.delete()


def free_numbers(stand_in: Project, target: Project) -> None:
    """Give cases whose number was given to another meanwhile a new one."""
    taken = set(Case.objects.filter(project=target).values_list("number", flat=True))
    doubled = list(Case.objects.filter(project=stand_in, number__in=taken))
    last = Case.objects.filter(project__in=[stand_in, target]).aggregate(last=Max("number"))["last"] or 0
    for place, case in enumerate(doubled, start=1):
        case.number = last + place
        case.save(update_fields=["number"])


def return_project(deletion: Deletion) -> None:
    """Show a project again to its members, under its name where that is free.

    raises: RefusedError where another project took its name.
    """
    if Project.every.filter(name=deletion.what).exists():
        raise RefusedError(f"there is another project named {deletion.what}: rename that one first")
    project = Project.every.get(pk=deletion.project_id)
    for stand_in in Project.every.filter(stands_for=project, deletion=deletion):
        Membership.objects.filter(project=stand_in).update(project=project)
        stand_in.delete()
    project.name, project.deletion = deletion.what, None
    project.save(update_fields=["name", "deletion"])
    Dataset.objects.filter(deletion=deletion).update(deletion=None)

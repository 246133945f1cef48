"""A reader's workload, and the tags that a project asks for: written by administrators, audited."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Role, User
from annotation.projects.models import Membership, Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import record_act
from annotation.projects.workload import Plan, checked_plan, checked_skills


def membership_of(project_id: UUID, person_id: UUID) -> Membership:
    """Find a member; for who may manage the project.

    raises: Membership.DoesNotExist.
    """
    return Membership.objects.select_related("user", "project").get(project=project_id, user=person_id)


@transaction.atomic
def set_workload(
    *, project_id: UUID, person_id: UUID, plan: Plan, paused: bool, by: User, now: datetime
) -> Membership:
    """Say how much a reader is to read; it holds from the next case on. A pause keeps when it began.

    raises: Membership.DoesNotExist, RefusedError to who is no reader, WorkloadError.
    """
    found = Membership.objects.select_for_update().get(project=project_id, user=person_id)
    if found.role != Role.READER:
        raise RefusedError("only readers have a workload: make the person a reader first")
    said = vars(checked_plan(plan, now.date())) | {"skills": list(checked_skills(plan.skills))}
    said["paused_at"] = (found.paused_at or now) if paused else None
    for name, value in said.items():
        setattr(found, name, value)
    found.save(update_fields=list(said))
    told = {name: value for name, value in said.items() if value not in (None, [])}
    record_act("workload.set", project_id, by=by, details={"user": str(person_id)} | told)
    return found


@transaction.atomic
def require_skills(*, project: Project, skills: str | list[str], by: User) -> tuple[str, ...]:
    """Say which tags a project's readers must have; it holds from the next case on.

    raises: WorkloadError.
    """
    tags = checked_skills(skills)
    Project.objects.filter(pk=project.pk).update(required_skills=list(tags))
    record_act("project.require_skills", project.pk, by=by, details={"skills": list(tags)})
    return tags

"""Reads of exports: for ML staff of the project and administrators."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Role, User
from annotation.exchange.out.models import Export
from annotation.learning.models import Snapshot
from annotation.projects.models import Membership, Project
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import organises, project_for

LATEST = "latest"


def exporting_project(user: User, project_id: UUID) -> Project:
    """Find a project whose labels the person may take out.

    raises: Project.DoesNotExist, ForbiddenError for readers, administrators who read there among them.
    """
    project = project_for(user, project_id)
    if not organises(user, project_id):
        raise ForbiddenError("exports are for ML staff and administrators")
    return project


def exportable_projects(user: User) -> QuerySet[Project]:
    """List the projects whose labels the person may take out."""
    if user.is_admin:
        return Project.objects.exclude(
            pk__in=Membership.objects.filter(user=user, role=Role.READER).values("project")
        )
    return Project.objects.filter(memberships__user=user, memberships__role=Role.ML_STAFF)


def exports_for(user: User, project_id: UUID) -> QuerySet[Export]:
    """List a project's exports, newest first."""
    return exporting_project(user, project_id).exports.select_related("snapshot", "requested_by", "model")


def export_for(user: User, export_id: UUID) -> Export:
    """One export of a project whose labels the person may take out.

    raises: Export.DoesNotExist, Project.DoesNotExist, ForbiddenError.
    """
    found = Export.objects.select_related("snapshot", "project", "model").get(pk=export_id)
    exporting_project(user, found.project_id)
    return found


def snapshots_for(user: User, project_id: UUID) -> QuerySet[Snapshot]:
    """List a project's frozen readings, newest first."""
    project = exporting_project(user, project_id)
    return project.snapshots.filter(kind=Snapshot.Kind.PROJECT).order_by("-created_at")


def snapshot_named(user: User, project_id: UUID, name: str) -> Snapshot:
    """Find a snapshot by the beginning of its digest (8 letters at least), or "latest".

    raises: Snapshot.DoesNotExist.
    """
    found = snapshots_for(user, project_id)
    if name != LATEST:
        if len(name) < 8:
            raise Snapshot.DoesNotExist
        found = found.filter(digest__startswith=name)
    first = found.first()
    if first is None:
        raise Snapshot.DoesNotExist
    return first

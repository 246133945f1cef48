"""Reads of label imports: for ML staff of the project and administrators."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.out.selectors import exporting_project


def label_imports_for(user: User, project_id: UUID) -> QuerySet[LabelImport]:
    """List a project's label imports, newest first.

    raises: Project.DoesNotExist, ForbiddenError for readers.
    """
    rows = exporting_project(user, project_id).label_imports
    return rows.select_related("requested_by", "project__dataset")

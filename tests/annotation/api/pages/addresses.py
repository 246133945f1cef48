"""Where the pages of a project are."""

from typing import Any

from django.urls import reverse

from annotation.projects.models import Project


def address(project: Project, name: str, **more: Any) -> str:
    """The path of a project's page, by its route's name."""
    return reverse(name, kwargs={"project_id": project.pk, **more})

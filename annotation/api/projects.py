"""GET projects."""

from django.http import HttpRequest
from ninja import Router

from annotation.api.permissions import person
from annotation.api.responses import REFUSED
from annotation.api.schemas import ProjectView
from annotation.queue.selectors import ProjectRow, project_rows

router = Router(tags=["projects"])


@router.get("projects", response={200: list[ProjectView], **REFUSED})
def list_projects(request: HttpRequest) -> list[ProjectRow]:
    """List the projects that the person is a member of."""
    return project_rows(person(request))

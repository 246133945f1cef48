"""The reading room's page: its script does the rest through the JSON API."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from accounts.models import Role
from annotation.api.pages.access import Visit, member
from annotation.api.pages.frame import project_page


@require_GET
@ensure_csrf_cookie
@member(Role.READER)
def read(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Open the room to a reader of the project."""
    return project_page(request, "read/room.html", "read", visit)

"""GET session: who is signed in, and the token for unsafe verbs."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router

from annotation.api.permissions import person
from annotation.api.responses import REFUSED
from annotation.api.schemas import PersonView, SessionView

router = Router(tags=["session"])


@router.get("session", response={200: SessionView, **REFUSED})
def show_session(request: HttpRequest) -> SessionView:
    """Say who is signed in and how long the session lives without a request."""
    user = person(request)
    return SessionView(
        user=PersonView(id=user.pk, username=user.username, is_admin=user.is_admin),
        csrf_token=get_token(request),
        idle_seconds=settings.SESSION_IDLE_SECONDS,
    )

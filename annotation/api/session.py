"""Who is signed in, the token for unsafe verbs, and how the person likes to work."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router

from accounts.middleware import LANGUAGE
from accounts.models import Preferences
from accounts.selectors import journal_keys, preferences_of
from accounts.services import set_preferences
from annotation.api.flow_schemas import PreferencesBody, PreferencesView
from annotation.api.permissions import person
from annotation.api.responses import REFUSED, WRITE
from annotation.api.schemas import PersonView, SessionView

router = Router(tags=["session"])


@router.get("session", response={200: SessionView, **REFUSED})
def show_session(request: HttpRequest) -> SessionView:
    """Say who is signed in, how long the session lives without a request, and the keys of the journal."""
    user = person(request)
    return SessionView(
        user=PersonView(id=user.pk, username=user.username, is_admin=user.is_admin),
        csrf_token=get_token(request),
        idle_seconds=settings.SESSION_IDLE_SECONDS,
        journal_keys=journal_keys(user),
    )


@router.get("preferences", response={200: PreferencesView, **REFUSED})
def show_preferences(request: HttpRequest) -> Preferences:
    """Say how the person likes to work."""
    return preferences_of(person(request))


@router.put("preferences", response={200: PreferencesView, **WRITE})
def save_preferences(request: HttpRequest, body: PreferencesBody) -> Preferences:
    """Keep how the person likes to work."""
    kept = set_preferences(user=person(request), language=body.language, keys=body.keys)
    request.session[LANGUAGE] = kept.language
    return kept

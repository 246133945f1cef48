"""API tokens: a person makes, sees and revokes their own; an administrator revokes anyone's."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.models import ApiToken
from accounts.scopes import Scope
from accounts.tokens import TokenRefusedError, Wish, make_token, revoke_token
from annotation.api.pages.access import signed_in
from annotation.api.pages.confirm import confirmed
from annotation.api.pages.frame import page
from annotation.api.permissions import person, record_act

DAYS = (7, 30, 90, 365)
SHOWN = 50


@require_GET
@signed_in
def tokens(request: HttpRequest) -> HttpResponse:
    """List one's own tokens, and offer to make one."""
    return listed(request)


def listed(request: HttpRequest, *, status: int = 200, **more: object) -> HttpResponse:
    """Show the page, with what went wrong or the key of a new token."""
    found = person(request).tokens.all()[:SHOWN]
    told = {"tokens": found, "scopes": Scope.choices, "days": DAYS, "now": timezone.now()}
    return page(request, "accounts/tokens.html", "tokens", status=status, **(told | more))


@require_POST
@signed_in
@confirmed(lambda _request: resolve_url("tokens"))
def make(request: HttpRequest) -> HttpResponse:
    """Make a token; its key is shown this once."""
    days = request.POST.get("days", "")
    scopes = request.POST.getlist("scope")
    wish = Wish(request.POST.get("name", ""), scopes, int(days) if days.isdecimal() else 0)
    try:
        with transaction.atomic():
            token, key = make_token(user=person(request), wish=wish, now=timezone.now())
            record_act(
                request,
                "token.make",
                "token",
                token.pk,
                {"scopes": token.scopes, "expires": token.expires_at},
            )
    except TokenRefusedError as error:
        return listed(request, status=422, problem=str(error), wish=wish)
    return listed(request, made=token, key=key)


@require_POST
@signed_in
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Revoke a token: it is refused from the next request on."""
    me = person(request)
    try:
        with transaction.atomic():
            token = revoke_token(token_id=token_id, by=me, now=timezone.now())
            record_act(request, "token.revoke", "token", token.pk, {"owner": str(token.user_id)})
    except ApiToken.DoesNotExist:
        raise Http404("no such token") from None
    words = gettext("The token “%(name)s” is revoked: it is refused from now on.")
    messages.success(request, words % {"name": token.name})
    return redirect("tokens") if token.user_id == me.pk else redirect("person", person_id=token.user_id)

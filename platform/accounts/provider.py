"""Sign-in by the hospital's own provider (OpenID Connect). Authlib asks and checks."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from joserfc.errors import JoseError

from accounts.invitations import InvitationOverError, invited_by
from accounts.models import Identity, Invitation, User

TIMEOUT_SECONDS: Final = 10
# Signatures by a key that the provider alone has: no shared secret, and never none.
ALGORITHMS: Final = frozenset(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)) | {
    "EdDSA"
}
FAULTS: Final = (AuthlibBaseError, JoseError, requests.RequestException, ValueError, KeyError, RuntimeError)


class ProviderError(Exception):
    """The provider cannot be reached, or what it answered proves nothing."""


class StrangerError(Exception):
    """The provider names somebody whom nobody here is connected with, or may not be connected."""


@dataclass(frozen=True)
class Shown:
    """What the provider vouches for.

    with_second: it asked for a second factor; at: when the person signed in there, in seconds since 1970.
    """

    subject: str
    with_second: bool
    at: float


def is_configured() -> bool:
    """Whether there is a provider."""
    return bool(settings.OIDC_ISSUER)


def client() -> Any:  # noqa: ANN401  Authlib has no types
    """Make a client that has read what the provider says of itself.

    raises: ProviderError.
    """
    issuer = settings.OIDC_ISSUER
    made = OAuth().register(
        "provider",
        client_id=settings.OIDC_CLIENT_ID,
        client_secret=settings.OIDC_CLIENT_SECRET,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid",
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )
    try:
        told = made.load_server_metadata()
    except FAULTS as error:
        raise ProviderError(type(error).__name__) from error
    if told.get("issuer") != issuer:
        raise ProviderError("the provider calls itself otherwise")
    offered = told.get("id_token_signing_alg_values_supported") or ["RS256"]
    told["id_token_signing_alg_values_supported"] = sorted(ALGORITHMS & set(offered))
    return made


def ask(request: HttpRequest, back: str, *, anew: bool) -> HttpResponse:
    """Send the browser to the provider. anew: it must ask for the password even of who is signed in there.

    raises: ProviderError.
    """
    more = {"prompt": "login", "max_age": "0"} if anew else {}
    asked: HttpResponse = client().authorize_redirect(request, back, **more)
    return asked


def answered(request: HttpRequest) -> Shown:
    """Take the provider's answer, once: state, nonce, signature, issuer, audience and time are checked.

    raises: ProviderError.
    """
    wanted = {
        "iss": {"essential": True, "value": settings.OIDC_ISSUER},
        "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
    }
    try:
        token = client().authorize_access_token(request, claims_options=wanted)
        claims = token["userinfo"]
        subject = str(claims["sub"])
    except FAULTS as error:
        raise ProviderError(type(error).__name__) from error
    if not 0 < len(subject) <= 255:
        raise ProviderError("the provider names nobody")
    return Shown(subject, "mfa" in (claims.get("amr") or []), float(claims.get("auth_time") or 0))


@transaction.atomic
def person_of(shown: Shown, *, now: datetime) -> User:
    """Find whom the provider means.

    raises: StrangerError.
    """
    known = Identity.objects.select_related("user").filter(
        issuer=settings.OIDC_ISSUER, subject=shown.subject, user__is_active=True
    )
    found = known.first()
    if found is None:
        raise StrangerError
    Identity.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user


@transaction.atomic
def connect(*, user: User, shown: Shown, now: datetime) -> Identity:
    """Note who a person is at the provider. The caller audits.

    raises: StrangerError where that is another person here already.
    """
    try:
        with transaction.atomic():
            return Identity.objects.create(
                user=user, issuer=settings.OIDC_ISSUER, subject=shown.subject, created_at=now
            )
    except IntegrityError:
        known = user.identities.filter(issuer=settings.OIDC_ISSUER, subject=shown.subject).first()
        if known is None:
            raise StrangerError from None
        return known


@transaction.atomic
def accept_by_provider(*, key: str, shown: Shown, now: datetime) -> User:
    """Connect the invited person in the place of a password; the link is over. The caller audits.

    raises: InvitationOverError, StrangerError.
    """
    invitation = invited_by(key, now=now)
    connect(user=invitation.user, shown=shown, now=now)
    used = Invitation.objects.filter(pk=invitation.pk, used_at=None, expires_at__gt=now).update(used_at=now)
    if not used:
        raise InvitationOverError
    return invitation.user


def is_fresh(shown: Shown) -> bool:
    """Whether the person signed in at the provider so lately that it stands for typing the password here."""
    return 0 <= time.time() - shown.at + settings.OIDC_CLOCK_SECONDS <= settings.REAUTHENTICATION_SECONDS

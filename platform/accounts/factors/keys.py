"""Security keys (WebAuthn): made and asked by the browser; python-fido2 checks what they sign."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.models import SecurityKey, User

MOST = 10


class KeyRefusedError(Exception):
    """What the browser sent proves nothing."""


@dataclass(frozen=True)
class Site:
    """Where the browser is: https://host:port, and the host alone, which keys are bound to."""

    origin: str
    host: str

    def server(self) -> Fido2Server:
        """Check for this site alone."""
        return Fido2Server(
            PublicKeyCredentialRpEntity(name="Fovea", id=self.host),
            verify_origin=lambda origin: bool(origin == self.origin),
        )


def asked_to_make(user: User, site: Site) -> tuple[str, dict[str, Any]]:
    """Say what the browser is to make, and what to keep until it answers."""
    entity = PublicKeyCredentialUserEntity(id=user.pk.bytes, name=user.username, display_name=user.username)
    options, state = site.server().register_begin(
        entity,
        credentials=credentials_of(user),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return json.dumps(dict(options.public_key)), state


@transaction.atomic
def add_key(
    *, user: User, site: Site, state: dict[str, Any], answer: str, name: str, now: datetime
) -> SecurityKey:
    """Keep a key that the browser made. The caller audits.

    raises: KeyRefusedError.
    """
    User.objects.select_for_update().get(pk=user.pk)
    if user.security_keys.count() >= MOST:
        raise KeyRefusedError
    try:
        made = site.server().register_complete(state, json.loads(answer))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyRefusedError from error
    credential = made.credential_data
    if credential is None:
        raise KeyRefusedError
    try:
        with transaction.atomic():
            return SecurityKey.objects.create(
                user=user,
                name=name.strip()[:64] or "key",
                credential_digest=digest_of(credential.credential_id),
                credential=bytes(credential),
                counter=made.counter,
                created_at=now,
            )
    except IntegrityError:
        raise KeyRefusedError from None


def asked_to_sign(user: User, site: Site) -> tuple[str, dict[str, Any]]:
    """Say what the browser is to sign, and what to keep until it answers."""
    options, state = site.server().authenticate_begin(
        credentials_of(user), user_verification=UserVerificationRequirement.PREFERRED
    )
    return json.dumps(dict(options.public_key)), state


@transaction.atomic
def check_signed(*, user: User, site: Site, state: dict[str, Any], answer: str, now: datetime) -> SecurityKey:
    """Check what a key of the person signed, and note its counter: one that goes back is a copy's.

    raises: KeyRefusedError.
    """
    try:
        sent = json.loads(answer)
        used = site.server().authenticate_complete(state, credentials_of(user), sent)
        counter = AuthenticationResponse.from_dict(sent).response.authenticator_data.counter
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyRefusedError from error
    key = user.security_keys.select_for_update().get(credential_digest=digest_of(used.credential_id))
    if (counter or key.counter) and counter <= key.counter:
        raise KeyRefusedError
    key.counter, key.last_used_at = counter, now
    key.save(update_fields=["counter", "last_used_at"])
    return key


def credentials_of(user: User) -> list[AttestedCredentialData]:
    """Read the credentials of a person's keys."""
    return [AttestedCredentialData(bytes(one.credential)) for one in user.security_keys.all()]


def digest_of(credential_id: bytes) -> str:
    """Name a credential: ids may be a kilobyte long."""
    return hashlib.sha256(credential_id).hexdigest()

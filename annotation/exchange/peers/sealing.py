"""Secrets of other systems, readable only with the installation's own: the database holds them sealed."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBrokenError(Exception):
    """A sealed text was not sealed with this installation's secret, or was changed."""


def seal(text: str) -> str:
    """Encrypt and authenticate a text; an empty one stays empty."""
    return _keys().encrypt(text.encode()).decode() if text else ""


def unsealed(sealed: str) -> str:
    """Give back what was sealed.

    raises: SealBrokenError.
    """
    if not sealed:
        return ""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBrokenError("it was sealed with another installation's secret: type it again") from None


def _keys() -> MultiFernet:
    """Keys of the installation's present secret, and of those before it."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(secret)) for secret in secrets])


def _derived(secret: str | bytes) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    digest = hmac.new(key, b"secrets of peers", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest)

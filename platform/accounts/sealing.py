"""Secrets that must be read again: the database holds them sealed with the installation's own."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBrokenError(Exception):
    """A sealed text was not sealed with this installation's secret, or was changed."""


@dataclass(frozen=True)
class Seal:
    """Seals texts for one purpose: what was sealed for another cannot be opened."""

    purpose: bytes

    def seal(self, text: str) -> str:
        """Encrypt and authenticate a text; an empty one stays empty."""
        return self._keys().encrypt(text.encode()).decode() if text else ""

    def unsealed(self, sealed: str) -> str:
        """Give back what was sealed.

        raises: SealBrokenError.
        """
        if not sealed:
            return ""
        try:
            return self._keys().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealBrokenError("it was sealed with another installation's secret: type it again") from None

    def _keys(self) -> MultiFernet:
        """Keys of the installation's present secret, and of those before it."""
        secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return MultiFernet([Fernet(self._derived(secret)) for secret in secrets])

    def _derived(self, secret: str | bytes) -> bytes:
        key = secret.encode() if isinstance(secret, str) else secret
        return base64.urlsafe_b64encode(hmac.new(key, self.purpose, hashlib.sha256).digest())

"""Secrets that must be read again: they are kept sealed with the installation's own.

A stream is sealed by the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, 2015), as in Tink's
AES-GCM-HKDF streaming: a key of its own by HKDF-SHA256, AES-256-GCM over segments, and in each nonce the
segment's number and whether it is the last.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MAGIC: Final = b"FOVEASEAL\x01"  # the last byte is the version
SALT_BYTES, PREFIX_BYTES, TAG_BYTES = 32, 7, 16
HEADER_BYTES = len(MAGIC) + SALT_BYTES + PREFIX_BYTES
SEGMENT_BYTES = 1024 * 1024  # of what is sealed; each takes TAG_BYTES more


class SealBrokenError(Exception):
    """What is to be opened was not sealed with this installation's secret, or was changed."""


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
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived_keys(self.purpose)])


@dataclass(frozen=True)
class StreamSeal:
    """Seals streams of any length for one purpose, a segment in memory at a time."""

    purpose: bytes

    def seal(self, source: BinaryIO, target: BinaryIO) -> int:
        """Encrypt and authenticate a stream from where it stands; returns the bytes written."""
        salt, prefix = os.urandom(SALT_BYTES), os.urandom(PREFIX_BYTES)
        cipher = _cipher(derived_keys(self.purpose)[0], salt)
        written = target.write(MAGIC + salt + prefix)
        for number, segment, is_last in _segments(source, SEGMENT_BYTES):
            written += target.write(cipher.encrypt(_nonce(prefix, number, is_last=is_last), segment, None))
        return written

    def unsealed(self, sealed: BinaryIO) -> Iterator[bytes]:
        """Give back what was sealed, segment by segment; the first is checked before anything is given.

        raises: SealBrokenError, at a later segment too where that one was changed or the rest is missing.
        """
        header = _filled(sealed, HEADER_BYTES)
        if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
            raise SealBrokenError("it is no sealed file, or one of a later version")
        salt, prefix = header[len(MAGIC) : -PREFIX_BYTES], header[-PREFIX_BYTES:]
        segments = _segments(sealed, SEGMENT_BYTES + TAG_BYTES)
        number, segment, is_last = next(segments)
        for key in derived_keys(self.purpose):
            cipher = _cipher(key, salt)
            try:
                first = cipher.decrypt(_nonce(prefix, number, is_last=is_last), segment, None)
            except InvalidTag:
                continue
            return chain([first], _opened(cipher, prefix, segments))
        raise SealBrokenError("it was changed, or sealed with another installation's secret")


def derived_keys(purpose: bytes) -> list[bytes]:
    """Keys for a purpose, 32 bytes each: of the installation's present secret, then of those before it."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    raw = [secret.encode() if isinstance(secret, str) else secret for secret in secrets]
    return [hmac.new(secret, purpose, hashlib.sha256).digest() for secret in raw]


def unsealed_length(sealed_bytes: int) -> int:
    """Say how many bytes a sealed stream of this length gives back."""
    body = sealed_bytes - HEADER_BYTES
    return body - TAG_BYTES * -(-body // (SEGMENT_BYTES + TAG_BYTES))


def _opened(cipher: AESGCM, prefix: bytes, segments: Iterator[tuple[int, bytes, bool]]) -> Iterator[bytes]:
    for number, segment, is_last in segments:
        try:
            yield cipher.decrypt(_nonce(prefix, number, is_last=is_last), segment, None)
        except InvalidTag:
            raise SealBrokenError("it was changed, or its end is missing") from None


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), length=32, salt=salt, info=MAGIC).derive(key))


def _nonce(prefix: bytes, number: int, *, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([is_last])


def _segments(stream: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    """Give segments by number, and say which is the last; an empty stream is one empty segment."""
    number, segment = 0, _filled(stream, size)
    while following := _filled(stream, size) if len(segment) == size else b"":
        yield number, segment, False
        number, segment = number + 1, following
    yield number, segment, True


def _filled(stream: BinaryIO, size: int) -> bytes:
    """Read so many bytes, fewer only at the end."""
    found = stream.read(size)
    while 0 < len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found

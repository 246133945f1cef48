"""Codes of an authenticator app (RFC 6238): six digits, a new one every 30 s."""

import base64
import os
from datetime import datetime
from typing import Final

import segno
from cryptography.hazmat.primitives.constant_time import bytes_eq
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_SECONDS: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20  # RFC 4226, section 4: as long as SHA-1's output
DRIFT_STEPS: Final = 1  # RFC 6238, section 5.2: at most one step for a clock that is off


def new_secret() -> str:
    """Draw a secret, in base32 as people type it into an app."""
    return base64.b32encode(os.urandom(SECRET_BYTES)).decode()


def step_of(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """Find the time step of a code; None where it is wrong, or not newer than a step already used."""
    known, at = codes_of(secret), int(now.timestamp()) // STEP_SECONDS
    for step in range(at - DRIFT_STEPS, at + DRIFT_STEPS + 1):
        if bytes_eq(known.generate(step * STEP_SECONDS), code.encode()) and step > after:
            return step
    return None


def codes_of(secret: str) -> TOTP:
    """Codes of a secret."""
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303  apps know no other


def picture_of(secret: str, *, name: str) -> str:
    """Draw what an app scans, as SVG: black on white in either theme."""
    address = codes_of(secret).get_provisioning_uri(name, "Fovea")
    drawn: str = segno.make(address, error="m").svg_inline(
        scale=5, border=3, light="#fff", dark="#000", omitsize=False
    )
    return drawn

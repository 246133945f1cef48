"""Stable pseudonyms: what a data set's key makes of identifiers, on every worker and at every re-import."""

import hashlib
import hmac
from dataclasses import dataclass

LONGEST_SHIFT_DAYS = 3650


def keyed(key: bytes, purpose: str, value: str) -> bytes:
    """HMAC-SHA256 of a value under a key, apart for each purpose."""
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()


def patient_pseudonym(key: bytes, patient_id: str) -> str:
    """80 bits of HMAC, as text; the same for the same patient of a data set."""
    return "P" + keyed(key, "patient", patient_id.strip()).hex()[:20].upper()


def new_uid(key: bytes, uid: str) -> str:
    """Make a UID under 2.25 (PS3.5 B.2) from 122 bits of HMAC; the same for the same UID of a data set."""
    return f"2.25.{int.from_bytes(keyed(key, 'uid', uid)[:16]) >> 6}"


def shift_days(key: bytes, pseudonym: str) -> int:
    """By how many days all dates of a patient lie earlier: 1 … 3650, so that intervals stay true."""
    return 1 + int.from_bytes(keyed(key, "dates", pseudonym)[:8]) % LONGEST_SHIFT_DAYS


@dataclass(frozen=True)
class Identity:
    """Who a file is about, after de-identification."""

    key: bytes
    pseudonym: str

    @property
    def days(self) -> int:
        """The patient's date shift."""
        return shift_days(self.key, self.pseudonym)

    def uid(self, value: str) -> str:
        """Give the data set's own UID for a UID."""
        return new_uid(self.key, value)

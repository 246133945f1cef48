"""Keys of de-identification: one a data set, derived, so that no child process ever holds the secret."""

import hashlib
import hmac
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from annotation.studies.door.pseudonyms import patient_pseudonym

BLOCK_BYTES = 1024 * 1024


def dataset_key(dataset_id: UUID) -> bytes:
    """Derive the data set's key: HMAC-SHA256 of its id under the installation's secret."""
    secret: str = settings.DEIDENTIFICATION_SECRET
    return hmac.new(secret.encode(), dataset_id.bytes, hashlib.sha256).digest()


def source_digest(key: bytes, stream: BinaryIO) -> str:
    """Keyed digest of a file as it came: who has the file but not the key cannot look it up."""
    digest = hmac.new(key, digestmod=hashlib.sha256)
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def pseudonym_of(key: bytes, patient_id: str) -> str:
    """Pseudonym of a patient whom a delivery's table names; "" where it names none."""
    return patient_pseudonym(key, patient_id) if patient_id.strip() else ""

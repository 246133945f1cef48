"""The encoder through which a project's jobs look, and the store of its vectors."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from annotation.learning import services
from annotation.learning.models import Encoder
from annotation.projects.models import Project
from mlworker.embeddings import EmbeddingStore


def encoder_of(project: Project) -> Encoder:
    """Find the encoder that the project has chosen.

    raises: ValueError where there is none yet.
    """
    encoder = services.policy_for(project).encoder
    if encoder is None:
        raise ValueError("the project has no encoder yet: wait until the images are encoded")
    return encoder


def store_of(encoder: Encoder) -> EmbeddingStore:
    """Open the store of an encoder's vectors, up to date."""
    store = store_at(settings.HOME.embeddings, encoder.digest, encoder.dimension)
    store.refresh()
    return store


@lru_cache(maxsize=8)
def store_at(root: Path, digest: str, dimension: int) -> EmbeddingStore:
    """Keep a store's maps open between jobs of one process; `refresh` sees what others appended."""
    return EmbeddingStore(root, digest, dimension)

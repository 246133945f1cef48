"""The job that erases a patient: rows first, then files, vectors and what the database still remembers."""

from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone

from annotation.exchange.lifecycle.attribution import attribute_held
from annotation.exchange.lifecycle.erasing import certify, remove_files, withdraw
from annotation.exchange.lifecycle.forgetting import forget_deleted_rows
from annotation.exchange.lifecycle.models import Erasure
from annotation.learning.models import Encoder
from mlworker.embeddings import EmbeddingStore
from mlworker.runtime import Work


def erase(work: Work, erasure_id: str) -> None:
    """Erase, and certify; broken off, it goes on where it stood."""
    asked = Erasure.objects.select_related("dataset").get(pk=erasure_id)
    if asked.done_at is not None:
        return
    work.progress(0.1, "Looking through the quarantine")
    attributed = attribute_held(asked.dataset)
    work.progress(0.3, "Removing rows")
    erasure = withdraw(asked, attributed=attributed, now=timezone.now())
    work.progress(0.6, "Removing files")
    remove_files(erasure)
    vectors = erase_vectors(erasure.remains["vectors"])
    with work.commit():
        certify(erasure, vectors=vectors, now=timezone.now())
    forget_deleted_rows()


def erase_vectors(digests: Sequence[str]) -> int:
    """Erase series from the stores of all encoders, unused ones too; return how many vectors."""
    root, stores = settings.HOME.embeddings, set(Encoder.objects.values_list("digest", "dimension"))
    there = [(digest, dimension) for digest, dimension in sorted(stores) if (root / digest).is_dir()]
    return sum(EmbeddingStore(root, digest, dimension).erase(digests) for digest, dimension in there)

"""Which snapshots hold a patient's cases, and which models and encoders learned from them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.core.files.storage import default_storage

from annotation.exchange.lifecycle.belongings import Belongings
from annotation.learning.drawn_models import PixelHead
from annotation.learning.models import Encoder, ModelVersion, Snapshot
from annotation.projects.models import Case

BLOCK_BYTES: Final = 1024 * 1024
ID_BYTES: Final = 36


def snapshots_with(found: Belongings) -> dict[UUID, int]:
    """Find the snapshots that name cases of the patient, with how many each names."""
    wanted = [str(pk).encode() for pk in found.cases.values_list("pk", flat=True)]
    known = Snapshot.objects.filter(project__in=found.project_ids)
    told = {pk: members_in(name, wanted) for pk, name in known.values_list("pk", "file_name") if wanted}
    return {pk: number for pk, number in told.items() if number}


def members_in(name: str, wanted: Sequence[bytes]) -> int:
    """Count which of these ids a stored file names; a file that is gone names none."""
    if not default_storage.exists(name):
        return 0
    named: set[bytes] = set()
    with default_storage.open(name, "rb") as stored:
        for piece in overlapping(iter(lambda: stored.read(BLOCK_BYTES), b"")):
            named |= {one for one in wanted if one in piece}
    return len(named)


def overlapping(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Give blocks of which each begins with the end of the one before, so that no id is cut."""
    end = b""
    for block in blocks:
        yield end + block
        end = (end + block)[-ID_BYTES:]


def learned_from(found: Belongings, snapshots: Iterable[UUID]) -> dict[str, list[dict[str, Any]]]:
    """List what learned from the patient, by kind.

    models:      heads that were fitted on a snapshot with a label of the patient.
    pixel_heads: of the patient's projects, made since its first reading: they keep no list of their cases.
    encoders:    trained here on the data set since its first image came, with labels or without.
    """
    return {
        "models": [model_row(one) for one in models_of(snapshots)],
        "pixel_heads": [pixel_head_row(one) for one in pixel_heads_of(found)],
        "encoders": [encoder_row(one) for one in encoders_of(found, snapshots)],
    }


def models_of(snapshots: Iterable[UUID]) -> Iterable[ModelVersion]:
    """Model versions that learned from these snapshots."""
    models = ModelVersion.objects.filter(snapshot__in=list(snapshots))
    return models.select_related("project", "encoder", "snapshot").order_by("project", "number")


def pixel_heads_of(found: Belongings) -> Iterable[PixelHead]:
    """Heads of drawn questions that may have learned from the patient."""
    if found.first_read is None or not found.cases.filter(stream=Case.Stream.POOL).exists():
        return []
    heads = PixelHead.objects.filter(project__cases__in=found.cases, created_at__gte=found.first_read)
    return heads.select_related("project").distinct().order_by("project", "question", "number")


def encoders_of(found: Belongings, snapshots: Iterable[UUID]) -> Iterable[Encoder]:
    """List encoders trained here since the patient's first image: on its pixels, or on its labels."""
    if found.first_stored is None:
        return []
    trained = Encoder.objects.filter(created_at__gte=found.first_stored, report__has_key="method")
    on_images = trained.filter(dataset=found.dataset)
    on_labels = trained.filter(models__snapshot__in=list(snapshots))
    return (on_images | on_labels).distinct().order_by("created_at")


def model_row(model: ModelVersion) -> dict[str, Any]:
    """Name a model version so that whoever keeps a copy finds it."""
    return {
        "project": model.project.name,
        "number": model.number,
        "origin": model.get_origin_display(),
        "artefact": model.artefact_digest,
        "encoder": model.encoder.digest,
        "snapshot": model.snapshot.digest,
        "made_at": model.created_at.isoformat(timespec="seconds"),
    }


def pixel_head_row(head: PixelHead) -> dict[str, Any]:
    """Name a head of a drawn question."""
    return {
        "project": head.project.name,
        "question": head.question,
        "number": head.number,
        "artefact": head.artefact_digest,
        "made_at": head.created_at.isoformat(timespec="seconds"),
    }


def encoder_row(encoder: Encoder) -> dict[str, Any]:
    """Name an encoder."""
    return {
        "name": encoder.name,
        "digest": encoder.digest,
        "method": str(encoder.report.get("method", "")),
        "made_at": encoder.created_at.isoformat(timespec="seconds"),
    }

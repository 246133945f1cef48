"""Pixels: raw frames and thumbnails, of cases that the person may see."""

from uuid import UUID

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from ninja import Router

from annotation.api.errors import NotThereError
from annotation.api.permissions import person, record_view
from annotation.api.responses import MISSING
from annotation.projects.models import Case
from annotation.projects.selectors import case_for
from annotation.studies.models import Instance

router = Router(tags=["frames"])


@router.get(
    "cases/{uuid:case_id}/instances/{sop_uid}/frames/{int:n}",
    response={200: bytes, **MISSING},
)
def get_frame(request: HttpRequest, case_id: UUID, sop_uid: str, n: int) -> HttpResponse:
    """Send frame n (from 1) as stored: uncompressed, little endian."""
    case = case_for(person(request), case_id)
    instance = Instance.objects.filter(series=case.series_id, sop_instance_uid=sop_uid).first()
    if instance is None or not 1 <= n <= instance.frames:
        raise NotThereError(f"the case has no frame {n} of such an instance")
    record_view(request, case)
    response = HttpResponse(frame_of(instance, n), content_type="application/octet-stream")
    return private(response, f"{instance.digest}-{n}")


@router.get("cases/{uuid:case_id}/thumbnail", response={200: bytes, **MISSING})
def get_thumbnail(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Send a small picture of the case, as PNG."""
    case = case_for(person(request), case_id)
    digest, content = thumbnail_of(case)
    record_view(request, case)
    return private(HttpResponse(content, content_type="image/png"), digest)


def private(response: HttpResponse, tag: str) -> HttpResponse:
    """Name the content, and forbid keeping it."""
    response["ETag"] = f'"{tag}"'
    response["Cache-Control"] = "no-store"
    return response


def frame_of(instance: Instance, n: int) -> bytes:
    """Read one frame from the stored file."""
    with default_storage.open(f"instances/{instance.digest[:2]}/{instance.digest}.dcm") as stored:
        stored.seek(instance.pixel_offset + (n - 1) * instance.frame_bytes)
        return bytes(stored.read(instance.frame_bytes))


def thumbnail_of(case: Case) -> tuple[str, bytes]:
    """Read the thumbnail of the case's middle instance."""
    digests = list(
        case.series.instances.order_by("instance_number", "sop_instance_uid").values_list("digest", flat=True)
    )
    digest = digests[len(digests) // 2] if digests else ""
    name = f"thumbnails/{digest[:2]}/{digest}.png"
    if not digest or not default_storage.exists(name):
        raise NotThereError("the case has no thumbnail yet")
    with default_storage.open(name) as stored:
        return digest, bytes(stored.read())

"""Images in by program, with a session or a token of the scope "import": announced, sent, started."""

from typing import Annotated, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import Field, Header, Schema, Status
from pydantic import StringConstraints

from annotation.api.arrivals import BY_TOKEN, ImportView, router  # one router an address: GET is there
from annotation.api.errors import NotThereError
from annotation.api.guards import administered, administrator
from annotation.api.pages.upload import in_words
from annotation.api.permissions import address_of, person
from annotation.api.responses import CONFLICT, WRITE
from annotation.api.schemas import LARGEST_KEY, Body, Problem
from annotation.exchange import sent, uploads
from annotation.exchange.uploads import MAX_FILES, Listed
from annotation.projects.sites import deliveries_of, name_site
from annotation.studies.certificates import certificate_of
from annotation.studies.models import Import
from annotation.studies.selectors import import_for, imports_for

PLAIN = r"^[^\x00]*$"
FULL: dict[Any, Any] = {**CONFLICT, 507: Problem}


class ListedBody(Body):
    """One file that will be sent: its path in the delivery, and its size in bytes."""

    path: Annotated[str, Field(max_length=1024, pattern=PLAIN)]
    size: Annotated[int, Field(ge=0, le=LARGEST_KEY)]


class DeliveryBody(Body):
    """What will be sent. modality, pictures_cleared: of plain pictures alone, which DICOM says itself."""

    source_name: Annotated[str, Field(max_length=255, pattern=PLAIN)] = ""
    modality: Annotated[str, Field(max_length=16)] = "OT"
    pictures_cleared: bool = False
    files: Annotated[list[ListedBody], Field(min_length=1, max_length=MAX_FILES)]


class SiteBody(Body):
    """Where images were made; empty: not known."""

    site: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64, pattern=PLAIN)]


class SiteView(Schema):
    """Where a delivery's images were made."""

    site: str


class AnnouncedView(Schema):
    """Where pieces go: PUT imports/{id}/pieces, then POST imports/{id}/start; piece_bytes: their length."""

    id: UUID
    piece_bytes: int


@router.post("projects/{uuid:project_id}/imports", response={201: AnnouncedView, **FULL}, auth=BY_TOKEN)
def announce_delivery(request: HttpRequest, project_id: UUID, body: DeliveryBody) -> HttpResponse:
    """Take the list of what will be sent, and make room for it."""
    project, me = administered(request, project_id), person(request)
    files = [Listed(one.path, one.size) for one in body.files]
    told = sent.Announced(body.source_name, body.modality, body.pictures_cleared, files)

    def opened() -> HttpResponse:
        delivery = sent.announce(project=project, told=told, by=me, now=timezone.now())
        return JsonResponse({"id": str(delivery.pk), "piece_bytes": uploads.PIECE_BYTES}, status=201)

    return in_words(opened)


@router.put("imports/{uuid:import_id}/pieces", response={204: None, **FULL}, auth=BY_TOKEN)
def send_pieces(request: HttpRequest, import_id: UUID, upload_pieces: Header[str] = "") -> HttpResponse:
    """Take bytes of a delivery's files, one after the other; bytes that are there already change nothing.

    Upload-Pieces names them: index of the file in the list, offset and length, as "0:0:1048576,1:0:512".
    """
    delivery = own_delivery(request, import_id)

    def write() -> HttpResponse:
        uploads.write_pieces(settings.HOME.spool, delivery.pk, uploads.spans_of(upload_pieces), request)
        return HttpResponse(status=204)

    return in_words(write)


@router.post("imports/{uuid:import_id}/start", response={202: ImportView, **CONFLICT}, auth=BY_TOKEN)
def start_delivery(request: HttpRequest, import_id: UUID) -> HttpResponse | Status[Import]:
    """Have a delivery imported that is wholly there; asked again, it changes nothing."""
    delivery = own_delivery(request, import_id)

    def begin() -> HttpResponse:
        sent.start(delivery=delivery, by=person(request), address=address_of(request))
        return HttpResponse(status=202)

    refused = in_words(begin)
    return refused if refused.status_code >= 400 else Status(202, delivery)


@router.get("imports/{uuid:import_id}/certificate", response={200: dict[str, Any], **WRITE})
def get_import_certificate(request: HttpRequest, import_id: UUID) -> dict[str, Any]:
    """Give the certificate of what de-identification did to a delivery."""
    return certificate_of(import_for(administrator(request), import_id))


@router.put("projects/{uuid:project_id}/imports/{uuid:import_id}/site", response={200: SiteView, **WRITE})
def name_delivery_site(request: HttpRequest, project_id: UUID, import_id: UUID, body: SiteBody) -> SiteView:
    """Say where a delivery's images were made."""
    project = administered(request, project_id)
    delivery = deliveries_of(project).filter(pk=import_id).first()
    if delivery is None:
        raise NotThereError("there is no such delivery")
    name_site(delivery=delivery, site=body.site, by=person(request))
    return SiteView(site=body.site)


def own_delivery(request: HttpRequest, import_id: UUID) -> Import:
    """Find a delivery that this very person is sending.

    raises: ForbiddenError, NotThereError.
    """
    me = administrator(request)
    found = imports_for(me).filter(pk=import_id, requested_by=me).first()
    if found is None:
        raise NotThereError("there is no such delivery of yours")
    return found

"""The upload: a delivery is announced, sent in pieces, started."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from annotation.api.errors import problem
from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.deliveries import found_delivery, job_of
from annotation.api.permissions import person, record_act
from annotation.exchange import uploads
from annotation.exchange.imports import UnknownModalityError, job_key, open_delivery
from annotation.exchange.lifecycle.usage import QuotaError, check_room
from annotation.exchange.uploads import Listed, OutOfOrderError, UploadError
from annotation.studies.models import Import
from jobs.models import Job, Lane
from jobs.services import ask

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Announced:
    """What will be sent, and what the sender says of its plain pictures."""

    source_name: str
    modality: str
    pictures_cleared: bool
    files: list[Listed]


@require_POST
@member(ADMIN)
def announce(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take the list of what will be sent, and say where to send it."""
    return in_words(lambda: opened(request, visit))


def opened(request: HttpRequest, visit: Visit) -> JsonResponse:
    """Open a delivery and make room for its files."""
    told = announced(request)
    uploads.check_list(told.files, settings.UPLOAD_MAX_BYTES)
    check_room(visit.project.pk, sum(file.size for file in told.files))
    delivery = open_delivery(
        project=visit.project,
        source_name=told.source_name,
        requested_by=visit.user,
        now=timezone.now(),
        modality=told.modality,
        pictures_cleared=told.pictures_cleared,
    )
    uploads.begin(settings.HOME.spool, delivery.pk, told.files, max_bytes=settings.UPLOAD_MAX_BYTES)
    address = {"import_id": delivery.pk}
    return JsonResponse(
        {
            "pieces": reverse("import-pieces", kwargs=address),
            "start": reverse("import-start", kwargs=address),
            "piece_bytes": uploads.PIECE_BYTES,
        },
        status=201,
    )


@require_http_methods(["PUT"])
@admin_only
def pieces(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Take pieces of a delivery's files; pieces that are there already change nothing."""
    sent_delivery(request, import_id)

    def write() -> HttpResponse:
        spans = uploads.spans_of(request.headers.get("Upload-Pieces", ""))
        uploads.write_pieces(settings.HOME.spool, import_id, spans, request)
        return HttpResponse(status=204)

    return in_words(write)


@require_POST
@admin_only
def start(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Ask for the import of a delivery that is wholly there; asked again, it changes nothing."""
    delivery = sent_delivery(request, import_id)

    def begin() -> HttpResponse:
        if job_of(delivery) is None:
            uploads.complete(settings.HOME.spool, import_id)
            ask_import(request, delivery)
        return JsonResponse({"report": reverse("import-report", kwargs={"import_id": import_id})})

    return in_words(begin)


@transaction.atomic
def ask_import(request: HttpRequest, delivery: Import) -> Job:
    """Ask for the job, audited."""
    record_act(request, "import.start", "import", delivery.pk)
    return ask(
        name="import_delivery",
        lane=Lane.TRANSFER,
        arguments={"import_id": str(delivery.pk)},
        requested_by=person(request),
        scope_id=delivery.project_id,
        singleton_key=job_key(delivery),
    )


def announced(request: HttpRequest) -> Announced:
    """Read what will be sent.

    raises: UploadError.
    """
    try:
        body = json.loads(request.body)
        files = [Listed(str(one["path"]), int(one["size"])) for one in body["files"]]
        vouched = body["pictures_cleared"] is True
        return Announced(str(body["source_name"]), str(body["modality"]), vouched, files)
    except (ValueError, KeyError, TypeError, RequestDataTooBig):
        raise UploadError("The list of files could not be read. Send it as one zip file.") from None


def in_words(act: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer with what is wrong, in words that the page shows."""
    try:
        return act()
    except OutOfOrderError as error:
        return problem(409, "out_of_order", str(error))
    except QuotaError as error:
        return problem(507, "quota", f"{str(error)[:1].upper()}{str(error)[1:]}.")
    except (UploadError, UnknownModalityError) as error:
        return problem(422, "upload_refused", str(error))
    except OSError as error:
        log.error("upload: %s", error.strerror)
        return problem(507, "no_space", "The server could not store it. Tell your administrator.")


def sent_delivery(request: HttpRequest, import_id: UUID) -> Import:
    """Look up a delivery that this very person is sending.

    raises: Http404.
    """
    delivery = found_delivery(request, import_id)
    if delivery.requested_by_id != person(request).pk:
        raise Http404("another person's upload")
    return delivery

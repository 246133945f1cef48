"""The upload: a delivery is announced, sent in pieces, started."""

import json
import logging
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from annotation.api.errors import problem
from annotation.api.pages.access import ADMIN, Visit, admin_only, member
from annotation.api.pages.deliveries import found_delivery
from annotation.api.permissions import address_of, person
from annotation.exchange import sent, uploads
from annotation.exchange.imports import UnknownModalityError
from annotation.exchange.lifecycle.usage import QuotaError
from annotation.exchange.sent import Announced
from annotation.exchange.uploads import Listed, OutOfOrderError, UploadError
from annotation.studies.models import Import

log = logging.getLogger(__name__)


@require_POST
@member(ADMIN)
def announce(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Take the list of what will be sent, and say where to send it."""
    return in_words(lambda: opened(request, visit))


def opened(request: HttpRequest, visit: Visit) -> JsonResponse:
    """Open a delivery and make room for its files."""
    told = announced(request)
    delivery = sent.announce(project=visit.project, told=told, by=visit.user, now=timezone.now())
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
        sent.start(delivery=delivery, by=person(request), address=address_of(request))
        return JsonResponse({"report": reverse("import-report", kwargs={"import_id": import_id})})

    return in_words(begin)


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

"""Every error of the API is a problem document (RFC 9457): no stack, no patient, no value that was sent."""

import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.db import OperationalError
from django.db.models import Manager
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from annotation.api.permissions import CsrfError, record_denial
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.out.models import Export
from annotation.exchange.out.services import ExpiredError
from annotation.exchange.peers.models import Peer
from annotation.learning.models import SimilaritySearch
from annotation.projects.models import Case, Project
from annotation.projects.protocols import ProtocolInvalidError, ProtocolStaleError
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.queue.adjudication import DisputeStaleError
from annotation.queue.disputes import ReadingClosedError
from annotation.queue.models import Lease, QueryBatch, Remark
from annotation.queue.rules import LeaseLostError
from annotation.readings.adjudication_models import Dispute
from annotation.readings.models import Reading
from annotation.readings.rules import (
    AnswersInvalidError,
    AnswersTooLargeError,
    IdempotencyConflictError,
    ProtocolChangedError,
    RevisionStaleError,
)
from annotation.readings.services import NewerDraftError
from annotation.studies.models import Deletion, Import
from audit.models import Webhook

log = logging.getLogger(__name__)
CONFLICTS = (
    DisputeStaleError,
    ReadingClosedError,
    LeaseLostError,
    IdempotencyConflictError,
    ProtocolChangedError,
    ProtocolStaleError,
    RevisionStaleError,
    NewerDraftError,
)
OBJECTS: Mapping[str, Manager[Any]] = {
    "batch_id": QueryBatch.objects,
    "deletion_id": Deletion.objects,
    "erasure_id": Erasure.objects,
    "import_id": Import.objects,
    "label_import_id": LabelImport.objects,
    "peer_id": Peer.objects,
    "search_id": SimilaritySearch.objects,
    "webhook_id": Webhook.objects,
    "dispute_id": Dispute.objects,
    "export_id": Export.objects,
    "remark_id": Remark.objects,
    "reading_id": Reading.objects,
    "lease_id": Lease.objects,
    "case_id": Case.objects,
    "project_id": Project.objects,
}


class NotThereError(RefusedError):
    """The person may see where it would be, and there is nothing."""

    code = "not_found"


class TooOftenError(RefusedError):
    """The person did it as often as anyone may within a minute."""

    code = "too_many"


def problem(status: int, code: str, detail: str, **more: object) -> HttpResponse:
    """Write a problem document."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JsonResponse(body | more, status=status, content_type="application/problem+json")


def on_refused(request: HttpRequest, error: RefusedError) -> HttpResponse:
    """Say which rule was broken."""
    if isinstance(error, NewerDraftError):
        draft = error.draft
        newer = {
            "version": draft.version,
            "protocol_version": draft.protocol_version,
            "answers": draft.answers,
            "seconds": draft.seconds,
        }
        return problem(409, error.code, str(error), draft=newer)
    if isinstance(error, AnswersInvalidError | ProtocolInvalidError):
        rows = [one.as_row() for one in error.problems]
        return problem(422, error.code, str(error), problems=rows)
    if isinstance(error, ForbiddenError):
        record_denial(request, *object_named(request))
        return problem(403, error.code, str(error))
    if isinstance(error, TooOftenError):
        refused = problem(429, error.code, str(error))
        refused["Retry-After"] = "60"
        return refused
    return problem(status_of(error), error.code, str(error))


def status_of(error: RefusedError) -> int:
    """Choose the HTTP status of a broken rule: 422 unless it is known better."""
    if isinstance(error, NotThereError):
        return 404
    if isinstance(error, CsrfError):
        return 403
    if isinstance(error, AnswersTooLargeError):
        return 413
    if isinstance(error, ExpiredError):
        return 410
    return 409 if isinstance(error, CONFLICTS) else 422


def on_missing(request: HttpRequest, _error: Exception) -> HttpResponse:
    """Answer for a foreign object as for one that does not exist; the former is audited."""
    kind, key = object_named(request)
    if kind:
        record_denial(request, kind, key)
    return problem(404, "not_found", _("there is no such thing here, or it is not yours to see"))


def object_named(request: HttpRequest) -> tuple[str, str]:
    """Name the object of a request's address, if it exists: its kind and id."""
    named = request.resolver_match.kwargs if request.resolver_match else {}
    for parameter, known in OBJECTS.items():
        key = named.get(parameter)
        if key is not None and known.filter(pk=key).exists():
            return parameter.removesuffix("_id"), str(key)
    return "", ""


def on_http(_request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer for who is not signed in, and for a body that is no JSON."""
    if error.status_code == 401:
        return problem(401, "unauthenticated", _("sign in first"))
    return problem(error.status_code, "bad_request", _("the request could not be read"))


def on_invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Name the first field that is wrong, and its rule; never what was sent."""
    first = error.errors[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return problem(422, "invalid", f"{field}: {first['msg']}")


def on_too_large(_request: HttpRequest, _error: RequestDataTooBig) -> HttpResponse:
    """Say how much a request may hold."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20
    return problem(413, "too_large", _("the request holds more than %d MiB: send less at once") % most)


def on_busy(_request: HttpRequest, error: OperationalError) -> HttpResponse:
    """Ask to try again where the database is locked or away."""
    log.error("database: %s", type(error).__name__)
    return problem(503, "busy", _("the database does not answer: nothing was saved, try again"))


def on_crash(_request: HttpRequest, error: Exception) -> HttpResponse:
    """Log where it broke, without the values that broke it."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error("unhandled %s at %s", type(error).__name__, where)
    return problem(500, "internal", _("something broke on our side: nothing was saved"))


def register(api: NinjaAPI) -> None:
    """Make an API answer so."""
    handlers: tuple[tuple[type[Exception], Callable[[HttpRequest, Any], HttpResponse]], ...] = (
        (RefusedError, on_refused),
        (ObjectDoesNotExist, on_missing),
        (Http404, on_missing),
        (HttpError, on_http),
        (ValidationError, on_invalid),
        (RequestDataTooBig, on_too_large),
        (OperationalError, on_busy),
        (Exception, on_crash),
    )
    for error, handler in handlers:
        api.add_exception_handler(error, handler)

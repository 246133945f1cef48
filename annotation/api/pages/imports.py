"""Images in: the upload, the deliveries, and what became of every file."""

import csv
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.api.errors import problem
from annotation.api.pages.access import ADMIN, Visit, admin_only, member, visit_of
from annotation.api.pages.frame import project_page
from annotation.api.permissions import address_of, person
from annotation.exchange import uploads
from annotation.exchange.uploads import Listed, OutOfOrderError, UploadError
from annotation.studies.models import Import, ImportedFile
from audit.services import record
from jobs.models import Job, Lane, State
from jobs.selectors import jobs_in
from jobs.services import ask

def open_delivery(*, project, source_name, requested_by, now):  # noqa
    return Import.objects.create(dataset=project.dataset, project_id=project.pk, source_name=source_name, requested_by=requested_by, created_at=now)


def imports_for(user, project_id):  # noqa
    return Import.objects.filter(project_id=project_id)


def delivery_for(user, import_id):  # noqa
    return Import.objects.get(pk=import_id)


PAGE_LENGTH, DELIVERIES_SHOWN, NAME_LENGTH = 100, 50, 255
FILTERS = [("", "All"), *ImportedFile.Outcome.choices]


@require_http_methods(["GET", "POST"])
@member(ADMIN)
def imports(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Show the page; a POST announces a delivery and gets where to send it."""
    if request.method == "POST":
        return in_words(lambda: opened(request, visit))
    return project_page(
        request,
        "project/import.html",
        "import",
        visit,
        deliveries=imports_for(visit.user, visit.project.pk)[:DELIVERIES_SHOWN],
        limit_gib=f"{settings.UPLOAD_MAX_BYTES / 1024**3:.0f}",
        limit_files=f"{uploads.MAX_FILES:,}",
    )


def opened(request: HttpRequest, visit: Visit) -> JsonResponse:
    """Open a delivery and make room for its files."""
    name, files = announced(request)
    uploads.check_list(files, settings.UPLOAD_MAX_BYTES)
    delivery = open_delivery(
        project=visit.project, source_name=name, requested_by=visit.user, now=timezone.now()
    )
    uploads.begin(settings.HOME.spool, delivery.pk, files, max_bytes=settings.UPLOAD_MAX_BYTES)
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
    waiting_delivery(request, import_id)

    def write() -> HttpResponse:
        spans = uploads.spans_of(request.headers.get("Upload-Pieces", ""))
        uploads.write_pieces(settings.HOME.spool, import_id, spans, request)
        return HttpResponse(status=204)

    return in_words(write)


@require_POST
@admin_only
def start(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Ask for the import of a delivery that is wholly there."""
    delivery = waiting_delivery(request, import_id)

    def begin() -> HttpResponse:
        if job_of(delivery) is None:
            uploads.complete(settings.HOME.spool, import_id)
            ask_import(request, delivery)
        return JsonResponse({"report": reverse("import-report", kwargs={"import_id": import_id})})

    return in_words(begin)


@transaction.atomic
def ask_import(request: HttpRequest, delivery: Import) -> Job:
    """Ask for the job, audited."""
    record(
        actor=str(person(request).pk),
        action="import.start",
        object_type="import",
        object_id=str(delivery.pk),
        remote_address=address_of(request),
    )
    return ask(
        name="import_delivery",
        lane=Lane.LIGHT,
        arguments={"import_id": str(delivery.pk)},
        requested_by=person(request),
        scope_id=delivery.project_id,
        singleton_key=job_key(delivery),
    )


@require_GET
@admin_only
def report(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show how far an import is, and every file of it."""
    delivery = found_delivery(request, import_id)
    context = state_of(delivery)
    visit = visit_of_delivery(request, delivery)
    if request.headers.get("HX-Request") and context["live"]:
        return project_page(request, "imports/state.html", "import", visit, **context)
    outcome = request.GET.get("outcome", "")
    part = Paginator(files_of(delivery, outcome), PAGE_LENGTH).get_page(request.GET.get("page"))
    response = project_page(
        request, "imports/report.html", "import", visit, **context, part=part, outcome=outcome, filters=filters_of(delivery)
    )
    if request.headers.get("HX-Request"):
        response.headers["HX-Refresh"] = "true"
    return response


@require_GET
@admin_only
def table(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Download the report."""
    delivery = found_delivery(request, import_id)
    rows = files_of(delivery, "").values_list("path", "outcome", "reason")
    if request.GET.get("as") == "json":
        response = HttpResponse(as_json(delivery, list(rows)), content_type="application/json")
        name = "import.json"
    else:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        name = "import.csv"
        csv.writer(response).writerows([("path", "outcome", "reason"), *map(plain_cells, rows)])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def plain_cells(row: tuple[str, ...]) -> tuple[str, ...]:
    """Keep a spreadsheet from taking a file's name for a formula."""
    return tuple(f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t"} else cell for cell in row)


def as_json(delivery: Import, rows: list[tuple[str, ...]]) -> str:
    """Write the report as the command “import --json” does."""
    files = [{"path": path, "outcome": outcome, "reason": reason} for path, outcome, reason in rows]
    return json.dumps(
        {
            "stored": delivery.stored,
            "duplicate": delivery.duplicate,
            "quarantined": delivery.quarantined,
            "files": files,
        },
        indent=1,
    )


def announced(request: HttpRequest) -> tuple[str, list[Listed]]:
    """Read what will be sent.

    raises: UploadError.
    """
    try:
        body = json.loads(request.body)
        files = [Listed(str(one["path"]), int(one["size"])) for one in body["files"]]
        return str(body["source_name"])[:NAME_LENGTH], files
    except (ValueError, KeyError, TypeError):
        raise UploadError("The list of files could not be read. Reload the page and try again.") from None


def in_words(act: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer with what is wrong, in words that the page shows."""
    try:
        return act()
    except OutOfOrderError as error:
        return problem(409, "out_of_order", str(error))
    except UploadError as error:
        return problem(422, "upload_refused", str(error))
    except OSError as error:
        return problem(507, "no_space", f"The server could not store it ({error.strerror}). Tell your administrator.")


def found_delivery(request: HttpRequest, import_id: UUID) -> Import:
    """Look up a delivery.

    raises: Http404.
    """
    try:
        return delivery_for(person(request), import_id)
    except Import.DoesNotExist:
        raise Http404("no such import") from None


def waiting_delivery(request: HttpRequest, import_id: UUID) -> Import:
    """Look up a delivery that this very person is sending.

    raises: Http404.
    """
    delivery = found_delivery(request, import_id)
    if delivery.requested_by_id != person(request).pk:
        raise Http404("another person's upload")
    return delivery


def visit_of_delivery(request: HttpRequest, delivery: Import) -> Visit:
    """Stand in the project that a delivery belongs to.

    raises: Http404.
    """
    if delivery.project_id is None:
        raise Http404("no project")
    return visit_of(request, delivery.project_id, (ADMIN,))


def job_key(delivery: Import) -> str:
    """Name the job of a delivery: one waits at most."""
    return f"import:{delivery.pk}"


def job_of(delivery: Import) -> Job | None:
    """Find the newest job of a delivery."""
    return jobs_in(None).filter(singleton_key=job_key(delivery)).order_by("-created_at").first()


def state_of(delivery: Import) -> dict[str, Any]:
    """Tell where a delivery stands; live: the page should ask again."""
    job = job_of(delivery)
    ended = delivery.finished_at
    return {
        "delivery": delivery,
        "job": job,
        "live": job is not None and job.state in (State.QUEUED, State.RUNNING),
        "took": (ended - delivery.created_at).total_seconds() if ended else None,
    }


def files_of(delivery: Import, outcome: str) -> QuerySet[ImportedFile]:
    """List a delivery's files by path, or those with one outcome."""
    files = delivery.files.order_by("path")
    return files.filter(outcome=outcome) if outcome in ImportedFile.Outcome.values else files


def filters_of(delivery: Import) -> list[tuple[str, str, int]]:
    """Name the outcomes, each with how many files have it so far."""
    counts = dict(delivery.files.order_by().values_list("outcome").annotate(Count("pk")))
    return [(value, words, counts.get(value, 0) if value else sum(counts.values())) for value, words in FILTERS]
